/* SPDX-License-Identifier: MIT */
/*
 * Providers of memory.  Devices are played by memfds: open(), ioctl(), mmap() and
 * a few more are defined here, in front of the C library's.
 */
#undef _FORTIFY_SOURCE /* this file defines functions that it would wrap */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hdmabuf/memory.h>

#include "memory.h"
#include "tests/harness.h"

#if __has_include(<linux/udmabuf.h>)
#include <linux/udmabuf.h>
#endif
#if __has_include(<linux/dma-heap.h>)
#include <linux/dma-heap.h>
#endif
#if __has_include(<libdrm/drm.h>)
#include <libdrm/drm.h>
#elif __has_include(<drm/drm.h>)
#include <drm/drm.h>
#endif

#define PAGE 4096u

/* ---- the system, as a test wants it ------------------------------------- */

static struct {
	const char *device; /* the path that can be opened */
	int device_flags;   /* how it was */
	int calls_left;	    /* calls until one fails, or -1 */
	int error;	    /* with this */
	bool no_exec_seal;  /* as before Linux 6.3 */
	ino_t dmabuf;	    /* what is said to be one */
	bool small;	    /* a card whose dumb buffers are too small */
	unsigned int handles;
	unsigned int last_ioctl;
} fake = { .calls_left = -1 };

static bool this_one_fails(void)
{
	if (fake.calls_left < 0 || fake.calls_left-- > 0)
		return false;
	errno = fake.error;
	return true;
}

static int real_memfd(unsigned int flags)
{
	return (int)syscall(SYS_memfd_create, "fake", flags);
}

int open(const char *path, int flags, ...)
{
	if (!fake.device || strcmp(path, fake.device))
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
	if (this_one_fails())
		return -1;
	assert_true(flags & O_CLOEXEC);
	fake.device_flags = flags;
	return real_memfd(MFD_CLOEXEC);
}

int memfd_create(const char *name, unsigned int flags)
{
	assert_non_null(name);
	if (this_one_fails())
		return -1;
	if (fake.no_exec_seal && flags & ~3u) {
		errno = EINVAL;
		return -1;
	}
	return real_memfd(flags & ~8u);
}

int ftruncate(int fd, off_t size)
{
	return this_one_fails() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd,
	   off_t offset)
{
	if (fd >= 0 && this_one_fails())
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, address, length, protection, flags, fd,
			       offset);
}

int fstatfs(int fd, struct statfs *status)
{
	struct stat file;
	int result = (int)syscall(SYS_fstatfs, fd, status);

	if (!result && fake.dmabuf && !fstat(fd, &file) &&
	    file.st_ino == fake.dmabuf)
		status->f_type = 0x444d4142;
	return result;
}

static int new_dmabuf(size_t octets)
{
	int fd = real_memfd(MFD_CLOEXEC);
	struct stat file;

	assert_true(fd >= 0);
	assert_int_equal(syscall(SYS_ftruncate, fd, octets), 0);
	assert_int_equal(fstat(fd, &file), 0);
	fake.dmabuf = file.st_ino;
	return fd;
}

#ifdef UDMABUF_CREATE
static int fake_udmabuf(const struct udmabuf_create *request)
{
	struct stat file;

	assert_int_equal(request->flags, UDMABUF_FLAGS_CLOEXEC);
	assert_int_equal(request->offset, 0);
	assert_int_equal(fstat((int)request->memfd, &file), 0);
	assert_int_equal(request->size, file.st_size);
	assert_int_equal(fcntl((int)request->memfd, F_GET_SEALS),
			 F_SEAL_SHRINK);
	return new_dmabuf(request->size);
}
#endif

#ifdef DMA_HEAP_IOCTL_ALLOC
static int fake_heap(struct dma_heap_allocation_data *request)
{
	assert_int_equal(request->fd_flags, O_RDWR | O_CLOEXEC);
	assert_int_equal(request->heap_flags, 0);
	request->fd = (unsigned int)new_dmabuf(request->len);
	return 0;
}
#endif

#ifdef DRM_IOCTL_MODE_CREATE_DUMB
static int fake_create_dumb(struct drm_mode_create_dumb *request)
{
	request->pitch = request->width * request->bpp / 8;
	request->size = (unsigned long long)request->pitch * request->height;
	if (fake.small)
		request->size -= PAGE;
	request->handle = 7;
	fake.handles++;
	return 0;
}

