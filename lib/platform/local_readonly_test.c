/* SPDX-License-Identifier: MIT */
/*
 * READ_ONLY: whatever another process tries with the descriptor it was sent, or can
 * find in /proc, the memory is not written.  As root, too.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <grp.h>
#include <stdarg.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "local_raw.h"

#define PAGES  4u
#define OCTETS (PAGES * PAGE)

static char complaints[4096];

__attribute__((format(printf, 1, 2))) static void complain(const char *format,
							   ...)
{
	size_t used = strlen(complaints);
	va_list args;

	va_start(args, format);
	vsnprintf(complaints + used, sizeof(complaints) - used, format, args);
	va_end(args);
}

/* ---- ways to write ------------------------------------------------------ */

static void try_mmap(int fd, const char *what)
{
	void *address =
		mmap(NULL, OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (address == MAP_FAILED)
		return;
	complain("%s: mapped writable\n", what);
	munmap(address, OCTETS);
}

static void try_mprotect(int fd, const char *what)
{
	void *address = mmap(NULL, OCTETS, PROT_READ, MAP_SHARED, fd, 0);

	if (address == MAP_FAILED)
		return;
	if (!mprotect(address, OCTETS, PROT_READ | PROT_WRITE))
		complain("%s: mprotect()\n", what);
	if (!madvise(address, PAGE, MADV_REMOVE))
		complain("%s: madvise(MADV_REMOVE)\n", what);
	munmap(address, OCTETS);
}

static void try_write(int fd, const char *what)
{
	char text[16] = "overwritten";
	struct iovec part = { text, sizeof(text) };

	if (pwrite(fd, text, sizeof(text), 0) > 0)
		complain("%s: pwrite()\n", what);
	if (write(fd, text, sizeof(text)) > 0)
		complain("%s: write()\n", what);
	if (pwritev2(fd, &part, 1, 0, RWF_APPEND) > 0)
		complain("%s: pwritev2()\n", what);
}

static void try_copy(int fd, const char *what)
{
	int source = memfd_create("source", MFD_CLOEXEC);
	int pipe_ends[2];
	off_t from = 0, to = 0;

	assert_int_equal(ftruncate(source, PAGE), 0);
	if (sendfile(fd, source, &from, 16) > 0)
		complain("%s: sendfile()\n", what);
	from = 0;
	if (copy_file_range(source, &from, fd, &to, 16, 0) > 0)
		complain("%s: copy_file_range()\n", what);
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	assert_int_equal(write(pipe_ends[1], "overwritten", 11), 11);
	to = 0;
	if (splice(pipe_ends[0], NULL, fd, &to, 11, 0) > 0)
		complain("%s: splice()\n", what);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	close(source);
}

static void try_size(int fd, const char *what)
{
	if (!ftruncate(fd, 0))
		complain("%s: ftruncate() to nothing\n", what);
	if (!ftruncate(fd, 2 * OCTETS))
		complain("%s: ftruncate() to more\n", what);
	if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE))
		complain("%s: a hole\n", what);
	if (!fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, PAGE))
		complain("%s: zeroes\n", what);
	if (!fallocate(fd, 0, OCTETS, PAGE))
		complain("%s: fallocate() behind the end\n", what);
	if (!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW))
		complain("%s: another seal\n", what);
}

static void try_all(int fd, const char *what)
{
	try_mmap(fd, what);
	try_mprotect(fd, what);
	try_write(fd, what);
	try_copy(fd, what);
	try_size(fd, what);
}

/* The same memory, opened once more for writing, if that can be done. */
static void try_reopened(const char *path, const char *what)
{
	static const int modes[] = { O_RDWR, O_WRONLY, O_RDWR | O_TRUNC,
				     O_RDWR | O_APPEND };
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		int fd = open(path, modes[i] | O_CLOEXEC);

		if (fd < 0)
			continue;
		try_all(fd, what);
		close(fd);
	}
}

/* Whatever the exporter has open of it, and what it has mapped. */
static void try_exporter(pid_t pid, ino_t inode)
{
	char path[64];
	struct stat status;
	int i;

	for (i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, i);
		if (!stat(path, &status) && status.st_ino == inode)
			try_reopened(path, "the exporter's descriptor");
	}
}

