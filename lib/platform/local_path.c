/* SPDX-License-Identifier: MIT */
/*
 * local_path.c - the socket's place in the file system
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "local.h"

#define BACKLOG 32
/* A dot and eight digits, for names beside PATH. */
#define SUFFIX_OCTETS 9
#define PATH_OCTETS   (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
/* How often something may get in between. */
#define ATTEMPTS 10
/* Hundredths of a second. */
#define LOCK_ATTEMPTS 100

struct beside {
	char path[PATH_OCTETS + 1];
};

/* How long PATH may be, so that a backend can put a name beside it. */
size_t local_path_octets(void)
{
	return PATH_OCTETS - SUFFIX_OCTETS;
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	return fd < 0 ? -errno : fd;
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path, strlen(path) + 1);
	return address;
}

/* A socket that is connected, or a negative errno; nothing of this blocks. */
int local_path_connect(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = open_socket();
	int error;

	if (fd < 0)
		return fd;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static int name_beside(const char *path, struct beside *beside)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(beside->path, sizeof(beside->path), "%.*s.%08x",
		 (int)(PATH_OCTETS - SUFFIX_OCTETS), path,
		 (unsigned int)random);
	return 0;
}

/* A socket that listens, beside PATH: nobody ever sees it not listening. */
static int listen_beside(const struct beside *beside)
{
	struct sockaddr_un address = address_of(beside->path);
	int fd = open_socket();
	int error;

	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		error = -errno;
		close(fd);
		return error;
	}
	if (!listen(fd, BACKLOG))
		return fd;
	error = -errno;
	unlink(beside->path);
	close(fd);
	return error;
}

/* HDB-LOCAL-001: 0 if the socket at PATH is nobody's. */
static int check_stale(const char *path)
{
	struct stat status;
	int fd;

	if (lstat(path, &status))
		return errno == ENOENT ? -EAGAIN : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EEXIST;
	fd = local_path_connect(path);
	if (fd == -ECONNREFUSED)
		return 0;
	if (fd == -ENOENT)
		return -EAGAIN;
	if (fd == -EACCES)
		return fd;
	if (fd >= 0)
		close(fd);
	return -EADDRINUSE;
}

static int remove_stale(const char *path)
{
	int error = check_stale(path);

	if (error)
		return error;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* Put the name beside PATH in its place: only where nothing is. */
static int take_place(const struct beside *beside, const char *path)
{
	int error = -EADDRINUSE;
	int i;

	for (i = 0; i < ATTEMPTS; i++) {
		if (!link(beside->path, path))
			return 0;
		if (errno != EEXIST)
			return -errno;
		error = remove_stale(path);
		if (error && error != -EAGAIN)
			return error;
	}
	return error ? error : -EADDRINUSE;
}

static int open_directory(const char *path)
{
	char name[PATH_OCTETS + 1];
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;

	memcpy(name, path, length);
	name[length] = '\0';
	return open(slash ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/*
 * Between finding a socket stale and removing it, no other backend may put its own
 * there: they take turns by a lock of the directory.  Whoever can read that can
 * hold the lock, so it is waited for, but not for ever.
 */
static int lock_directory(const char *path, bool *locked)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int fd = open_directory(path);
	int i;

	*locked = false;
	for (i = 0; fd >= 0 && i < LOCK_ATTEMPTS; i++) {
		*locked = !flock(fd, LOCK_EX | LOCK_NB);
		if (*locked || errno != EWOULDBLOCK)
			break;
		nanosleep(&pause, NULL);
	}
	return fd;
}

/* Whether a name in the directory is one beside PATH. */
static bool is_beside(const char *name, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base), i;

	if (strlen(name) != length + SUFFIX_OCTETS ||
	    memcmp(name, base, length) || name[length] != '.')
		return false;
	for (i = length + 1; name[i]; i++)
		if (!isxdigit((unsigned char)name[i]))
			return false;
	return true;
}

/* Those of backends that were killed while they took their place. */
static void remove_left_beside(int lock, const char *path)
{
	const char *slash = strrchr(path, '/');
	int before = slash ? (int)(slash - path) + 1 : 0;
	int fd = fcntl(lock, F_DUPFD_CLOEXEC, 0);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	char left[PATH_OCTETS + 1];
	struct dirent *entry;

	if (!folder) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(folder))) {
		if (!is_beside(entry->d_name, path))
			continue;
		if (snprintf(left, sizeof(left), "%.*s%s", before, path,
			     entry->d_name) < (int)sizeof(left))
			remove_stale(left);
	}
	closedir(folder);
}

static int remember(struct local_endpoint *endpoint, const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		return -errno;
	endpoint->device = status.st_dev;
	endpoint->inode = status.st_ino;
	return 0;
}

static int listen_at(struct local_endpoint *endpoint, const char *path)
{
	struct beside beside;
	int error = name_beside(path, &beside);
	int fd;

	if (error)
		return error;
	fd = listen_beside(&beside);
	if (fd < 0)
		return fd;
	error = remember(endpoint, beside.path);
	if (!error)
		error = take_place(&beside, path);
	unlink(beside.path);
	if (error) {
		close(fd);
		return error;
	}
	endpoint->listen_fd = fd;
	return 0;
}

/* In turn also because a name beside PATH is stale until it is listened on. */
static int listen_in_turn(struct local_endpoint *endpoint, const char *path)
{
	bool locked;
	int lock = lock_directory(path, &locked);
	int error;

	if (locked)
		remove_left_beside(lock, path);
	error = listen_at(endpoint, path);
	if (lock >= 0)
		close(lock);
	return error;
}

static void explain(int error, const char *path, char *text, size_t size)
{
	switch (error) {
	case -EADDRINUSE:
		snprintf(
			text, size,
			"a backend listens on %s already: stop it, or choose another path",
			path);
		break;
	case -EEXIST:
		snprintf(
			text, size,
			"%s is not a socket: remove it, or choose another path",
			path);
		break;
	default:
		snprintf(text, size, "cannot listen on %s: %s", path,
			 strerror(-error));
	}
}

int local_path_listen(struct local_endpoint *endpoint, char *error,
		      size_t error_size)
{
	int result = listen_in_turn(endpoint, endpoint->path);

	if (result)
		explain(result, endpoint->path, error, error_size);
	return result;
}

/* Not if another backend has taken the place. */
void local_path_leave(struct local_endpoint *endpoint)
{
	struct stat status;

	if (!lstat(endpoint->path, &status) &&
	    status.st_dev == endpoint->device &&
	    status.st_ino == endpoint->inode)
		unlink(endpoint->path);
}
