/* SPDX-License-Identifier: MIT */
/* record.c - the store: records in the right form, and in any other */
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* ---- answers that a backend reads --------------------------------------- */

/*
 * A record of a frontend in which one line is another: of "%E" its epoch stands
 * there, of "%B" the backend's epoch, of "%C" the reference of its channel.
 */
static const char *const wrong_answers[] = {
	"",
	"peer-epoch=%B\nchannel=%C\n",
	"peer-epoch=%B\nepoch=%E\n",
	"channel=%C\nepoch=%E\n",
	"peer-epoch=%B\nchannel=%C\nepoch=0\n",
	"peer-epoch=%B\nchannel=%C\nepoch=\n",
	"peer-epoch=%B\nchannel=%C\nepoch=-5\n",
	"peer-epoch=%B\nchannel=%C\nepoch=+5\n",
	"peer-epoch=%B\nchannel=%C\nepoch=05\n",
	"peer-epoch=%B\nchannel=%C\nepoch= 5\n",
	"peer-epoch=%B\nchannel=%C\nepoch=5 \n",
	"peer-epoch=%B\nchannel=%C\nepoch=0x5\n",
	"peer-epoch=%B\nchannel=%C\nepoch=5a\n",
	"peer-epoch=%B\nchannel=%C\nepoch=18446744073709551616\n",
	"peer-epoch=%B\nchannel=%C\nepoch=99999999999999999999\n",
	"peer-epoch=%B\nchannel=%C\nepoch=184467440737095516150\n",
	"peer-epoch=%B\nchannel=0\nepoch=%E\n",
	"peer-epoch=%B\nchannel=0%C\nepoch=%E\n",
	"peer-epoch=0%B\nchannel=%C\nepoch=%E\n",
	"peer-epoch=%B\npeer-epoch=%B\nchannel=%C\nepoch=%E\n",
	"peer-epoch=%B\nchannel=%C\nchannel=%C\nepoch=%E\n",
	"peer-epoch=%B\nchannel=%C\nepoch=%E\nepoch=%E\n",
};

static const char *const right_answers[] = {
	"peer-epoch=%B\nchannel=%C\nepoch=%E\n",
	"epoch=%E\nchannel=%C\npeer-epoch=%B\n",
	"colour=blue\npeer-epoch=%B\nchannel=%C\nx=\nepoch=%E\nepochs=0\n",
};

static void expand(const struct end *end, const char *form, char *text,
		   size_t size)
{
	size_t used = 0;

	for (; *form && used + 24 < size; form++) {
		uint64_t number;

		if (*form != '%') {
			text[used++] = *form;
			continue;
		}
		form++;
		number = *form == 'E' ? end->epoch :
			 *form == 'B' ? end->peer_epoch :
					end->reference;
		used += (size_t)snprintf(text + used, size - used, "%" PRIu64,
					 number);
	}
	text[used] = '\0';
}

static void publish_form(struct end *end, const char *form)
{
	char text[1025];

	expand(end, form, text, sizeof(text));
	end_publish(end, text);
}

static void wrong_answers_are_absent(struct test *test)
{
	struct end *end = attempt_open(test);
	uint64_t epoch = end->peer_epoch;
	uint32_t id = end_put_hello(end);

	for (size_t i = 0; i < COUNT_OF(wrong_answers); i++) {
		publish_form(end, wrong_answers[i]);
		let_pass(test, 10);
		check(test, HDB_BOTH_004, !end_find_answer_to(end, id),
		      "the record '%s' is taken for an answer",
		      wrong_answers[i]);
	}
	end->peer_epoch = epoch;
	end_publish_answer(end);
	check(test, HDB_BOTH_004, end_await_answer_to(end, id),
	      "after wrong records, the right one is not taken notice of");
}

static void right_answers_are_taken(struct test *test)
{
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(right_answers); i++) {
		uint32_t id;

		attempt_again(end);
		id = end_put_hello(end);
		publish_form(end, right_answers[i]);
		check(test, HDB_BOTH_004, end_await_answer_to(end, id),
		      "the record '%s' is not taken for an answer",
		      right_answers[i]);
		end_abandon(end);
	}
}

/* ---- offers that a frontend reads --------------------------------------- */

/* What stands between "version-min" and "epoch", which are right. */
#define OFFER "version-min=1\nversion-max=1\nfeatures=0\n"
#define RINGS "ring-formats=1\nring-order-max=0\ntimeline-max=1\n"
#define EPOCH "epoch=%E\n"

static const char *const wrong_offers[] = {
	"",
	OFFER RINGS,
	OFFER EPOCH,
	OFFER RINGS "epoch=0\n",
	OFFER RINGS "epoch=007\n",
	OFFER RINGS EPOCH EPOCH,
	OFFER RINGS "error=0\n" EPOCH,
	OFFER RINGS "error=65536\n" EPOCH,
	OFFER RINGS "error=x\n" EPOCH,
	OFFER "ring-formats=1\nring-order-max=7\ntimeline-max=1\n" EPOCH,
	OFFER "ring-formats=1\nring-order-max=0\ntimeline-max=65\n" EPOCH,
	OFFER
	"ring-formats=18446744073709551616\nring-order-max=0\ntimeline-max=1\n" EPOCH,
	OFFER "ring-formats=1\nring-order-max=\ntimeline-max=1\n" EPOCH,
	"version-min=2\nversion-max=1\nfeatures=0\n" RINGS EPOCH,
	"version-min=1\nversion-max=4294967296\nfeatures=0\n" RINGS EPOCH,
	"version-min=-1\nversion-max=1\nfeatures=0\n" RINGS EPOCH,
	"version-min=1\nversion-max=1\nfeatures=0x1\n" RINGS EPOCH,
	"version-min=1\nversion-max=1\nfeatures=0\nfeatures=0\n" RINGS EPOCH,
	"version-max=1\nfeatures=0\n" RINGS EPOCH,
};

