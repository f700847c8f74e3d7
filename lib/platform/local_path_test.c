/* SPDX-License-Identifier: MIT */
/* Addresses, and the socket's place. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "local_raw.h"

static int try_open(const char *address, enum hdmabuf_role role, char *error)
{
	struct hdmabuf_platform platform;
	int result;

	strcpy(error, "");
	result = hdmabuf_platform_open(address, role, &platform, error, 256);
	if (result)
		assert_string_not_equal(error, "");
	else
		platform.ops->close(platform.endpoint);
	assert_null(strchr(error, '\n'));
	return result;
}

/* ---- addresses ---------------------------------------------------------- */

static void refuses_addresses(void **state)
{
	char error[256], address[256];

	(void)state;
	assert_int_equal(try_open("", HDMABUF_BACKEND, error), -EINVAL);
	assert_int_equal(try_open("/tmp/x", HDMABUF_BACKEND, error), -EINVAL);
	assert_string_equal(
		error,
		"'/tmp/x' is no address: write local:PATH or xen:DEVICE");
	assert_int_equal(try_open("ken:7", HDMABUF_FRONTEND, error), -EINVAL);
	assert_int_equal(try_open("local", HDMABUF_FRONTEND, error), -EINVAL);
	assert_int_equal(try_open("local:", HDMABUF_FRONTEND, error), -EINVAL);
	assert_non_null(strstr(error, "is no place for a socket"));
	memset(address, 'x', sizeof(address));
	memcpy(address, "local:/tmp/", 11);
	address[6 + 99] = '\0';
	assert_int_equal(try_open(address, HDMABUF_FRONTEND, error), -EINVAL);
	assert_int_equal(try_open(address, HDMABUF_BACKEND, error), -EINVAL);
	assert_non_null(strstr(error, "1 to 98 octets"));
	address[6 + 98] = '\0';
	assert_int_equal(try_open(address, HDMABUF_BACKEND, error), 0);
	assert_int_equal(access(address + 6, F_OK), -1);
}

static void explains_what_is_wrong_with_a_path(void **state)
{
	char error[256], address[128];
	struct place place;
	int fd;

	(void)state;
	place_new(&place);
	fd = open(place.path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	assert_int_equal(try_open(place.address, HDMABUF_BACKEND, error),
			 -EEXIST);
	assert_non_null(strstr(error, "is not a socket: remove it, or choose"));
	assert_int_equal(lseek(fd, 0, SEEK_END), 8);
	assert_int_equal(access(place.path, F_OK), 0);
	close(fd);
	unlink(place.path);
	assert_int_equal(symlink("/nowhere/at/all", place.path), 0);
	assert_int_equal(try_open(place.address, HDMABUF_BACKEND, error),
			 -EEXIST);
	unlink(place.path);
	snprintf(address, sizeof(address), "local:%s/no/such", place.directory);
	assert_int_equal(try_open(address, HDMABUF_BACKEND, error), -ENOENT);
	assert_non_null(strstr(error, "No such file or directory"));
	place_free(&place);
}

/* ---- the socket's place ------------------------------------------------- */

/* What a backend that was killed leaves behind. */
static void leave_stale_socket(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	close(fd);
	assert_int_equal(access(path, F_OK), 0);
}

static void replaces_stale_sockets(void **state)
{
	struct end backend, frontend;
	struct place place;

	(void)state;
	place_new(&place);
	leave_stale_socket(place.path, SOCK_SEQPACKET);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	end_open(&frontend, place.address, HDMABUF_FRONTEND);
	ends_until(&backend, &frontend, backend.ups && frontend.ups);
	ends_close(&frontend, &backend);
	assert_int_equal(access(place.path, F_OK), -1);
	place_free(&place);
}

/* Names beside the socket, of a backend that was killed while it took its place. */
static void removes_what_was_left_beside(void **state)
{
	struct end backend;
	struct place place;
	char left[128], other[128], living[128];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)state;
	place_new(&place);
	snprintf(left, sizeof(left), "%s.0123abcd", place.path);
	snprintf(other, sizeof(other), "%s.0123abcdef", place.path);
	snprintf(living, sizeof(living), "%s.01234567", place.path);
	leave_stale_socket(left, SOCK_SEQPACKET);
	leave_stale_socket(other, SOCK_SEQPACKET);
	strcpy(address.sun_path, living);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(listen(fd, 1), 0);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	assert_int_equal(access(left, F_OK), -1);
	assert_int_equal(access(living, F_OK), 0);
	assert_int_equal(unlink(living), 0);
	assert_int_equal(unlink(other), 0);
	close(fd);
	end_close(&backend);
	place_free(&place);
}

