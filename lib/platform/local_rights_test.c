/* SPDX-License-Identifier: MIT */
/* What may be shared, with which rights, and how much of it. */
#undef _FORTIFY_SOURCE /* this file defines a function that it would wrap */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "local.h"
#include "local_ends.h"

#define DMA_BUF 0x444d4142

/* A memory that is taken for a dma-buf. */
static ino_t dmabuf_inode;

int fstatfs(int fd, struct statfs *status)
{
	struct stat file;
	int result = (int)syscall(SYS_fstatfs, fd, status);

	if (!result && dmabuf_inode && !fstat(fd, &file) &&
	    file.st_ino == dmabuf_inode)
		status->f_type = DMA_BUF;
	return result;
}

static void make_dmabuf(struct hdmabuf_memory *memory)
{
	struct stat status;

	assert_int_equal(fstat(memory->fd, &status), 0);
	dmabuf_inode = status.st_ino;
	memory->dmabuf = 1;
}

/* ---- rights ------------------------------------------------------------- */

static void read_only_is_read_only(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	uint8_t *seen;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 2);
	run = end_share(&frontend, &memory, 0, 2, READ_ONLY);
	assert_int_equal(end_map_fails(&backend, &run, 1, READ_WRITE, 0),
			 -EACCES);
	assert_int_equal(end_map_fails(&backend, &run, 1, HDMABUF_RIGHTS_LEND,
				       0),
			 -EACCES);
	seen = end_map(&backend, &run, 1, READ_ONLY);
	((uint8_t *)memory.address)[PAGE] = 9;
	assert_int_equal(seen[PAGE], 9);
	assert_int_equal(mprotect(seen, 2 * PAGE, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 2), 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* Rights are a property of the memory: whichever come first, they stay. */
static void rights_are_final(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory, copy;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 1);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_ONLY), 0);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_WRITE),
			 -EACCES);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1,
				       HDMABUF_RIGHTS_LEND),
			 -EACCES);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_ONLY), 0);
	assert_int_equal(hdmabuf_memory_import(memory.fd, &copy), 0);
	assert_null(copy.address);
	assert_int_equal(end_try_share(&frontend, &copy, 0, 1, READ_ONLY), 0);
	hdmabuf_memory_free(&copy);
	hdmabuf_memory_free(&memory);

	memory_new(&memory, 1);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1,
				       HDMABUF_RIGHTS_LEND),
			 0);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_ONLY),
			 -EACCES);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_WRITE),
			 0);
	hdmabuf_memory_free(&memory);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.peers[0].downs, 0);
	ends_close(&frontend, &backend);
}

static void refuses_to_share(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory, other;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 4);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 0, READ_WRITE),
			 -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 5, READ_WRITE),
			 -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 4, 1, READ_WRITE),
			 -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 1, UINT64_MAX,
				       READ_WRITE),
			 -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, 0), -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, 4), -EINVAL);
	other = memory;
	other.fd = -1;
	assert_int_equal(end_try_share(&frontend, &other, 0, 1, READ_WRITE),
			 -EINVAL);
	other.fd = frontend.ops->fd(frontend.platform.endpoint);
	assert_int_equal(end_try_share(&frontend, &other, 0, 1, READ_WRITE),
			 -EINVAL);
	/* More octets than the descriptor has: the peer would be right to go. */
	other = memory;
	other.octets = 5 * PAGE;
	assert_int_equal(end_try_share(&frontend, &other, 0, 5, READ_WRITE),
			 -EINVAL);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.peers[0].downs, 0);
	assert_int_equal(end_link(&backend)->grants.count, 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static void refuses_memory_that_cannot_be_sealed(void **state)
{
	struct hdmabuf_memory memory = { .octets = PAGE };
	struct end frontend, backend;
	int fd;

	(void)state;
	ends_pair(&frontend, &backend);
	memory.fd = memfd_create("unsealable", MFD_CLOEXEC);
	assert_int_equal(ftruncate(memory.fd, PAGE), 0);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_ONLY),
			 -EACCES);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_WRITE),
			 -EACCES);
	close(memory.fd);

	memory.fd = memfd_create("reading", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(memory.fd, PAGE), 0);
	fd = local_memory_open_for_peer(memory.fd, false);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(memory.fd);
	memory.fd = fd;
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_WRITE),
			 -EACCES);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_ONLY),
			 -EACCES);
	close(fd);
	ends_close(&frontend, &backend);
}

