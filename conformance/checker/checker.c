/* SPDX-License-Identifier: MIT */
/*
 * checker.c - events, pairs of ends, findings, and who knew what and when
 */
#include "conformance/checker/checker_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINDING_TEXT 1024

/* ---- What was drawn at random, and may not come twice ------------------- */

struct set {
	uint8_t (*keys)[16];
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

struct checker {
	checker_found found;
	void *user;
	struct pair *pairs;
	struct set epochs;
	struct set ids;
};

static size_t hash(const uint8_t *key)
{
	uint64_t low, high;

	memcpy(&low, key, sizeof(low));
	memcpy(&high, key + sizeof(low), sizeof(high));
	low ^= high * 0x9e3779b97f4a7c15;
	return (size_t)((low ^ low >> 29) * 0xbf58476d1ce4e5b9 >> 20);
}

/* Where @key is, or is to be. A place that is all zero is free. */
static uint8_t *set_place(const struct set *set, const uint8_t *key)
{
	size_t i = hash(key) & (set->capacity - 1);

	while (!wire_is_zero(set->keys[i], 16) && memcmp(set->keys[i], key, 16))
		i = (i + 1) & (set->capacity - 1);
	return set->keys[i];
}

static bool set_grow(struct set *set)
{
	struct set wider = { .capacity = set->capacity ? set->capacity * 2 : 64,
			     .count = set->count };

	wider.keys = calloc(wider.capacity, sizeof(*wider.keys));
	if (!wider.keys)
		return false;
	for (size_t i = 0; i < set->capacity; i++)
		if (!wire_is_zero(set->keys[i], 16))
			memcpy(set_place(&wider, set->keys[i]), set->keys[i],
			       16);
	free(set->keys);
	*set = wider;
	return true;
}

/* False if it was there before; without memory, it counts as new. */
static bool set_insert(struct set *set, const uint8_t *key)
{
	uint8_t *place;

	if (wire_is_zero(key, 16) ||
	    (set->count * 4 >= set->capacity * 3 && !set_grow(set)))
		return true;
	place = set_place(set, key);
	if (!wire_is_zero(place, 16))
		return false;
	memcpy(place, key, 16);
	set->count++;
	return true;
}

bool epoch_is_new(struct pair *pair, unsigned int end, uint64_t epoch)
{
	uint8_t key[16] = { 0 };

	memcpy(key, &epoch, sizeof(epoch));
	key[8] = (uint8_t)(end + 1);
	return set_insert(&pair->checker->epochs, key);
}

bool id_is_new(struct pair *pair, const uint8_t *id)
{
	return set_insert(&pair->checker->ids, id);
}

/* ---- What is found ------------------------------------------------------ */

const char *end_name(unsigned int end)
{
	return end == HDMABUF_FRONTEND ? "frontend" : "backend";
}

const char *short_id(const uint8_t *id, char *text)
{
	snprintf(text, SHORT_ID, "%02x%02x%02x%02x", id[0], id[1], id[2],
		 id[3]);
	return text;
}

void report(struct pair *pair, enum clause clause, unsigned int offender,
	    const char *format, ...)
{
	char text[FINDING_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	pair->checker->found(pair->checker->user, clause,
			     (enum hdmabuf_role)offender, pair->link, text);
}

bool blame(struct fault *fault, enum rank rank, uint16_t status,
	   enum clause clause, const char *format, ...)
{
	va_list arguments;

	if (fault->rank <= rank)
		return false;
	*fault = (struct fault){ rank, status, clause, false, false, "" };
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	return true;
}

/* ---- Who knew what ------------------------------------------------------ */

bool must_know(const struct pair *pair, unsigned int end, uint64_t at,
	       unsigned int by)
{
	const struct end *knower = &pair->ends[end];

	if (end == pair->observer || end == by)
		return at && at <= knower->settled;
	return at && at <= knower->aware;
}

void doubt(struct pair *pair, enum clause clause, unsigned int end,
	   const struct buffer *buffer, const char *text)
{
	struct doubt *new = malloc(sizeof(*new) + strlen(text) + 1);

	if (!new)
		return;
	*new = (struct doubt){ pair->doubts, clause, end, pair->now, buffer };
	strcpy(new->text, text);
	pair->doubts = new;
}

static bool explains(const struct flight *flight, const struct doubt *doubt)
{
	if (flight->sender != doubt->end)
		return false;
	if (!doubt->buffer)
		return flight->operation == HDMABUF_OP_RELEASED;
	return flight->buffer == doubt->buffer;
}

void explain(struct pair *pair, const struct flight *flight)
{
	struct doubt **place = &pair->doubts;

	while (*place) {
		struct doubt *doubt = *place;

		if (explains(flight, doubt)) {
			*place = doubt->next;
			free(doubt);
		} else {
			place = &doubt->next;
		}
	}
}

/* All requests that @end sent before its answers up to @at are there. */
static void settle(struct pair *pair, unsigned int end, uint64_t at)
{
	struct doubt **place = &pair->doubts;

	if (at <= pair->ends[end].settled)
		return;
	pair->ends[end].settled = at;
	while (*place) {
		struct doubt *doubt = *place;

		if (doubt->end == end && doubt->at <= at) {
			*place = doubt->next;
			report(pair, doubt->clause, end, "%s", doubt->text);
			free(doubt);
		} else {
			place = &doubt->next;
		}
	}
}

/*
 * Who answers has seen what was there before the request; what it shows together with
 * the answer may have been made before.
 */
static void become_aware(const struct pair *pair, struct end *end, uint64_t at)
{
	if (end->aware_from > end->settled)
		return;
	end->aware = end->aware_next;
	end->aware_next = at;
	end->aware_from = pair->now;
}

void request_is_answered(struct pair *pair, const struct flight *flight)
{
	unsigned int answerer = other_end(flight->sender);

	if (answerer == pair->observer)
		return;
	settle(pair, answerer, flight->at);
	become_aware(pair, &pair->ends[answerer], flight->at);
}

/* ---- Pairs and sessions ------------------------------------------------- */

uint64_t page_octets(const struct pair *pair)
{
	return pair->channel.known ? (uint64_t)1 << pair->channel.page_shift :
				     0;
}

static void doubts_free(struct pair *pair)
{
	struct doubt *doubt;

	while ((doubt = pair->doubts)) {
		pair->doubts = doubt->next;
		free(doubt);
	}
}

static void end_free(struct end *end)
{
	struct wish *wish;

	while ((wish = end->wishes)) {
		end->wishes = wish->next;
		free(wish);
	}
	flights_free(end);
	timelines_free(end);
	free(end->descriptor);
	memset(end, 0, sizeof(*end));
}

/* Nothing of the session before is left; that it has begun is all that is known. */
void session_begin(struct pair *pair)
{
	doubts_free(pair);
	buffers_free(pair);
	for (unsigned int end = 0; end < ENDS; end++) {
		end_free(&pair->ends[end]);
		pair->ends[end].state = HDMABUF_SESSION_GREETING;
	}
	memset(&pair->channel, 0, sizeof(pair->channel));
	pair->over = false;
	pair->hello = HELLO_NONE;
	pair->features = 0;
}

static void pair_reset(struct pair *pair)
{
	session_begin(pair);
	records_free(pair);
}

static struct pair *pair_of(struct checker *checker,
			    const struct hdmabuf_trace_event *event)
{
	struct pair *pair = checker->pairs;

	while (pair && pair->link != event->link)
		pair = pair->next;
	if (pair)
		return pair;
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		return NULL;
	pair->checker = checker;
	pair->link = event->link;
	pair->next = checker->pairs;
	checker->pairs = pair;
	session_begin(pair);
	return pair;
}

/* ---- Events ------------------------------------------------------------- */

static void feed(struct pair *pair, const struct hdmabuf_trace_event *event)
{
	unsigned int sender = event->sender;
	bool is_message = event->length == WIRE_MESSAGE_OCTETS;

	switch (event->kind) {
	case HDMABUF_TRACE_RECORD:
		on_record(pair, sender, event->octets, event->length);
		break;
	case HDMABUF_TRACE_CHANNEL:
		on_channel(pair, event->octets, event->length);
		break;
	case HDMABUF_TRACE_REQUEST:
		if (is_message)
			on_request(pair, sender, event->octets);
		break;
	case HDMABUF_TRACE_ANSWER:
		if (is_message)
			on_answer(pair, sender, event->octets);
		break;
	case HDMABUF_TRACE_DESCRIPTOR:
		on_descriptor(pair, sender, event->octets, event->length);
		break;
	case HDMABUF_TRACE_POINT:
		if (event->length == sizeof(struct hdmabuf_trace_point))
			on_point(pair, sender, event->octets);
		break;
	case HDMABUF_TRACE_DOWN:
		pair_reset(pair);
		break;
	}
}

void checker_feed(struct checker *checker,
		  const struct hdmabuf_trace_event *event)
{
	struct pair *pair = pair_of(checker, event);

	if (!pair || pair->blind || event->sender >= ENDS ||
	    event->observer >= ENDS)
		return;
	pair->now++;
	pair->time = event->time;
	pair->observer = event->observer;
	/* Messages the observer shows together; then it looks again. */
	if (event->sender != event->observer)
		settle(pair, event->observer, pair->shown);
	else if (event->kind == HDMABUF_TRACE_REQUEST ||
		 event->kind == HDMABUF_TRACE_ANSWER)
		pair->shown = pair->now;
	feed(pair, event);
}

struct checker *checker_new(checker_found found, void *user)
{
	struct checker *checker = calloc(1, sizeof(*checker));

	if (checker) {
		checker->found = found;
		checker->user = user;
	}
	return checker;
}

void checker_free(struct checker *checker)
{
	struct pair *pair;

	if (!checker)
		return;
	while ((pair = checker->pairs)) {
		checker->pairs = pair->next;
		pair_reset(pair);
		free(pair);
	}
	free(checker->epochs.keys);
	free(checker->ids.keys);
	free(checker);
}