static void try_map_files(pid_t pid, ino_t inode)
{
	char path[600];
	struct dirent *entry;
	struct stat status;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/map_files", (int)pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		snprintf(path, sizeof(path), "/proc/%d/map_files/%s", (int)pid,
			 entry->d_name);
		if (!stat(path, &status) && status.st_ino == inode)
			try_reopened(path, "the exporter's mapping");
	}
	if (directory)
		closedir(directory);
}

/* ---- the importer ------------------------------------------------------- */

static int wait_for_grant(int socket)
{
	uint32_t type;
	int fd;

	while ((type = raw_receive_fd(socket, &fd, 0)) != GRANT) {
		assert_int_not_equal(type, 0);
		if (fd >= 0)
			close(fd);
	}
	assert_true(fd >= 0);
	return fd;
}

static void check_reads(int fd)
{
	const char *seen = mmap(NULL, OCTETS, PROT_READ, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(seen, MAP_FAILED);
	assert_string_equal(seen, "the exporter's");
	munmap((void *)seen, OCTETS);
}

static void import_and_try(const char *path, bool as_somebody)
{
	char own[64];
	struct stat status;
	int socket = raw_connect(path);
	int fd;

	raw_attach(socket);
	fd = wait_for_grant(socket);
	assert_int_equal(fstat(fd, &status), 0);
	if (as_somebody) {
		assert_int_equal(setgroups(0, NULL), 0);
		assert_int_equal(setgid(65534), 0);
		assert_int_equal(setuid(65534), 0);
	}
	check_reads(fd);
	try_all(fd, "the descriptor");
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	try_reopened(own, "reopened");
	fchmod(fd, 0777);
	try_reopened(own, "made writable and reopened");
	try_exporter(getppid(), status.st_ino);
	try_map_files(getppid(), status.st_ino);
	check_reads(fd);
	if (complaints[0])
		printf("%s", complaints);
	fflush(stdout);
	_exit(complaints[0] ? 1 : 0);
}

/* ---- the exporter ------------------------------------------------------- */

static void try_to_write(bool as_somebody)
{
	struct hdmabuf_memory memory;
	struct place place;
	struct end end;
	int status;
	pid_t pid;

	place_new(&place);
	end_open(&end, place.address, HDMABUF_BACKEND);
	memory_new(&memory, PAGES);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		import_and_try(place.path, as_somebody);
	ends_until(&end, NULL, end.ups == 1);
	end_share(&end, &memory, 0, PAGES, READ_ONLY);
	/* Only now: what is mapped stays writable, here. */
	strcpy(memory.address, "the exporter's");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_string_equal(memory.address, "the exporter's");
	ends_until(&end, NULL, end.peers[0].downs);
	hdmabuf_memory_free(&memory);
	end_close(&end);
	place_free(&place);
}

static void same_user_cannot_write(void **state)
{
	(void)state;
	try_to_write(false);
}

static void other_user_cannot_write(void **state)
{
	(void)state;
	if (getuid())
		hdmabuf_test_skip("only root can be two users");
	try_to_write(true);
}

/* The ways that are tried do lead to memory that is not protected. */
static void the_ways_are_ways(void **state)
{
	static const char *const expected[] = {
		"mapped writable", "mprotect()",  "pwrite()",
		"sendfile()",	   "splice()",	  "to nothing",
		"to more",	   "a hole",	  "another seal",
		"write()",	   "MADV_REMOVE", "behind the end",
	};
	int fd = memory_fd(OCTETS, 0);
	char path[64];
	size_t i;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	try_reopened(path, "open");
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (!strstr(complaints, expected[i]))
			fail_msg("%s is no way to write: %s", expected[i],
				 complaints);
	close(fd);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(same_user_cannot_write),
	cmocka_unit_test(other_user_cannot_write),
	cmocka_unit_test(the_ways_are_ways),
};

int main(void)
{
	return hdmabuf_test_run("local-readonly", tests,
				sizeof(tests) / sizeof(tests[0]));
}
