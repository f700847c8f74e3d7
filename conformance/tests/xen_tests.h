/* SPDX-License-Identifier: MIT */
/* xen_tests.h - tests of the binding "xen", by the chapters of its header */
#ifndef CONFORMANCE_TESTS_XEN_TESTS_H
#define CONFORMANCE_TESTS_XEN_TESTS_H

#include "conformance/test.h"

/* Devices and records, see xen_records.c. */
void own_directory_counts(struct test *test);
void directory_of_the_suite_goes(struct test *test);
void directory_of_the_iut_goes(struct test *test);
void published_at_once(struct test *test);
void many_nodes(struct test *test);
void values_without_form(struct test *test);
void states_mean_nothing(struct test *test);
void stale_record(struct test *test);
void remains_of_who_died(struct test *test);
void values_that_change(struct test *test);

/* The link, see xen_link.c. */
void link_page_is_in_order(struct test *test);
void marks_as_asked_for(struct test *test);
void link_numbers_are_random(struct test *test);
void answers_to_others(struct test *test);
void wrong_link_pages(struct test *test);
void nothing_before_attaching(struct test *test);
void constants_are_copied(struct test *test);
void leaving_is_an_end(struct test *test);
void gone_when_it_died(struct test *test);
void gone_in_good_order(struct test *test);
void gone_comes_last(struct test *test);
void notifications_come_through(struct test *test);
void notifications_without_end(struct test *test);

/* Marks and references, see xen_marks.c. */
void channel_is_marked(struct test *test);
void buffers_are_marked(struct test *test);
void old_marks_are_cleared(struct test *test);
void cleared_marks_are_told(struct test *test);
void marked_is_in_use(struct test *test);
void records_are_no_domains(struct test *test);
void read_only_is_granted_so(struct test *test);
void references_of_another_domain(struct test *test);

#endif