static const char *const right_offers[] = {
	OFFER RINGS EPOCH,
	EPOCH RINGS OFFER,
	OFFER RINGS "error=65535\n" EPOCH,
	OFFER RINGS "taste=salty\nerror=1\n" EPOCH,
	"version-min=0\nversion-max=4294967295\nfeatures=18446744073709551615\nring-formats=18446744073709551615\nring-order-max=6\ntimeline-max=64\n" EPOCH,
	"version-min=1\nversion-max=1\nfeatures=0\nring-formats=1\nring-order-max=0\ntimeline-max=0\n" EPOCH,
};

static void wrong_offers_are_absent(struct test *test)
{
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(wrong_offers); i++) {
		end_new_epoch(end);
		publish_form(end, wrong_offers[i]);
		let_pass(test, 10);
		check(test, HDB_BOTH_004, !end_has_answer(end),
		      "the record '%s' is taken for an offer", wrong_offers[i]);
	}
	end_publish_offer(end);
	check(test, HDB_BOTH_004, end_await_answer(end),
	      "after wrong records, the right one is not answered");
}

static void right_offers_are_taken(struct test *test)
{
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(right_offers); i++) {
		end_new_epoch(end);
		publish_form(end, right_offers[i]);
		check(test, HDB_BOTH_004, end_await_answer(end),
		      "the record '%s' is not taken for an offer",
		      right_offers[i]);
	}
}

/* ---- changes ------------------------------------------------------------ */

static void changes_are_seen(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t epoch = end->peer_epoch;

	if (end->role == HDMABUF_BACKEND) {
		comment(test, "the offer has another epoch now");
		end_publish_offer(end);
		check(test, HDB_BOTH_016, end_await_answer(end),
		      "the offer has another epoch, and the session goes on");
		check(test, HDB_PLAT_011, end->peer_epoch != epoch,
		      "the answer to another offer has the epoch of the last");
		return;
	}
	comment(test, "the answer has another epoch now");
	end_new_epoch(end);
	end_publish_answer(end);
	check(test, HDB_BOTH_016, await_record_change(end, epoch),
	      "the answer has another epoch, and the backend's offer stays");
	check(test, HDB_PLAT_011, end_await_offer(end),
	      "a change of the record leads to no new offer");
}

static void absence_ends_the_session(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t epoch = end->peer_epoch;

	end_withdraw(end);
	check(test, HDB_BOTH_016, await_record_change(end, epoch),
	      "the record is withdrawn, and the IUT's own stays as it is");
	end_abandon(end);
	check(test, HDB_BOTH_029, end_try_greet(end) && end_sanity(end),
	      "no new session can be had");
}

static void death_is_seen(struct test *test)
{
	struct end *end = test_connect(test);
	char text[1025];

	test_iut_kill(test, SIGKILL);
	for (uint64_t deadline = test_deadline(test);
	     !end->down && test_wait(test, deadline);)
		;
	check(test, HDB_PLAT_012, end->down && !*end_record(end, text),
	      "the IUT is dead, and its record is still there");
	if (end->role == HDMABUF_FRONTEND)
		end_abandon(end);
	test_start_iut(test);
	if (!end_try_greet(end) || !end_sanity(end))
		inconclusive(test, "an IUT that is started anew does not come");
}

/* Its answer to CLOSE lies in the ring; then the other end is gone. */
static void messages_before_the_end_are_taken(struct test *test)
{
	struct end *end = test_connect(test);
	struct received *request;
	const char *status;

	end->serves = false;
	control(test, "close");
	request = end_await_request(end, HDMABUF_OP_CLOSE);
	if (!request)
		inconclusive(test, "the IUT sends no CLOSE");
	end_serve_quietly(end, request);
	end_withdraw(end);
	status = event_await(test, "disconnected");
	if (!status)
		inconclusive(test, "the IUT does not tell of the end");
	check(test, HDB_BOTH_016, !strcmp(status, "0"),
	      "CLOSE was answered before the record went, and the session ended with status %s",
	      status);
	end->serves = true;
	end_abandon(end);
}

static const struct test_case cases[] = {
	TEST(wrong_answers_are_absent,
	     "A frontend's record that is wrong is as good as none", OF_BACKEND,
	     0, HDB_BOTH_004),
	TEST(right_answers_are_taken,
	     "Keys come in any order, and unknown ones are passed over",
	     OF_BACKEND, 0, HDB_BOTH_004),
	TEST(wrong_offers_are_absent,
	     "A backend's record that is wrong is as good as none", OF_FRONTEND,
	     0, HDB_BOTH_004),
	TEST(right_offers_are_taken,
	     "Keys come in any order, unknown ones are passed over, and all that is allowed is taken",
	     OF_FRONTEND, 0, HDB_BOTH_004),
	TEST(changes_are_seen, "Another epoch in the record ends the session",
	     OF_BOTH, 0, HDB_BOTH_016, HDB_PLAT_011),
	TEST(absence_ends_the_session,
	     "A record that is withdrawn ends the session", OF_BOTH, 0,
	     HDB_BOTH_016, HDB_BOTH_029),
	TEST(death_is_seen, "With a peer's death its record goes", OF_BOTH, 0,
	     HDB_PLAT_012),
	TEST(messages_before_the_end_are_taken,
	     "Messages that are in the ring when the other end goes are taken first",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_016),
};

TEST_GROUP(record, cases);
