/* SPDX-License-Identifier: MIT */
/*
 * decimal.h - what number some digits are
 */
#ifndef HDMABUF_ASSURANCE_DECIMAL_H
#define HDMABUF_ASSURANCE_DECIMAL_H

/*@
logic integer decimal(char *at, integer octets) =
	octets <= 0 ? 0 : 10 * decimal(at, octets - 1) + at[octets - 1] - '0';
*/

#endif
