/* SPDX-License-Identifier: MIT */
/*
 * shared.h - words and copies of memory that the other end can write
 *
 * Single reads and writes of a word, in the order that is asked for, and a copy
 * that the compiler does not go behind.  The other end is another machine's
 * processor: in a kernel these are the ``virt_`` barriers, which are barriers even in a
 * kernel that was built for one processor.
 */
#ifndef HDMABUF_SHARED_H
#define HDMABUF_SHARED_H

#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __KERNEL__
#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/string.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * hdmabuf_shared_read() - read a word once
 * @word: in shared memory
 *
 * Return: the number, in the order of this machine
 */
static inline uint32_t hdmabuf_shared_read(const hdmabuf_le32 *word)
{
#ifdef __KERNEL__
	return hdmabuf_get_le32(READ_ONCE(*word));
#else
	return hdmabuf_get_le32(__atomic_load_n(word, __ATOMIC_RELAXED));
#endif
}

/**
 * hdmabuf_shared_read_acquire() - read a word once, before all that follows
 * @word: in shared memory
 *
 * Return: the number, in the order of this machine
 */
static inline uint32_t hdmabuf_shared_read_acquire(const hdmabuf_le32 *word)
{
#ifdef __KERNEL__
	return hdmabuf_get_le32(virt_load_acquire(word));
#else
	return hdmabuf_get_le32(__atomic_load_n(word, __ATOMIC_ACQUIRE));
#endif
}

/**
 * hdmabuf_shared_write() - write a word once
 * @word: in shared memory
 * @number: in the order of this machine
 */
static inline void hdmabuf_shared_write(hdmabuf_le32 *word, uint32_t number)
{
#ifdef __KERNEL__
	WRITE_ONCE(*word, hdmabuf_put_le32(number));
#else
	__atomic_store_n(word, hdmabuf_put_le32(number), __ATOMIC_RELAXED);
#endif
}

/**
 * hdmabuf_shared_write_release() - write a word once, after all that went before
 * @word: in shared memory
 * @number: in the order of this machine
 */
static inline void hdmabuf_shared_write_release(hdmabuf_le32 *word,
						uint32_t number)
{
#ifdef __KERNEL__
	virt_store_release(word, hdmabuf_put_le32(number));
#else
	__atomic_store_n(word, hdmabuf_put_le32(number), __ATOMIC_RELEASE);
#endif
}

/**
 * hdmabuf_shared_barrier() - let nothing pass
 *
 * What was written before is seen by the other end before what follows is read.
 */
static inline void hdmabuf_shared_barrier(void)
{
#ifdef __KERNEL__
	virt_mb();
#else
	/* A sequentially consistent fence that ThreadSanitizer accepts. */
	__sync_synchronize();
#endif
}

/**
 * hdmabuf_shared_copy() - copy out of shared memory, once
 * @to: private memory
 * @from: shared memory
 * @octets: how many
 *
 * Afterwards the compiler knows nothing of what is at either place any more: it
 * cannot read the shared memory again instead of the copy.
 */
static inline void hdmabuf_shared_copy(void *to, const void *from,
				       size_t octets)
{
#ifdef __KERNEL__
	memcpy(to, from, octets);
#else
	__builtin_memcpy(to, from, octets);
#endif
	__asm__ __volatile__("" : : : "memory");
}

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_SHARED_H */
