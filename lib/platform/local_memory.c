/* SPDX-License-Identifier: MIT */
/*
 * local_memory.c - descriptors of memory: seals, sizes, how many there are
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/memory/memory.h"
#include "local.h"

static int access_mode(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : flags & O_ACCMODE;
}

/* ---- of this end -------------------------------------------------------- */

static bool is_read_only(int seals)
{
	return seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE);
}

/* HDB-LOCAL-007 and HDB-LOCAL-009: F_SEAL_SEAL makes either choice a final one. */
static int seal_memfd(int fd, bool writable)
{
	int needed = F_SEAL_SHRINK | F_SEAL_SEAL;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return -errno;
	if (writable && is_read_only(seals))
		return -EACCES;
	if (!writable && !is_read_only(seals))
		needed |= F_SEAL_FUTURE_WRITE;
	if (!(needed & ~seals))
		return 0;
	if (!fcntl(fd, F_ADD_SEALS, needed | F_SEAL_GROW))
		return 0;
	return errno == EPERM || errno == EINVAL ? -EACCES : -errno;
}

/* Make memory of this end fit to be granted; @pages is how many it must have. */
int local_memory_seal(int fd, bool writable, uint64_t pages,
		      uint32_t page_shift)
{
	uint64_t octets = 0;
	enum memory_kind kind = memory_identify(fd, &octets);
	int access = access_mode(fd);

	if (kind == MEMORY_NONE || octets >> page_shift < pages)
		return -EINVAL;
	if (access == O_WRONLY || (writable && access != O_RDWR))
		return -EACCES;
	if (kind == MEMORY_MEMFD)
		return seal_memfd(fd, writable);
	return !writable && access != O_RDONLY ? -EACCES : 0;
}

/* A descriptor to be sent, to be closed then: read-only where that is possible. */
int local_memory_open_for_peer(int fd, bool writable)
{
	char path[40];
	int copy = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!writable)
		copy = open(path, O_RDONLY | O_CLOEXEC);
	if (copy < 0)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return copy < 0 ? -errno : copy;
}

/* ---- of the peer -------------------------------------------------------- */

/* HDB-LOCAL-008: what is wrong with memory that the peer grants, or NULL. */
const char *local_memory_check(int fd, bool writable, uint64_t pages,
			       uint32_t page_shift)
{
	uint64_t octets = 0;
	enum memory_kind kind = memory_identify(fd, &octets);
	int access = access_mode(fd);

	if (kind == MEMORY_NONE)
		return "GRANT of what is neither a memfd nor a dma-buf";
	if (octets >> page_shift < pages)
		return "GRANT of pages that the memory does not have";
	if (kind == MEMORY_MEMFD && !(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK))
		return "GRANT of a memfd that may shrink";
	if (access != O_RDWR && (writable || access != O_RDONLY))
		return "GRANT of rights that the descriptor does not have";
	return NULL;
}

/* ---- how many ----------------------------------------------------------- */

static struct local_memory *find(struct local_memories *memories,
				 const struct stat *status, int access)
{
	struct local_memory *memory;

	LIST_FOREACH(memory, &memories->list, entry)
		if (memory->device == status->st_dev &&
		    memory->inode == status->st_ino && memory->access == access)
			return memory;
	return NULL;
}

static int add(struct local_memories *memories, const struct stat *status,
	       int access, struct local_memory **result)
{
	struct local_memory *memory;

	if (memories->count >= HDMABUF_LOCAL_MEMORIES_MAX)
		return -ENOSPC;
	memory = calloc(1, sizeof(*memory));
	if (!memory)
		return -ENOMEM;
	memory->device = status->st_dev;
	memory->inode = status->st_ino;
	memory->access = access;
	memory->fd = -1;
	LIST_INSERT_HEAD(&memories->list, memory, entry);
	memories->count++;
	*result = memory;
	return 0;
}

/* The memory behind a descriptor, with one user more. */
int local_memory_get(struct local_memories *memories, int fd,
		     struct local_memory **memory)
{
	int access = access_mode(fd);
	struct stat status;
	int error = 0;

	if (access < 0 || fstat(fd, &status))
		return -EINVAL;
	*memory = find(memories, &status, access);
	if (!*memory)
		error = add(memories, &status, access, memory);
	if (!error)
		(*memory)->users++;
	return error;
}

/* Returns true if that was the last user. */
bool local_memory_put(struct local_memories *memories,
		      struct local_memory *memory)
{
	if (--memory->users)
		return false;
	LIST_REMOVE(memory, entry);
	memories->count--;
	if (memory->fd >= 0)
		close(memory->fd);
	free(memory);
	return true;
}
