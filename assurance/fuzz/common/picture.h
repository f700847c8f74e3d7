/* SPDX-License-Identifier: MIT */
/* picture.h - what the fuzz targets of PNG and Y4M files share */
#ifndef HDMABUF_ASSURANCE_FUZZ_PICTURE_H
#define HDMABUF_ASSURANCE_FUZZ_PICTURE_H

#define _GNU_SOURCE
#include "assurance/fuzz/common/descriptors.h"
#include "assurance/fuzz/common/fuzz.h"

#include "reference-common/source.h"

#include <sys/mman.h>
#include <unistd.h>

/* A picture of the greatest size takes a second to decode: others show as much. */
#define FUZZ_PIXELS_MAX (1u << 18)

/* The readers take a path: that of a file in memory, the same for all inputs. */
static inline void fuzz_file_write(char *path, size_t path_size,
				   const uint8_t *octets, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("input", MFD_CLOEXEC);
	must(fd >= 0);
	must(!ftruncate(fd, 0));
	must(pwrite(fd, octets, size, 0) == (ssize_t)size);
	snprintf(path, path_size, "/proc/self/fd/%d", fd);
}

static inline void fuzz_check_format(const struct source *source)
{
	struct picture_format format = source->format;
	struct failure failure;
	unsigned int i;

	must(format.width && format.width <= PICTURE_SIDE_MAX);
	must(format.height && format.height <= PICTURE_SIDE_MAX);
	must(format.planes && format.planes <= PICTURE_PLANES_MAX);
	must(strnlen(source->private_text, PICTURE_PRIVATE_SIZE) <
	     PICTURE_PRIVATE_SIZE);
	/* Whoever gets the picture takes it over, and finds the same. */
	must(!picture_format_check(&format, source->format.octets, &failure));
	must(format.octets <= source->format.octets);
	for (i = 0; i < format.planes; i++)
		must(format.plane[i].rows == source->format.plane[i].rows &&
		     format.plane[i].row_octets ==
			     source->format.plane[i].row_octets);
}

static inline void fuzz_check_failure(const struct failure *failure)
{
	size_t length = strnlen(failure->text, FAILURE_SIZE);

	must(length && length < FAILURE_SIZE);
	must(!strchr(failure->text, '\n'));
}

/* Padding is not written: rows of it keep what was there. */
static inline void fuzz_check_padding(const struct picture_format *format,
				      const uint8_t *memory, uint8_t before)
{
	uint32_t row, i;

	for (row = 0; row < format->plane[0].rows; row++)
		for (i = format->plane[0].row_octets;
		     i < format->plane[0].stride; i++)
			must(picture_row(&format->plane[0], memory, row)[i] ==
			     before);
}

static inline void fuzz_read_frames(struct source *source, unsigned int most)
{
	uint8_t *memory = malloc((size_t)source->format.octets);
	struct failure failure;
	unsigned int frames = 0;
	int result = 1;

	must(memory);
	memset(memory, 0xa5, (size_t)source->format.octets);
	while (result == 1 && frames < most) {
		failure.text[0] = '\0';
		result = source_read(source, memory, &failure);
		if (result < 0)
			fuzz_check_failure(&failure);
		else
			fuzz_check_padding(&source->format, memory, 0xa5);
		frames += result == 1;
	}
	must(result >= 0 || !source->still);
	free(memory);
}

static inline void fuzz_try_source(const char *spec, unsigned int most)
{
	struct source *source;
	struct failure failure;

	failure.text[0] = '\0';
	source = source_open(spec, &failure);
	if (!source) {
		fuzz_check_failure(&failure);
		return;
	}
	fuzz_check_format(source);
	if ((uint64_t)source->format.width * source->format.height <=
	    FUZZ_PIXELS_MAX)
		fuzz_read_frames(source, most);
	source_close(source);
}

static inline void fuzz_picture_file(const char *kind, const uint8_t *octets,
				     size_t size, unsigned int most)
{
	char path[64], spec[80];
	uint64_t open;

	fuzz_file_write(path, sizeof(path), octets, size);
	snprintf(spec, sizeof(spec), "%s:%s", kind, path);
	open = fuzz_descriptors();
	fuzz_try_source(spec, most);
	must(fuzz_descriptors() == open);
}

#endif
