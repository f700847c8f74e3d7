/* SPDX-License-Identifier: MIT */
/* xen.c - the tests of the binding "xen", also where they cannot be run */
#include "conformance/tests/tests.h"
#include "conformance/tests/xen_tests.h"

#ifdef HDMABUF_HAVE_XEN
#define RUN_XEN(function) function
#else
#define RUN_XEN(function) cannot_run

static void cannot_run(struct test *test)
{
	skip(test, "the suite was built without Xen's libraries");
}
#endif

#define BY_CONTROL (OPTION_IMPORT | OPTION_CONTROL)
#define TOLD	   (OPTION_CONTROL | OPTION_EVENTS)

static const struct test_case cases[] = {
	TEST_XEN(own_directory_counts,
		 "What a frontend says of its domain is not believed",
		 OF_BACKEND, 0, HDB_XEN_002),
	TEST_XEN(
		directory_of_the_suite_goes,
		"The other end has gone when the toolstack removes its directory",
		OF_BOTH, 0, HDB_XEN_003),
	TEST_XEN(
		directory_of_the_iut_goes,
		"The other end has gone when the toolstack removes one's own directory",
		OF_BOTH, 0, HDB_XEN_003),
	TEST_XEN(published_at_once, "A record is published in one transaction",
		 OF_BOTH, 0, HDB_XEN_004),
	TEST_XEN(many_nodes,
		 "A directory may have more nodes than a reader knows", OF_BOTH,
		 0, HDB_XEN_005),
	TEST_XEN(values_without_form,
		 "A record with a value too long or not printable is absent",
		 OF_BOTH, 0, HDB_XEN_006),
	TEST_XEN(states_mean_nothing, "No session hangs on a state", OF_BOTH, 0,
		 HDB_XEN_007),
	TEST_XEN(stale_record,
		 "The record of an end that has gone is absent until it changes",
		 OF_BOTH, 0, HDB_XEN_008),
	TEST_XEN(remains_of_who_died,
		 "An end that starts removes what an earlier one has left",
		 OF_BOTH, 0, HDB_XEN_009),
	TEST_XEN(values_that_change,
		 "Values that change all the time do no harm", OF_BOTH, 0,
		 HDB_BOTH_063),
	TEST_XEN(link_page_is_in_order,
		 "The link page and the marks are complete when they are named",
		 OF_FRONTEND, 0, HDB_XEN_013),
	TEST_XEN(marks_as_asked_for,
		 "There are as many pages of marks as the backend asks for",
		 OF_FRONTEND, 0, HDB_XEN_022),
	TEST_XEN(link_numbers_are_random, "Numbers of links are random",
		 OF_FRONTEND, 0, HDB_XEN_014),
	TEST_XEN(answers_to_others,
		 "Nothing is attached to that answers another offer",
		 OF_BACKEND, 0, HDB_XEN_015),
	TEST_XEN(wrong_link_pages, "A wrong link page is not attached to",
		 OF_BACKEND, 0, HDB_XEN_016),
	TEST_XEN(nothing_before_attaching,
		 "Nothing is mapped before the link is attached to", OF_BACKEND,
		 0, HDB_XEN_017),
	TEST_XEN(constants_are_copied,
		 "What is constant in a link page is read once", OF_BACKEND, 0,
		 HDB_XEN_016),
	TEST_XEN(leaving_is_an_end, "An end that is leaving has gone", OF_BOTH,
		 0, HDB_XEN_020),
	TEST_XEN(gone_when_it_died, "An end that is killed is GONE, and tells",
		 OF_BOTH, 0, HDB_XEN_018),
	TEST_XEN(gone_in_good_order,
		 "An end that ends in good order is GONE, and tells", OF_BOTH,
		 0, HDB_XEN_018),
	TEST_XEN(gone_comes_last,
		 "An end is not GONE as long as it has something mapped",
		 OF_BOTH, BY_CONTROL, HDB_XEN_019),
	TEST_XEN(notifications_come_through, "No notification is lost", OF_BOTH,
		 0, HDB_XEN_027),
	TEST_XEN(notifications_without_end,
		 "Notifications without end do no harm", OF_BOTH, 0,
		 HDB_BOTH_063),
	TEST_XEN(channel_is_marked,
		 "A channel is marked for as long as it is mapped", OF_BACKEND,
		 0, HDB_XEN_021),
	TEST_XEN(buffers_are_marked,
		 "A buffer is marked for as long as it is mapped", OF_BOTH,
		 BY_CONTROL, HDB_XEN_021),
	TEST_XEN(old_marks_are_cleared,
		 "Marks that are there already are cleared", OF_BACKEND, 0,
		 HDB_XEN_031),
	TEST_XEN(cleared_marks_are_told,
		 "Who waits for a mark is told that it was cleared", OF_BOTH,
		 BY_CONTROL, HDB_XEN_023),
	TEST_XEN(marked_is_in_use, "What is marked is in use", OF_BOTH, TOLD,
		 HDB_XEN_024),
	TEST_XEN(records_are_no_domains,
		 "A domain is not gone because its record is", OF_BOTH, TOLD,
		 HDB_XEN_028),
	TEST_XEN(read_only_is_granted_so,
		 "What is shared read-only cannot be mapped to be written",
		 OF_BOTH, OPTION_CONTROL, HDB_XEN_011),
	TEST_XEN(references_of_another_domain,
		 "References that were made for another domain are refused",
		 OF_BOTH, OPTION_IMPORT, HDB_PLAT_002),
};

TEST_GROUP(xen, cases);
