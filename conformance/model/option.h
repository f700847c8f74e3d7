/* SPDX-License-Identifier: MIT */
/* option.h - what an implementation may claim, and the file in which it does */
#ifndef CONFORMANCE_OPTION_H
#define CONFORMANCE_OPTION_H

#include <hyper_dmabuf.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, "word", feature bit or 0, "what who claims it can do") */
/* clang-format off */
#define OPTIONS(X) \
	X(IMPORT, "import", 0, "imports buffers; raw data, or else pictures") \
	X(RAW, "raw", 0, "imports buffers of raw data") \
	X(PICTURE, "picture", 0, "imports pictures in XRGB8888") \
	X(CONTROL, "control", 0, "follows the control protocol") \
	X(EVENTS, "events", 0, "tells of events by the control protocol") \
	X(MANY, "many", 0, "serves several frontends at once") \
	X(ALLOCATES, "allocates", 0, "allocates what ALLOCATE asks for") \
	X(TABLE, "table", HDMABUF_FEATURE_TABLE, "the feature TABLE") \
	X(EXTENTS, "extents", HDMABUF_FEATURE_EXTENTS, "the feature EXTENTS") \
	X(UPDATE, "update", HDMABUF_FEATURE_UPDATE, "the feature UPDATE") \
	X(LEND, "lend", HDMABUF_FEATURE_LEND, "the feature LEND") \
	X(ALLOCATE, "allocate", HDMABUF_FEATURE_ALLOCATE, "the feature ALLOCATE") \
	X(CPU_ACCESS, "cpu-access", HDMABUF_FEATURE_CPU_ACCESS, "the feature CPU_ACCESS") \
	X(GROUP, "group", HDMABUF_FEATURE_GROUP, "the feature GROUP") \
	X(CYCLIC, "cyclic", HDMABUF_FEATURE_CYCLIC, "the feature CYCLIC") \
	X(WRITE_COMBINED, "write-combined", HDMABUF_FEATURE_WRITE_COMBINED, \
	  "the feature WRITE_COMBINED") \
	X(MARKS, "ring-format-1", 0, "ring format 1")
/* clang-format on */

#define OPTION_NUMBER(name, word, feature, text) OPTION_NUMBER_##name,
#define OPTION_BIT(name, word, feature, text) \
	OPTION_##name = 1u << OPTION_NUMBER_##name,

enum option_number {
	OPTIONS(OPTION_NUMBER) OPTION_COUNT
};

/* OPTION_IMPORT and so on, to be combined. */
enum claim {
	OPTIONS(OPTION_BIT)
};

const char *option_word(unsigned int number);
const char *option_text(unsigned int number);
uint64_t option_feature(unsigned int number);

/**
 * struct statement - what an implementation claims
 * @name: of the implementation
 * @options: bits of &enum claim
 */
struct statement {
	char name[128];
	uint32_t options;
};

/**
 * statement_read() - read a statement from a file
 * @path: the file
 * @statement: is filled
 * @error: receives one line about what is wrong and where
 * @size: of @error
 *
 * Return: false if it cannot be read or is wrong
 */
bool statement_read(const char *path, struct statement *statement, char *error,
		    size_t size);

#endif
