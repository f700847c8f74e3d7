/* SPDX-License-Identifier: MIT */
/*
 * pages.h - page sizes, and what is taken for granted of shifted numbers
 */
#ifndef HDMABUF_ASSURANCE_PAGES_H
#define HDMABUF_ASSURANCE_PAGES_H

/*@
logic integer page_octets(integer shift) =
	shift == 12 ? 4096 : shift == 13 ? 8192 : shift == 14 ? 16384 :
	shift == 15 ? 32768 : 65536;

predicate is_shift(integer shift) =
	shift == 12 || shift == 13 || shift == 14 || shift == 15 || shift == 16;

// The provers do not calculate with bits, and see operands in the order of their
// names: there is an axiom for either.
axiomatic Pages {
	axiom page_octets_of: \forall integer shift; is_shift(shift) ==>
		(1 << shift) == page_octets(shift);
	axiom within_page: \forall integer shift, number; is_shift(shift) &&
		0 <= number < page_octets(shift) ==> (number >> shift) == 0;
	axiom split: \forall integer number, bits, divisor;
		number > divisor && 1 <= bits <= 16 &&
		divisor == (1 << bits) - 1 ==>
		0 <= (number >> bits) && 0 <= (number & divisor) &&
		(number >> bits) + (number & divisor) < number;
	axiom split_as_well: \forall integer dividend, bits, divisor;
		dividend > divisor && 1 <= bits <= 16 &&
		divisor == (1 << bits) - 1 ==>
		0 <= (dividend >> bits) && 0 <= (dividend & divisor) &&
		(dividend >> bits) + (dividend & divisor) < dividend;
	axiom divisor: \forall integer bits; 1 <= bits <= 16 ==>
		2 <= (1 << bits) <= 65536;
}
*/

#endif
