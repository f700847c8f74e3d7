/* SPDX-License-Identifier: MIT */
/* The platform that fails when it is told to. */
#define _GNU_SOURCE
#include "local_ends.h"

/* Which function fails, with what, and how often each was asked for. */
struct script {
	const char *name;
	int error;
	int asked;
	int failed;
};

static int fails(void *user, const char *name)
{
	struct script *script = user;

	script->asked++;
	if (!script->name || strcmp(script->name, name))
		return 0;
	script->failed++;
	return script->error;
}

static void open_ends(struct end *frontend, struct end *backend,
		      struct script *script)
{
	struct hdmabuf_platform inner;

	memset(frontend, 0, sizeof(*frontend));
	memset(backend, 0, sizeof(*backend));
	memset(script, 0, sizeof(*script));
	assert_int_equal(hdmabuf_local_pair(&inner, &backend->platform), 0);
	assert_int_equal(hdmabuf_fault_platform(inner, fails, script,
						&frontend->platform),
			 0);
	frontend->ops = frontend->platform.ops;
	backend->ops = backend->platform.ops;
	ends_settle(frontend, backend);
	assert_int_equal(frontend->ups, 1);
}

static void fail_next(struct script *script, const char *name, int error)
{
	script->name = name;
	script->error = error;
	script->failed = 0;
}

static void passes_everything_on(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run, theirs;
	struct script script;
	char text[64];
	uint8_t *seen;

	(void)state;
	open_ends(&frontend, &backend, &script);
	assert_string_equal(frontend.ops->name, "local");
	assert_int_equal(frontend.ops->page_shift, backend.ops->page_shift);
	assert_int_equal(frontend.ops->reference_max, UINT32_MAX);
	assert_true(frontend.ops->contiguous);
	frontend.ops->peer(end_link(&frontend), text, sizeof(text));
	assert_non_null(strstr(text, "pid "));

	assert_int_equal(frontend.ops->alloc(end_link(&frontend), PAGE,
					     READ_WRITE, &memory),
			 0);
	run = end_share(&frontend, &memory, 0, 1, READ_WRITE);
	theirs = end_share(&backend, &memory, 0, 1, READ_WRITE);
	seen = end_map(&frontend, &theirs, 1, READ_WRITE);
	*seen = 5;
	assert_int_equal(*(uint8_t *)memory.address, 5);
	assert_int_equal(frontend.ops->unmap(end_link(&frontend), seen, 1), 0);
	end_publish(&frontend, "epoch=1\n");
	end_publish(&backend, "epoch=2\n");
	assert_int_equal(frontend.ops->notify(end_link(&frontend)), 0);
	assert_int_equal(backend.ops->notify(end_link(&backend)), 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.ops->record(end_link(&frontend), text,
					      sizeof(text)),
			 8);
	assert_memory_equal(text, "epoch=2\n", 8);
	assert_int_equal(frontend.peers[0].records, 1);
	assert_int_equal(frontend.peers[0].notified, 1);
	assert_int_equal(backend.peers[0].notified, 1);
	ends_give_back(&frontend, &backend, &run);
	backend.ops->disconnect(end_link(&backend));
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.peers[0].downs, 1);
	frontend.ops->disconnect(end_link(&frontend));
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* What fails has not happened. */
static void fails_when_told(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run, theirs;
	struct script script;
	struct hdmabuf_link *link;
	char text[64];
	size_t count;
	void *seen;

	(void)state;
	open_ends(&frontend, &backend, &script);
	link = end_link(&frontend);
	memory_new(&memory, 1);
	theirs = end_share(&backend, &memory, 0, 1, READ_WRITE);
	end_publish(&backend, "epoch=2\n");
	ends_settle(&frontend, &backend);

	fail_next(&script, "publish", -EIO);
	assert_int_equal(frontend.ops->publish(link, "x=1\n", 4), -EIO);
	fail_next(&script, "notify", -EPIPE);
	assert_int_equal(frontend.ops->notify(link), -EPIPE);
	fail_next(&script, "record", -EIO);
	assert_int_equal(frontend.ops->record(link, text, sizeof(text)), 0);
	fail_next(&script, "alloc", -ENOMEM);
	assert_int_equal(frontend.ops->alloc(link, PAGE, READ_WRITE,
					     &(struct hdmabuf_memory){ 0 }),
			 -ENOMEM);
	fail_next(&script, "share", -ENOSPC);
	assert_int_equal(frontend.ops->share(link, &memory, 0, 1, READ_WRITE,
					     &run, 1, &count),
			 -ENOSPC);
	fail_next(&script, "map", -EINVAL);
	assert_int_equal(end_map_fails(&frontend, &theirs, 1, READ_WRITE, 0),
			 -EINVAL);
	ends_settle(&frontend, &backend);
	assert_int_equal(script.failed, 1);
	assert_int_equal(backend.peers[0].records, 0);
	assert_int_equal(backend.peers[0].notified, 0);

	script.name = NULL;
	run = end_share(&frontend, &memory, 0, 1, READ_WRITE);
	seen = end_map(&frontend, &theirs, 1, READ_WRITE);
	fail_next(&script, "unmap", -EINVAL);
	assert_int_equal(frontend.ops->unmap(link, seen, 1), -EINVAL);
	fail_next(&script, "revoke", -EBUSY);
	assert_int_equal(end_revoke(&frontend, &run), -EBUSY);
	ends_settle(&frontend, &backend);
	assert_int_equal(end_revoke(&frontend, &run), -EBUSY);
	fail_next(&script, "dispatch", -EIO);
	assert_int_equal(frontend.ops->dispatch(frontend.platform.endpoint,
						&end_events, &frontend),
			 -EIO);
	fail_next(&script, "fd", -EBADF);
	assert_int_equal(frontend.ops->fd(frontend.platform.endpoint), -EBADF);
	script.name = NULL;
	assert_int_equal(frontend.ops->unmap(link, seen, 1), 0);
	ends_give_back(&frontend, &backend, &run);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static void wraps_links(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_platform inner;
	struct script script = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		memset(&frontend, 0, sizeof(frontend));
		memset(&backend, 0, sizeof(backend));
		assert_int_equal(hdmabuf_local_pair(&frontend.platform, &inner),
				 0);
		assert_int_equal(hdmabuf_fault_platform(inner, fails, &script,
							&backend.platform),
				 0);
		frontend.ops = frontend.platform.ops;
		backend.ops = backend.platform.ops;
		if (i)
			backend.refuse = true;
		else
			backend.on_down = peer_free_link;
		end_turn(&backend);
		assert_int_equal(backend.ups, 1);
		ends_settle(&backend, &frontend);
		if (frontend.ups && frontend.peers[0].link)
			frontend.ops->disconnect(end_link(&frontend));
		ends_settle(&frontend, &backend);
		assert_int_equal(backend.peers[0].downs, 1 - i);
		ends_close(&frontend, &backend);
	}
	assert_true(script.asked > 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(passes_everything_on),
	cmocka_unit_test(fails_when_told),
	cmocka_unit_test(wraps_links),
};

int main(void)
{
	return hdmabuf_test_run("fault-platform", tests,
				sizeof(tests) / sizeof(tests[0]));
}
