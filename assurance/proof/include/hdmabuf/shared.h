/* SPDX-License-Identifier: MIT */
/*
 * shared.h - the accesses of include/hdmabuf/shared.h, as a proof sees them
 *
 * A word that is read may be any number, whatever was there before: the other end
 * may have written it in between.
 */
#ifndef HDMABUF_SHARED_H
#define HDMABUF_SHARED_H

/* What was read last with acquire: what follows is about this word, and no other. */
//@ ghost uint32_t proof_seen;

/*@ requires \valid_read(word);
    assigns \nothing; */
uint32_t hdmabuf_shared_read(const hdmabuf_le32 *word);

/*@ requires \valid_read(word);
    assigns proof_seen;
    ensures \result == proof_seen; */
uint32_t hdmabuf_shared_read_acquire(const hdmabuf_le32 *word);

/*@ requires \valid(word);
    assigns *word; */
void hdmabuf_shared_write(hdmabuf_le32 *word, uint32_t number);

/*@ requires \valid(word);
    assigns *word; */
void hdmabuf_shared_write_release(hdmabuf_le32 *word, uint32_t number);

/*@ assigns \nothing; */
void hdmabuf_shared_barrier(void);

/*@ requires \valid((char *)to + (0 .. octets - 1));
    requires \valid_read((char *)from + (0 .. octets - 1));
    assigns ((char *)to)[0 .. octets - 1]; */
void hdmabuf_shared_copy(void *to, const void *from, size_t octets);

#endif
