/* SPDX-License-Identifier: MIT */
/* The link page: what a backend refuses, marks, and who waits for them. */
#define _GNU_SOURCE
#include "xen_ends.h"

/* A frontend that has answered, and a backend that has not looked yet. */
static struct hdmabuf_xen_link *open_unattached(struct end *frontend,
						struct end *backend)
{
	xen_open_pair(frontend, backend);
	end_turn(backend);
	suite_offer(backend, 1);
	ends_settle(frontend, NULL);
	suite_answer(frontend, 1, 1);
	return end_link(frontend)->page.page;
}

/* ---- attaching ---------------------------------------------------------- */

static void make_page(void **state)
{
	const uint32_t pages = 2 * XEN_USE_PAGES;
	struct end frontend, backend;
	const struct hdmabuf_xen_link *page;
	uint32_t i;

	(void)state;
	page = open_unattached(&frontend, &backend);
	assert_int_equal(hdmabuf_get_le32(page->magic), HDMABUF_XEN_LINK_MAGIC);
	assert_int_equal(hdmabuf_get_le32(page->version), 1);
	assert_int_equal(hdmabuf_get_le64(page->link),
			 end_link(&frontend)->page.number);
	assert_int_equal(hdmabuf_get_le32(page->frontend_use_pages),
			 XEN_USE_PAGES);
	assert_int_equal(hdmabuf_get_le32(page->backend_use_pages),
			 XEN_USE_PAGES);
	assert_int_equal(page->frontend.here, HDMABUF_XEN_HERE);
	assert_int_equal(page->backend.here, HDMABUF_XEN_GONE);
	for (i = 0; i < 2 * HDMABUF_XEN_USE_PAGES_MAX; i++)
		assert_true((page->reference[i] != 0) == (i < pages));
	ends_settle(&backend, NULL);
	assert_int_equal(page->backend.here, HDMABUF_XEN_HERE);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

static void set_pages(struct hdmabuf_xen_link *page, uint32_t frontend,
		      uint32_t backend)
{
	page->frontend_use_pages = hdmabuf_put_le32(frontend);
	page->backend_use_pages = hdmabuf_put_le32(backend);
}

static void spoil(struct hdmabuf_xen_link *page, int how)
{
	switch (how) {
	case 0:
		page->magic++;
		break;
	case 1:
		page->version++;
		break;
	case 2:
		page->link++;
		break;
	case 3:
		set_pages(page, 0, XEN_USE_PAGES);
		break;
	case 4:
		set_pages(page, 33, XEN_USE_PAGES);
		break;
	case 5:
		set_pages(page, UINT32_MAX, XEN_USE_PAGES);
		break;
	case 6:
		set_pages(page, XEN_USE_PAGES, XEN_USE_PAGES + 1);
		break;
	case 7:
		page->zero[39] = 1;
		break;
	case 8:
		page->reference[3] = 0;
		break;
	case 9:
		page->reference[63] = 1;
		break;
	case 10:
		page->reference[0] = hdmabuf_put_le32(54321);
		break;
	case 11:
		page->frontend.here = HDMABUF_XEN_LEAVING;
		break;
	}
}

/* HDB-XEN-016: told once, looked at again, and attached to when it is mended. */
static void refuses_pages(void **state)
{
	static const char *const says[] = {
		"magic",     "version", "number",     "pages of marks",
		"pages of",  "pages",	"pages",      "zero",
		"reference", "zero",	"cannot att", "",
	};
	struct hdmabuf_xen_link *page, good;
	struct end frontend, backend;
	int i;

	(void)state;
	for (i = 0; i < 12; i++) {
		page = open_unattached(&frontend, &backend);
		good = *page;
		spoil(page, i);
		ends_settle(&backend, NULL);
		ends_until(&backend, NULL,
			   end_link(&backend)->device->attach_ms >
				   2 * XEN_RETRY_MIN_MS);
		assert_false(end_link(&backend)->attached);
		assert_int_equal(suite_answered(&backend), 0);
		assert_int_equal(backend.lines, *says[i] ? 1 : 0);
		if (!strstr(backend.log, says[i]))
			fail_msg("'%s' does not say '%s'", backend.log,
				 says[i]);
		assert_int_equal(fake_xen_count().mappings, 0);
		*page = good;
		ends_until(&frontend, &backend, suite_answered(&backend) == 1);
		share_and_map(&xen_kind, &frontend, &backend);
		ends_close(&frontend, &backend);
		fake_xen_stop();
	}
}

/* HDB-XEN-015 */
static void leaves_other_answers_alone(void **state)
{
	struct end frontend, backend;
	size_t maps, binds;

	(void)state;
	open_unattached(&frontend, &backend);
	suite_answer(&frontend, 1, 2);
	maps = fake_xen_calls("xengnttab_map_grant_ref_notify");
	binds = fake_xen_calls("xenevtchn_bind_interdomain");
	ends_settle(&backend, NULL);
	assert_int_equal(fake_xen_calls("xengnttab_map_grant_ref_notify"),
			 maps);
	assert_int_equal(fake_xen_calls("xenevtchn_bind_interdomain"), binds);
	assert_int_equal(suite_answered(&backend), 0);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* HDB-XEN-020: whatever it says that is not HERE. */
static void believes_that_it_is_over(void **state)
{
	static const uint8_t values[] = { HDMABUF_XEN_GONE, HDMABUF_XEN_LEAVING,
					  3, 255 };
	struct end frontend, backend;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values); i++) {
		xen_pair(&frontend, &backend);
		end_link(&frontend)->page.page->backend.here = values[i];
		end_turn(&frontend);
		assert_int_equal(frontend.peers[0].downs, 1);
		end_turn(&backend);
		assert_int_equal(backend.peers[0].downs, 1);
		ends_close(&frontend, &backend);
		fake_xen_stop();
	}
}