static int fake_prime(struct drm_prime_handle *request)
{
	assert_int_equal(request->handle, 7);
	assert_int_equal(request->flags, DRM_CLOEXEC | DRM_RDWR);
	request->fd = new_dmabuf(4 * PAGE);
	/* what was in the card before */
	assert_int_equal(pwrite(request->fd, "rubbish", 7, PAGE), 7);
	return 0;
}

static int fake_destroy_dumb(const struct drm_mode_destroy_dumb *request)
{
	assert_int_equal(request->handle, 7);
	fake.handles--;
	return 0;
}
#endif

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *argument;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	fake.last_ioctl = (unsigned int)request;
#ifdef DRM_IOCTL_MODE_DESTROY_DUMB
	if (request == DRM_IOCTL_MODE_DESTROY_DUMB)
		return fake_destroy_dumb(argument);
#endif
	if (this_one_fails())
		return -1;
	switch ((unsigned int)request) {
#ifdef UDMABUF_CREATE
	case UDMABUF_CREATE:
		return fake_udmabuf(argument);
#endif
#ifdef DMA_HEAP_IOCTL_ALLOC
	case DMA_HEAP_IOCTL_ALLOC:
		return fake_heap(argument);
#endif
#ifdef DRM_IOCTL_MODE_CREATE_DUMB
	case DRM_IOCTL_MODE_CREATE_DUMB:
		return fake_create_dumb(argument);
	case DRM_IOCTL_PRIME_HANDLE_TO_FD:
		return fake_prime(argument);
#endif
	default:
		fail_msg("ioctl %#lx was not expected", request);
	}
	return -1;
}

/* ---- what is common ----------------------------------------------------- */

static void expect_clear(const struct hdmabuf_memory *memory)
{
	assert_null(memory->provider);
	assert_null(memory->address);
	assert_int_equal(memory->octets, 0);
	assert_int_equal(memory->fd, -1);
	assert_int_equal(memory->device, -1);
}

/* Memory of two pages, however it was asked for: there, zeroed, shared. */
static void check_memory(struct hdmabuf_memory *memory, const char *provider,
			 int dmabuf)
{
	uint8_t *octets = memory->address;
	uint8_t *again;
	size_t i;

	assert_string_equal(memory->provider->name, provider);
	assert_int_equal(memory->octets, 2 * PAGE);
	assert_int_equal(memory->dmabuf, dmabuf);
	assert_int_equal(fcntl(memory->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	for (i = 0; i < 2 * PAGE; i++)
		assert_int_equal(octets[i], 0);
	again = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		     memory->fd, 0);
	assert_ptr_not_equal(again, MAP_FAILED);
	octets[PAGE] = 3;
	assert_int_equal(again[PAGE], 3);
	munmap(again, 2 * PAGE);
	hdmabuf_memory_free(memory);
	expect_clear(memory);
	hdmabuf_memory_free(memory);
}

/*
 * Makes each system call fail in turn: the error comes out, and nothing is left
 * (the harness counts descriptors).
 */
static void sweep_failures(const char *spec, int calls)
{
	struct hdmabuf_memory memory;
	int i;

	for (i = 0; i < calls; i++) {
		fake.calls_left = i;
		fake.error = EDQUOT;
		assert_int_equal(hdmabuf_memory_open(spec, 2 * PAGE, &memory),
				 -EDQUOT);
		expect_clear(&memory);
		assert_int_equal(fake.handles, 0);
	}
	fake.calls_left = calls;
	assert_int_equal(hdmabuf_memory_open(spec, 2 * PAGE, &memory), 0);
	assert_int_equal(fake.calls_left, 0);
	fake.calls_left = -1;
	hdmabuf_memory_free(&memory);
	assert_int_equal(fake.handles, 0);
}

static void names_a_provider(void **state)
{
	static const char *const unknown[] = {
		"",	     "memfd:",	  "memfdx", "udmabuf:x",
		"dma-heap:", "dma-heapx", "drm:",   "drmx",
		"dma",	     "something", "MEMFD",
	};
	struct hdmabuf_memory memory;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_int_equal(hdmabuf_memory_open(unknown[i], PAGE, &memory),
				 -EINVAL);
		expect_clear(&memory);
	}
}

