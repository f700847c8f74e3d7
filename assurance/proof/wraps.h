/* SPDX-License-Identifier: MIT */
/*
 * wraps.h - what is taken for granted of numbers that do not fit into their type
 */
#ifndef HDMABUF_ASSURANCE_WRAPS_H
#define HDMABUF_ASSURANCE_WRAPS_H

/*@
// All that the provers know of a conversion is that it leaves alone what fits.
axiomatic Wraps {
	axiom negative_32: \forall integer number;
		-0x100000000 <= number < 0 ==>
		(uint32_t)number == number + 0x100000000;
	axiom too_great_32: \forall integer number;
		0x100000000 <= number < 0x200000000 ==>
		(uint32_t)number == number - 0x100000000;
	axiom too_great_64: \forall integer number;
		0x10000000000000000 <= number < 0x20000000000000000 ==>
		(uint64_t)number == number - 0x10000000000000000;
}
*/

#endif
