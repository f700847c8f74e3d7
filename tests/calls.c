/* SPDX-License-Identifier: MIT */
/*
 * calls.c - calls of the C library that fail when they are told to
 *
 * What gives something back (close, munmap, unlink) does not fail: nobody could do anything
 * about it. A wait fails as one that was interrupted does.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/calls.h"

static struct {
	bool on;
	unsigned int at;
	unsigned int calls;
	const char *failed;
} plan;

void calls_begin(unsigned int at)
{
	plan.at = at;
	plan.calls = 0;
	plan.failed = NULL;
	plan.on = true;
}

unsigned int calls_end(void)
{
	plan.on = false;
	return plan.calls;
}

const char *calls_failed(void)
{
	return plan.failed;
}

static bool fails(const char *name, int error)
{
	if (!plan.on || ++plan.calls != plan.at)
		return false;
	plan.failed = name;
	errno = error;
	return true;
}

/*
 * A call of that name: what it returns and takes, what it returns when it fails, with which
 * error, and its arguments once more.
 */
#define CALL(type, name, parameters, failure, error, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		return fails(#name, error) ? failure : \
					     __real_##name arguments; \
	}

/* ---- memory -------------------------------------------------------------------- */

CALL(void *, malloc, (size_t octets), NULL, ENOMEM, (octets))
CALL(void *, calloc, (size_t count, size_t octets), NULL, ENOMEM,
     (count, octets))
CALL(void *, realloc, (void *memory, size_t octets), NULL, ENOMEM,
     (memory, octets))
CALL(void *, reallocarray, (void *memory, size_t count, size_t octets), NULL,
     ENOMEM, (memory, count, octets))
CALL(char *, strdup, (const char *text), NULL, ENOMEM, (text))
CALL(void *, mmap64,
     (void *address, size_t octets, int rights, int flags, int fd,
      off64_t offset),
     MAP_FAILED, ENOMEM, (address, octets, rights, flags, fd, offset))
CALL(int, memfd_create, (const char *name, unsigned int flags), -1, EMFILE,
     (name, flags))
CALL(int, ftruncate64, (int fd, off64_t octets), -1, ENOSPC, (fd, octets))

/* ---- sockets, waiting ------------------------------------------------------------ */

CALL(int, socket, (int domain, int type, int protocol), -1, EMFILE,
     (domain, type, protocol))
CALL(int, socketpair, (int domain, int type, int protocol, int *fds), -1,
     EMFILE, (domain, type, protocol, fds))
CALL(int, bind, (int fd, const struct sockaddr *address, socklen_t octets), -1,
     EACCES, (fd, address, octets))
CALL(int, listen, (int fd, int count), -1, ENOBUFS, (fd, count))
CALL(int, connect, (int fd, const struct sockaddr *address, socklen_t octets),
     -1, ENOBUFS, (fd, address, octets))
CALL(int, accept4,
     (int fd, struct sockaddr *address, socklen_t *octets, int flags), -1,
     EMFILE, (fd, address, octets, flags))
CALL(int, getsockopt,
     (int fd, int level, int name, void *value, socklen_t *octets), -1, ENOBUFS,
     (fd, level, name, value, octets))
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), -1,
     ENOBUFS, (fd, message, flags))
CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), -1, ENOMEM,
     (fd, message, flags))
CALL(int, eventfd, (unsigned int value, int flags), -1, EMFILE, (value, flags))
CALL(int, epoll_create1, (int flags), -1, EMFILE, (flags))
CALL(int, epoll_ctl, (int fd, int what, int which, struct epoll_event *event),
     what == EPOLL_CTL_DEL ? 0 : -1, ENOSPC, (fd, what, which, event))
CALL(int, epoll_wait,
     (int fd, struct epoll_event *events, int count, int timeout), -1, EINTR,
     (fd, events, count, timeout))
CALL(int, ppoll,
     (struct pollfd * fds, nfds_t count, const struct timespec *time,
      const sigset_t *mask),
     -1, EINTR, (fds, count, time, mask))
/* What ppoll() is where the compiler knows how many there are. */
CALL(int, __ppoll_chk,
     (struct pollfd * fds, nfds_t count, const struct timespec *time,
      const sigset_t *mask, size_t octets),
     -1, EINTR, (fds, count, time, mask, octets))
CALL(int, poll, (struct pollfd * fds, nfds_t count, int timeout), -1, EINTR,
     (fds, count, timeout))