/* ---- marks -------------------------------------------------------------- */

static unsigned int marked(const struct end *end)
{
	const struct xen_page *page = &end->peers[0].link->page;
	unsigned int count = 0;
	uint32_t i;

	for (i = 0; i < page->own_count / 8; i++)
		count += (unsigned int)__builtin_popcount(page->own_marks[i]);
	return count;
}

static void marks_what_is_mapped(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared all, some;
	void *first, *second, *third;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 10, READ_WRITE);
	all = suite_share(&frontend, &memory, 0, 10, READ_WRITE);
	some = suite_share(&frontend, &memory, 8, 2, READ_WRITE);
	assert_int_equal(marked(&frontend), 0);
	first = suite_map(&backend, &all, READ_ONLY);
	assert_int_equal(marked(&frontend), 10);
	second = suite_map(&backend, &some, READ_ONLY);
	third = suite_map(&backend, &some, READ_ONLY);
	suite_unmap(&backend, third, 2);
	suite_unmap(&backend, first, 10);
	assert_int_equal(marked(&frontend), 2);
	assert_int_equal(suite_revoke(&frontend, &all), -EBUSY);
	assert_int_equal(suite_revoke(&frontend, &some), -EBUSY);
	suite_unmap(&backend, second, 2);
	assert_int_equal(marked(&frontend), 0);
	assert_int_equal(suite_revoke(&frontend, &all), 0);
	assert_int_equal(suite_revoke(&frontend, &some), 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

static void unmarks_what_cannot_be_mapped(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared shared;
	struct hdmabuf_run runs[2] = { { 0, 0 }, { 999, 1 } };

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 1, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 1, READ_WRITE);
	runs[0] = shared.runs[0];
	end_map_fails(&backend, runs, 2, READ_WRITE, 1);
	assert_int_equal(marked(&frontend), 0);
	assert_int_equal(suite_revoke(&frontend, &shared), 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* More references than marks: one may stand for another, for safety's sake. */
static void shares_marks(void **state)
{
	struct end frontend, backend;
	uint32_t reference, same;
	struct hdmabuf_run run;

	(void)state;
	xen_pair(&frontend, &backend);
	reference = 100;
	same = reference + end_link(&backend)->page.peer_count;
	run = (struct hdmabuf_run){ reference, 1 };
	xen_page_mark(&end_link(&backend)->page, &reference, 1);
	xen_page_mark(&end_link(&backend)->page, &same, 1);
	xen_page_clear(&end_link(&backend)->page, &reference, 1);
	assert_true(xen_page_in_use(&end_link(&frontend)->page, &run));
	xen_page_clear(&end_link(&backend)->page, &same, 1);
	assert_false(xen_page_in_use(&end_link(&frontend)->page, &run));
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* HDB-XEN-023: only who waits is notified. */
static void notifies_who_waits(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared shared;
	size_t notices;
	void *seen;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&backend, &memory, 1, READ_WRITE);
	shared = suite_share(&backend, &memory, 0, 1, READ_WRITE);
	seen = suite_map(&frontend, &shared, READ_WRITE);
	notices = fake_xen_calls("xenevtchn_notify");
	suite_unmap(&frontend, seen, 1);
	assert_int_equal(fake_xen_calls("xenevtchn_notify"), notices);

	seen = suite_map(&frontend, &shared, READ_WRITE);
	assert_int_equal(suite_revoke(&backend, &shared), -EBUSY);
	suite_unmap(&frontend, seen, 1);
	assert_int_equal(fake_xen_calls("xenevtchn_notify"), notices + 1);
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_revoke(&backend, &shared), 0);

	shared = suite_share(&backend, &memory, 0, 1, READ_WRITE);
	seen = suite_map(&frontend, &shared, READ_WRITE);
	suite_unmap(&frontend, seen, 1);
	assert_int_equal(fake_xen_calls("xenevtchn_notify"), notices + 1);
	assert_int_equal(suite_revoke(&backend, &shared), 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* A peer that keeps its marks keeps the buffer in quarantine, and nothing else. */
static void bears_a_liar(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared shared;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 1, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 1, READ_WRITE);
	memset(end_link(&backend)->page.peer_marks, 0xff,
	       end_link(&backend)->page.peer_count / 8);
	end_link(&backend)->page.page->backend.waits = UINT32_MAX;
	assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);
	end_close(&backend);
	ends_settle(&frontend, NULL);
	assert_int_equal(suite_revoke(&frontend, &shared), 0);
	hdmabuf_memory_free(&memory);
	end_close(&frontend);
	fake_xen_stop();
}

struct liar {
	struct end frontend;
	struct end backend;
	struct hdmabuf_memory memories[XEN_OVER_MAX + 1];
	int count;
	uint64_t epoch;
};

static struct peer *living(struct end *end)
{
	struct peer *peer = end->ups ? end_last(end) : NULL;

	return peer && peer->link && !peer->downs ? peer : NULL;
}

/* Makes a link, is given something, has it all mapped, it says, and leaves. */
static void lie(struct liar *liar)
{
	struct peer *front, *back;

	ends_wait(&liar->frontend, &liar->backend);
	front = living(&liar->frontend);
	back = living(&liar->backend);
	if (back && !back->link->own_epoch)
		suite_offer(&liar->backend, ++liar->epoch);
	if (front && !front->link->own_epoch)
		suite_answer(&liar->frontend, ++liar->epoch,
			     suite_offered(&liar->frontend));
	if (!front || !back || !front->link->attached || !back->link->attached)
		return;
	assert_in_range(liar->count, 0, XEN_OVER_MAX);
	xen_memory(&liar->backend, &liar->memories[liar->count++], 1,
		   READ_ONLY);
	suite_share(&liar->backend, &liar->memories[liar->count - 1], 0, 1,
		    READ_ONLY);
	memset(front->link->page.peer_marks, 0xff,
	       front->link->page.peer_count / 8);
	front->link->page.page->frontend.here = HDMABUF_XEN_LEAVING;
}

/* Of a peer that lets go of nothing there are no more than so many links. */
static void bounds_what_a_liar_keeps(void **state)
{
	struct liar *liar = calloc(1, sizeof(*liar));
	uint64_t end = ends_now_ms() + 8000;

	(void)state;
	assert_non_null(liar);
	xen_open_pair(&liar->frontend, &liar->backend);
	liar->frontend.on_down = peer_free_link;
	while (liar->count < XEN_OVER_MAX && ends_now_ms() < end)
		lie(liar);
	end = ends_now_ms() + 3 * XEN_RETRY_MAX_MS / 2;
	while (ends_now_ms() < end)
		lie(liar);
	assert_int_equal(liar->count, XEN_OVER_MAX);
	ends_close(&liar->frontend, &liar->backend);
	while (liar->count)
		hdmabuf_memory_free(&liar->memories[--liar->count]);
	fake_xen_stop();
	free(liar);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(make_page),
	cmocka_unit_test(refuses_pages),
	cmocka_unit_test(leaves_other_answers_alone),
	cmocka_unit_test(believes_that_it_is_over),
	cmocka_unit_test(marks_what_is_mapped),
	cmocka_unit_test(unmarks_what_cannot_be_mapped),
	cmocka_unit_test(shares_marks),
	cmocka_unit_test(notifies_who_waits),
	cmocka_unit_test(bears_a_liar),
	cmocka_unit_test(bounds_what_a_liar_keeps),
};

int main(void)
{
	return hdmabuf_test_run("xen-page", tests,
				sizeof(tests) / sizeof(tests[0]));
}