static void bounds_sizes(void **state)
{
	struct hdmabuf_memory memory;

	(void)state;
	assert_int_equal(hdmabuf_memory_open("memfd", 0, &memory), -EINVAL);
	assert_int_equal(hdmabuf_memory_open("memfd", SIZE_MAX, &memory),
			 -EINVAL);
	assert_true(hdmabuf_memory_open("memfd", SIZE_MAX - PAGE + 1, &memory) <
		    0);
	expect_clear(&memory);
	assert_int_equal(hdmabuf_memory_open("memfd", 1, &memory), 0);
	assert_int_equal(memory.octets, PAGE);
	hdmabuf_memory_free(&memory);
}

static int frees;

static void count_free(struct hdmabuf_memory *memory)
{
	assert_int_equal(memory->handle, 5);
	frees++;
}

static void frees_by_the_provider(void **state)
{
	static const struct hdmabuf_provider provider = { "own", count_free };
	static const struct hdmabuf_provider keeps = { "keeps", NULL };
	struct hdmabuf_memory memory = { .provider = &provider, .handle = 5 };
	struct hdmabuf_memory empty = { 0 };

	(void)state;
	hdmabuf_memory_free(&memory);
	assert_int_equal(frees, 1);
	hdmabuf_memory_free(&memory);
	assert_int_equal(frees, 1);
	memory.provider = &keeps;
	hdmabuf_memory_free(&memory);
	expect_clear(&memory);
	hdmabuf_memory_free(&empty);
	assert_int_equal(empty.fd, 0);
}

/* ---- providers ---------------------------------------------------------- */

static void allocates_memfds(void **state)
{
	struct hdmabuf_memory memory;

	(void)state;
	assert_int_equal(hdmabuf_memory_open("memfd", PAGE + 1, &memory), 0);
	assert_int_equal(fcntl(memory.fd, F_GET_SEALS) & F_SEAL_SEAL, 0);
	check_memory(&memory, "memfd", 0);
	fake.no_exec_seal = true;
	assert_int_equal(hdmabuf_memory_open("memfd", 2 * PAGE, &memory), 0);
	check_memory(&memory, "memfd", 0);
	sweep_failures("memfd", 4);
}

static void allocates_udmabufs(void **state)
{
	struct hdmabuf_memory memory;

	(void)state;
#ifdef UDMABUF_CREATE
	fake.device = "/dev/udmabuf";
	assert_int_equal(hdmabuf_memory_open("udmabuf", PAGE + 1, &memory), 0);
	assert_int_equal(fake.last_ioctl, UDMABUF_CREATE);
	check_memory(&memory, "udmabuf", 1);
	sweep_failures("udmabuf", 5);
#else
	assert_int_equal(hdmabuf_memory_open("udmabuf", PAGE, &memory),
			 -ENOSYS);
#endif
}

static void allocates_from_heaps(void **state)
{
	struct hdmabuf_memory memory;

	(void)state;
#ifdef DMA_HEAP_IOCTL_ALLOC
	fake.device = "/dev/dma_heap/system";
	assert_int_equal(hdmabuf_memory_open("dma-heap", PAGE + 1, &memory), 0);
	assert_int_equal(fake.last_ioctl, DMA_HEAP_IOCTL_ALLOC);
	check_memory(&memory, "dma-heap", 1);
	sweep_failures("dma-heap", 3);
	fake.device = "/dev/dma_heap/linux,cma";
	assert_int_equal(hdmabuf_memory_open("dma-heap:linux,cma", 2 * PAGE,
					     &memory),
			 0);
	check_memory(&memory, "dma-heap", 1);
	assert_int_equal(
		hdmabuf_memory_open(
			"dma-heap:a-name-that-is-longer-than-any-heap-can-sensibly-have-it",
			PAGE, &memory),
		-EINVAL);
	assert_int_equal(hdmabuf_memory_open("dma-heap:none", PAGE, &memory),
			 -ENOENT);
	assert_int_equal(hdmabuf_memory_open("dma-heap:../null", PAGE, &memory),
			 -EINVAL);
#else
	assert_int_equal(hdmabuf_memory_open("dma-heap", PAGE, &memory),
			 -ENOSYS);
#endif
}