/* A dma-buf is what its descriptor is open for. */
static void shares_dmabufs(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory, reader;
	struct hdmabuf_run run;
	uint8_t *seen;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 2);
	make_dmabuf(&memory);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 2, READ_ONLY),
			 -EACCES);
	run = end_share(&frontend, &memory, 0, 2, READ_WRITE);
	seen = end_map(&backend, &run, 1, READ_WRITE);
	seen[PAGE] = 1;
	assert_int_equal(((uint8_t *)memory.address)[PAGE], 1);
	assert_int_equal(fcntl(memory.fd, F_GET_SEALS) & F_SEAL_SHRINK, 0);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 2), 0);

	reader = memory;
	reader.fd = local_memory_open_for_peer(memory.fd, false);
	assert_int_equal(fcntl(reader.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(end_try_share(&frontend, &reader, 0, 2, READ_WRITE),
			 -EACCES);
	run = end_share(&frontend, &reader, 1, 1, READ_ONLY);
	assert_int_equal(end_map_fails(&backend, &run, 1, READ_WRITE, 0),
			 -EACCES);
	seen = end_map(&backend, &run, 1, READ_ONLY);
	assert_int_equal(seen[0], 1);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 1), 0);
	close(reader.fd);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* ---- how much there may be ---------------------------------------------- */

static void bounds_pages(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory = { .fd = -1 };
	struct hdmabuf_run run;

	(void)state;
	if (sizeof(size_t) < 8)
		hdmabuf_test_skip("addresses have 32 bits");
	ends_pair(&frontend, &backend);
	memory.octets = ((size_t)HDMABUF_LOCAL_PAGES_MAX + 1) * PAGE;
	memory.fd = memfd_create("vast", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(memory.fd, (off_t)memory.octets), 0);
	assert_int_equal(end_try_share(&frontend, &memory, 0,
				       HDMABUF_LOCAL_PAGES_MAX + 1, READ_WRITE),
			 -ENOSPC);
	run = end_share(&frontend, &memory, 1, HDMABUF_LOCAL_PAGES_MAX,
			READ_WRITE);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_WRITE),
			 -ENOSPC);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.peers[0].downs, 0);
	ends_give_back(&frontend, &backend, &run);
	end_share(&frontend, &memory, 0, 1, READ_WRITE);
	close(memory.fd);
	ends_close(&frontend, &backend);
}

static void allow_descriptors(rlim_t count)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < count)
		hdmabuf_test_skip("only %lu descriptors are allowed",
				  (unsigned long)limit.rlim_max);
	limit.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void bounds_memories(void **state)
{
	struct hdmabuf_run runs[HDMABUF_LOCAL_MEMORIES_MAX];
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	size_t i;

	(void)state;
	allow_descriptors(2 * HDMABUF_LOCAL_MEMORIES_MAX);
	ends_pair(&frontend, &backend);
	for (i = 0; i < HDMABUF_LOCAL_MEMORIES_MAX; i++) {
		memory_new(&memory, 1);
		runs[i] = end_share(&frontend, &memory, 0, 1, READ_WRITE);
		hdmabuf_memory_free(&memory);
		ends_settle(&frontend, &backend);
	}
	memory_new(&memory, 1);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_WRITE),
			 -ENOSPC);
	ends_give_back(&frontend, &backend, &runs[5]);
	end_share(&frontend, &memory, 0, 1, READ_WRITE);
	end_share(&frontend, &memory, 0, 1, READ_WRITE);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.peers[0].downs, 0);
	assert_int_equal(end_link(&backend)->granted.count,
			 HDMABUF_LOCAL_MEMORIES_MAX);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static void bounds_grants(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	size_t i;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 1);
	for (i = 0; i < HDMABUF_LOCAL_GRANTS_MAX; i++) {
		if (i % 128 == 0)
			ends_settle(&frontend, &backend);
		end_share(&frontend, &memory, 0, 1, READ_WRITE);
	}
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, READ_WRITE),
			 -ENOSPC);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.peers[0].downs, 0);
	assert_int_equal(end_link(&backend)->grants.count,
			 HDMABUF_LOCAL_GRANTS_MAX);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(read_only_is_read_only),
	cmocka_unit_test(rights_are_final),
	cmocka_unit_test(refuses_to_share),
	cmocka_unit_test(refuses_memory_that_cannot_be_sealed),
	cmocka_unit_test(shares_dmabufs),
	cmocka_unit_test(bounds_pages),
	cmocka_unit_test(bounds_memories),
	cmocka_unit_test(bounds_grants),
};

int main(void)
{
	return hdmabuf_test_run("local-rights", tests,
				sizeof(tests) / sizeof(tests[0]));
}
