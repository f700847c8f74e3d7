/* SPDX-License-Identifier: MIT */
/*
 * Records of the store: text of any content
 *
 * wp: cut is_printable is_named read_number read_value read_line is_complete
 * wp: read_record hdmabuf_offer_read hdmabuf_reply_read
 * fault LINE_WITHOUT_END lib/core/channel.c s/while (octets < text->octets \&\&/while (octets <= text->octets \&\&/
 * fault ANY_VALUE lib/core/channel.c s/ || number > key->most//
 * fault NUMBER_WRAPS lib/core/channel.c s/digit > MAX64 % 10/0/
 */
#define HDMABUF_CORE_OCTETS_H
#include "assurance/proof/decimal.h"
#include "assurance/proof/proof.h"

#include <hdmabuf/channel.h>

/* Here, it is names that are compared. */
/*@ requires \valid_read(a + (0 .. octets - 1));
    requires \valid_read(b + (0 .. octets - 1));
    assigns \nothing; */
bool octets_equal(const char *a, const char *b, size_t octets);

/* Of the channel page, to which this is not about. */
bool octets_are_zero(const void *at, size_t octets);
void octets_clear(void *at, size_t octets);

#include "lib/core/channel.c"

/* The structures are those of the file: contracts come after it. */

/*@
predicate is_text(struct text text) =
	\valid_read(text.at + (0 .. text.octets - 1));

predicate is_record(struct record *r) =
	\valid(r) && r->count <= 8 &&
	\valid_read(r->keys + (0 .. r->count - 1)) &&
	\valid(r->values + (0 .. r->count - 1)) &&
	\separated(r, r->keys + (0 .. r->count - 1),
		   r->values + (0 .. r->count - 1));

predicate in_range(struct key *keys, uint64_t *values, integer count) =
	\forall integer i; 0 <= i < count ==> values[i] == 0 ||
		keys[i].least <= values[i] <= keys[i].most;
*/

/*@ requires \valid(text) && \valid(front) && \separated(text, front);
    requires is_text(*text);
    assigns *text, *front;
    ensures is_text(*text);
    ensures \result ==> is_text(*front) &&
	front->at == \old(text->at) &&
	text->octets + 1 + front->octets == \old(text->octets); */
static bool cut(struct text *text, char mark, struct text *front);

/*@ requires is_text(text);
    assigns \nothing; */
static bool is_printable(struct text text);

/*@ requires \valid_read(key) && is_text(name);
    assigns \nothing; */
static bool is_named(const struct key *key, struct text name);

/*@ requires is_text(text) && \valid(number);
    assigns *number;
    ensures \result ==> *number == decimal(text.at, text.octets); */
static bool read_number(struct text text, uint64_t *number);

/*@ requires is_record(record) && index < record->count && is_text(value);
    requires in_range(record->keys, record->values, record->count);
    assigns record->found, record->values[0 .. record->count - 1];
    ensures in_range(record->keys, record->values, record->count); */
static bool read_value(struct record *record, unsigned int index,
		       struct text value);

/*@ requires is_record(record) && is_text(line);
    requires in_range(record->keys, record->values, record->count);
    assigns record->found, record->values[0 .. record->count - 1];
    ensures in_range(record->keys, record->values, record->count); */
static bool read_line(struct record *record, struct text line);

/*@ requires is_record(record);
    assigns \nothing; */
static bool is_complete(const struct record *record);

/*@ requires is_text(text) && count <= 8;
    requires \valid_read(keys + (0 .. count - 1)) &&
	\valid(values + (0 .. count - 1)) &&
	\separated(keys + (0 .. count - 1), values + (0 .. count - 1));
    requires in_range(keys, values, count);
    assigns values[0 .. count - 1];
    ensures in_range(keys, values, count); */
static bool read_record(struct text text, const struct key *keys,
			unsigned int count, uint64_t *values);

/*@ requires \valid_read(text + (0 .. octets - 1)) && \valid(offer);
    assigns *offer;
    ensures \result ==> offer->version_min <= offer->version_max &&
	offer->ring_order_max <= HDMABUF_RING_ORDER_MAX &&
	offer->timeline_max <= HDMABUF_TIMELINE_PAGES_MAX; */
bool hdmabuf_offer_read(const char *text, size_t octets,
			struct hdmabuf_offer *offer);

/*@ requires \valid_read(text + (0 .. octets - 1)) && \valid(reply);
    assigns *reply; */
bool hdmabuf_reply_read(const char *text, size_t octets,
			struct hdmabuf_reply *reply);