static void replaces_no_living_socket(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct end backend, frontend;
	struct place place;
	char error[256];
	int fd;

	(void)state;
	place_new(&place);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	assert_int_equal(try_open(place.address, HDMABUF_BACKEND, error),
			 -EADDRINUSE);
	assert_non_null(strstr(error, "a backend listens on"));
	end_open(&frontend, place.address, HDMABUF_FRONTEND);
	ends_until(&backend, &frontend, backend.ups && frontend.ups);
	ends_close(&frontend, &backend);

	/* Somebody else's, of another type. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, place.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(try_open(place.address, HDMABUF_BACKEND, error),
			 -EADDRINUSE);
	assert_int_equal(access(place.path, F_OK), 0);
	close(fd);
	unlink(place.path);
	place_free(&place);
}

/* A backend whose place was taken leaves what it finds there alone. */
static void removes_only_its_own(void **state)
{
	struct end first, second;
	struct place place;

	(void)state;
	place_new(&place);
	end_open(&first, place.address, HDMABUF_BACKEND);
	assert_int_equal(unlink(place.path), 0);
	end_open(&second, place.address, HDMABUF_BACKEND);
	end_close(&first);
	assert_int_equal(access(place.path, F_OK), 0);
	end_close(&second);
	assert_int_equal(access(place.path, F_OK), -1);
	place_free(&place);
}

/* A process that opens a backend when it is told to, and says what came of it. */
static pid_t start_rival(const struct place *place, const int *start,
			 const int *results)
{
	struct hdmabuf_platform platform;
	char error[256], result;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	close(start[1]);
	if (read(start[0], &result, 1) < 0)
		_exit(1);
	result = hdmabuf_platform_open(place->address, HDMABUF_BACKEND,
				       &platform, error, sizeof(error)) ?
			 0 :
			 1;
	if (write(results[1], &result, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

enum {
	RIVALS = 6
};

static int count_winners(const struct place *place)
{
	int start[2], results[2];
	pid_t pids[RIVALS];
	int winners = 0;
	char result;
	int i;

	assert_int_equal(pipe2(start, O_CLOEXEC), 0);
	assert_int_equal(pipe2(results, O_CLOEXEC), 0);
	for (i = 0; i < RIVALS; i++)
		pids[i] = start_rival(place, start, results);
	close(start[0]);
	close(start[1]);
	for (i = 0; i < RIVALS; i++) {
		assert_int_equal(read(results[0], &result, 1), 1);
		winners += result;
	}
	close(raw_connect(place->path));
	for (i = 0; i < RIVALS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	close(results[0]);
	close(results[1]);
	return winners;
}

/* Several that start at once over a stale socket: one gets the place. */
static void one_of_many_wins(void **state)
{
	struct place place;
	int round;

	(void)state;
	place_new(&place);
	for (round = 0; round < 20; round++) {
		leave_stale_socket(place.path, SOCK_SEQPACKET);
		assert_int_equal(count_winners(&place), 1);
		unlink(place.path);
	}
	place_free(&place);
}

/* Who holds the lock delays a backend, but cannot keep it away. */
static void waits_for_the_lock(void **state)
{
	struct place place;
	struct end end;
	uint64_t start;
	int lock;

	(void)state;
	place_new(&place);
	lock = open(place.directory, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_SH), 0);
	start = ends_now_ms();
	end_open(&end, place.address, HDMABUF_BACKEND);
	assert_in_range(ends_now_ms() - start, 900, 5000);
	close(lock);
	end_close(&end);
	place_free(&place);
}

static void takes_paths_of_any_form(void **state)
{
	char here[256];
	struct place place;
	char error[256];

	(void)state;
	place_new(&place);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(place.directory), 0);
	assert_int_equal(try_open("local:socket", HDMABUF_BACKEND, error), 0);
	assert_int_equal(try_open("local:./a:b c", HDMABUF_BACKEND, error), 0);
	assert_int_equal(try_open("local:@socket", HDMABUF_BACKEND, error), 0);
	assert_int_equal(chdir(here), 0);
	place_free(&place);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(refuses_addresses),
	cmocka_unit_test(explains_what_is_wrong_with_a_path),
	cmocka_unit_test(replaces_stale_sockets),
	cmocka_unit_test(removes_what_was_left_beside),
	cmocka_unit_test(replaces_no_living_socket),
	cmocka_unit_test(removes_only_its_own),
	cmocka_unit_test(one_of_many_wins),
	cmocka_unit_test(waits_for_the_lock),
	cmocka_unit_test(takes_paths_of_any_form),
};

int main(void)
{
	return hdmabuf_test_run("local-path", tests,
				sizeof(tests) / sizeof(tests[0]));
}