static void allocates_from_cards(void **state)
{
	struct hdmabuf_memory memory;

	(void)state;
#ifdef DRM_IOCTL_MODE_CREATE_DUMB
	fake.device = "/dev/dri/card0";
	assert_int_equal(hdmabuf_memory_open("drm", PAGE + 1, &memory), 0);
	assert_int_equal(fake.device_flags & O_ACCMODE, O_RDWR);
	assert_int_equal(fake.handles, 1);
	assert_true(memory.device >= 0);
	check_memory(&memory, "drm", 1);
	assert_int_equal(fake.handles, 0);
	sweep_failures("drm", 4);
	fake.small = true;
	assert_int_equal(hdmabuf_memory_open("drm", 2 * PAGE, &memory),
			 -ENOMEM);
	assert_int_equal(fake.handles, 0);
	expect_clear(&memory);
	fake.small = false;
	fake.device = "/dev/dri/card7";
	assert_int_equal(hdmabuf_memory_open("drm:/dev/dri/card7", 2 * PAGE,
					     &memory),
			 0);
	check_memory(&memory, "drm", 1);
#else
	assert_int_equal(hdmabuf_memory_open("drm", PAGE, &memory), -ENOSYS);
#endif
}

/* ---- import ------------------------------------------------------------- */

static void imports_memfds(void **state)
{
	struct hdmabuf_memory memory, copy;

	(void)state;
	assert_int_equal(hdmabuf_memory_open("memfd", 2 * PAGE, &memory), 0);
	assert_int_equal(hdmabuf_memory_import(memory.fd, &copy), 0);
	assert_int_not_equal(copy.fd, memory.fd);
	hdmabuf_memory_free(&memory);
	check_memory(&copy, "import", 0);
}

static void imports_dmabufs(void **state)
{
	struct hdmabuf_memory memory;
	int fd = new_dmabuf(2 * PAGE);

	(void)state;
	assert_int_equal(hdmabuf_memory_import(fd, &memory), 0);
	close(fd);
	check_memory(&memory, "import", 1);
}

/* What cannot be written is imported without being mapped. */
static void imports_read_only(void **state)
{
	struct hdmabuf_memory memory;
	char path[64];
	int fd = real_memfd(MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int reader;

	(void)state;
	assert_int_equal(syscall(SYS_ftruncate, fd, PAGE), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(hdmabuf_memory_import(reader, &memory), 0);
	assert_null(memory.address);
	assert_int_equal(memory.octets, PAGE);
	hdmabuf_memory_free(&memory);
	close(reader);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
	assert_int_equal(hdmabuf_memory_import(fd, &memory), 0);
	assert_null(memory.address);
	hdmabuf_memory_free(&memory);
	close(fd);
}

static void expect_no_import(int fd)
{
	struct hdmabuf_memory memory;

	assert_int_equal(hdmabuf_memory_import(fd, &memory), -EINVAL);
	expect_clear(&memory);
}

static void refuses_to_import(void **state)
{
	struct hdmabuf_memory memory;
	int ends[2];
	int fd;

	(void)state;
	expect_no_import(-1);
	expect_no_import(12345);
	assert_int_equal(pipe(ends), 0);
	expect_no_import(ends[0]);
	close(ends[0]);
	close(ends[1]);
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	expect_no_import(fd);
	close(fd);
	fd = real_memfd(MFD_CLOEXEC);
	expect_no_import(fd);
	assert_int_equal(syscall(SYS_ftruncate, fd, PAGE + 1), 0);
	expect_no_import(fd);
	assert_int_equal(syscall(SYS_ftruncate, fd, PAGE), 0);
	fake.calls_left = 0;
	fake.error = ENOMEM;
	assert_int_equal(hdmabuf_memory_import(fd, &memory), -ENOMEM);
	expect_clear(&memory);
	close(fd);
	fd = real_memfd(MFD_CLOEXEC | MFD_HUGETLB);
	if (fd >= 0) {
		assert_int_equal(syscall(SYS_ftruncate, fd, 2 << 20), 0);
		expect_no_import(fd);
		close(fd);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(names_a_provider),
	cmocka_unit_test(bounds_sizes),
	cmocka_unit_test(frees_by_the_provider),
	cmocka_unit_test(allocates_memfds),
	cmocka_unit_test(allocates_udmabufs),
	cmocka_unit_test(allocates_from_heaps),
	cmocka_unit_test(allocates_from_cards),
	cmocka_unit_test(imports_memfds),
	cmocka_unit_test(imports_dmabufs),
	cmocka_unit_test(imports_read_only),
	cmocka_unit_test(refuses_to_import),
};

int main(void)
{
	return hdmabuf_test_run("memory", tests,
				sizeof(tests) / sizeof(tests[0]));
}