CALL(int, timerfd_create, (int clock, int flags), -1, EMFILE, (clock, flags))
CALL(int, pipe2, (int *fds, int flags), -1, EMFILE, (fds, flags))
CALL(ssize_t, getrandom, (void *octets, size_t count, unsigned int flags), -1,
     ENOSYS, (octets, count, flags))

/* ---- files ------------------------------------------------------------------------ */

CALL(ssize_t, read, (int fd, void *octets, size_t count), -1, EIO,
     (fd, octets, count))
CALL(ssize_t, write, (int fd, const void *octets, size_t count), -1, ENOSPC,
     (fd, octets, count))
CALL(int, fstat64, (int fd, struct stat64 *status), -1, ENOMEM, (fd, status))
CALL(int, fstat, (int fd, struct stat *status), -1, ENOMEM, (fd, status))
CALL(int, flock, (int fd, int operation), -1, ENOLCK, (fd, operation))
CALL(FILE *, fopen, (const char *path, const char *mode), NULL, EMFILE,
     (path, mode))
CALL(FILE *, fdopen, (int fd, const char *mode), NULL, ENOMEM, (fd, mode))
CALL(size_t, fread, (void *octets, size_t size, size_t count, FILE *file), 0,
     EIO, (octets, size, count, file))
CALL(size_t, fwrite,
     (const void *octets, size_t size, size_t count, FILE *file), 0, ENOSPC,
     (octets, size, count, file))
CALL(int, fflush, (FILE * file), EOF, ENOSPC, (file))
CALL(int, fseek, (FILE * file, long offset, int from), -1, EIO,
     (file, offset, from))
CALL(int, rename, (const char *from, const char *to), -1, EACCES, (from, to))
CALL(int, link, (const char *from, const char *to), -1, EMLINK, (from, to))
CALL(int, access, (const char *path, int mode), -1, ENOMEM, (path, mode))
CALL(int, stat, (const char *path, struct stat *status), -1, ENOMEM,
     (path, status))
CALL(int, lstat, (const char *path, struct stat *status), -1, ENOMEM,
     (path, status))
CALL(int, lstat64, (const char *path, struct stat64 *status), -1, ENOMEM,
     (path, status))
CALL(int, fstatfs64, (int fd, struct statfs64 *status), -1, ENOMEM,
     (fd, status))
CALL(ssize_t, readlink, (const char *path, char *text, size_t size), -1, ENOMEM,
     (path, text, size))
CALL(off_t, lseek, (int fd, off_t offset, int from), -1, EIO,
     (fd, offset, from))
CALL(off64_t, lseek64, (int fd, off64_t offset, int from), -1, EIO,
     (fd, offset, from))
CALL(DIR *, fdopendir, (int fd), NULL, ENOMEM, (fd))
CALL(int, getrlimit64, (__rlimit_resource_t what, struct rlimit64 *limit), -1,
     EPERM, (what, limit))

/* The file is closed, though what was written last may not be in it. */
int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);

int __wrap_fclose(FILE *file)
{
	bool failing = fails("fclose", ENOSPC);
	int result = __real_fclose(file);

	if (failing)
		errno = ENOSPC;
	return failing ? EOF : result;
}

/* There is one only where a file may be made. */
static mode_t mode_of(int flags, va_list more)
{
	return flags & O_CREAT ? va_arg(more, mode_t) : 0;
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);

int __wrap_open64(const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = mode_of(flags, more);
	va_end(more);
	return fails("open", EMFILE) ? -1 : __real_open64(path, flags, mode);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = mode_of(flags, more);
	va_end(more);
	return fails("open", EMFILE) ? -1 : __real_open(path, flags, mode);
}

int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);

/* What is handed on is a number or a pointer. */
int __wrap_fcntl64(int fd, int command, ...)
{
	va_list more;
	void *argument;

	va_start(more, command);
	argument = va_arg(more, void *);
	va_end(more);
	return fails("fcntl", ENOMEM) ? -1 :
					__real_fcntl64(fd, command, argument);
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* No more than three arguments are handed on. */
long __wrap_syscall(long number, ...)
{
	long arguments[3];
	va_list more;
	int i;

	va_start(more, number);
	for (i = 0; i < 3; i++)
		arguments[i] = va_arg(more, long);
	va_end(more);
	return fails("syscall", ENOSYS) ?
		       -1 :
		       __real_syscall(number, arguments[0], arguments[1],
				      arguments[2]);
}
