/* SPDX-License-Identifier: MIT */
/*
 * shared.h - the accesses of include/hdmabuf/shared.h, as a proof sees them
 *
 * A word that is read may be any number, whatever was there before: the other end
 * may have written it in between.
 */
#ifndef HDMABUF_SHARED_H
#define HDMABUF_SHARED_H

/*@ requires \valid_read(word);
    assigns \nothing; */
uint32_t hdmabuf_shared_read(const hdmabuf_le32 *word);

/*@ requires \valid_read(word);
    assigns \nothing; */
uint32_t hdmabuf_shared_read_acquire(const hdmabuf_le32 *word);

/*@ requires \valid(word);
    assigns *word; */
void hdmabuf_shared_write(hdmabuf_le32 *word, uint32_t number);

/*@ requires \valid(word);
    assigns *word; */
void hdmabuf_shared_write_release(hdmabuf_le32 *word, uint32_t number);

/*@ assigns \nothing; */
void hdmabuf_shared_barrier(void);

/* In lib/core, it is messages that are copied. */
/*@ requires \valid(to) && \valid_read(from);
    assigns ((char *)to)[0 .. 63]; */
void proof_copy_message(union hdmabuf_message *to,
			const union hdmabuf_message *from);

#define hdmabuf_shared_copy(to, from, octets) proof_copy_message(to, from)

#endif
