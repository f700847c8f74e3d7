/* SPDX-License-Identifier: MIT */
/* paths.h - what is sent and described again and again in the benchmark */
#ifndef HDMABUF_BENCH_PATHS_H
#define HDMABUF_BENCH_PATHS_H

#include <hdmabuf/codec.h>
#include <hdmabuf/descriptor.h>
#include <hdmabuf/directory.h>

/* A frame of 3840x2160 pixels of four octets. */
#define FRAME_OCTETS	(3840ul * 2160 * 4)
#define FRAME_PAGES	8100
#define PAGE_OCTETS	4096
#define PAGE_SHIFT	12
#define DIRECTORY_PAGES 128 /* that the frame needs at most, in any format */

/* The description of a frame, its directory, and memory to read that into. */
struct described {
	struct hdmabuf_info info;
	struct hdmabuf_layout layout;
	struct hdmabuf_id id;
	uint64_t run_count;
	struct hdmabuf_run runs[FRAME_PAGES];
	struct hdmabuf_run found[FRAME_PAGES];
	struct hdmabuf_run sorted[FRAME_PAGES];
	uint64_t own[DIRECTORY_PAGES];
	uint64_t scratch[PAGE_OCTETS / 8];
	_Alignas(PAGE_OCTETS) uint8_t pages[DIRECTORY_PAGES][PAGE_OCTETS];
};

/* A frame whose references follow each other, or don't. */
void described_init(struct described *it, uint32_t format, bool scattered);

/* Write its directory; read it, check it, and that no page comes twice. */
void described_build(struct described *it);
void described_read(struct described *it);
void described_check_unique(struct described *it);

/* A hand-off as a request, and what answers it. */
void hand_off_encode(union hdmabuf_message *message, uint32_t id,
		     uint64_t stamp);
/* Decodes and checks; returns false if it is not what was sent. */
bool hand_off_answer(const union hdmabuf_message *message,
		     union hdmabuf_message *answer);
bool hand_off_is_answered(const union hdmabuf_message *answer, uint32_t id);

#endif
