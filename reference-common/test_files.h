/* SPDX-License-Identifier: MIT */
/* Files for tests: each test works in a folder of its own, gone afterwards. */

#ifndef REFERENCE_COMMON_TEST_FILES_H
#define REFERENCE_COMMON_TEST_FILES_H

#include "tests/harness.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct test_file {
	uint8_t *octets;
	size_t count;
};

#define FOLDER_NAME_SIZE 256

/* A setup function of cmocka: makes a folder and goes there. */
static inline int enter_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *name = malloc(FOLDER_NAME_SIZE);

	snprintf(name, FOLDER_NAME_SIZE, "%s/hdmabuf-test-XXXXXX",
		 tmp ? tmp : "/tmp");
	*state = name;
	return mkdtemp(name) ? chdir(name) : -1;
}

/* The teardown function that belongs to it. */
static inline int leave_folder(void **state)
{
	DIR *folder = opendir(".");
	struct dirent *entry;
	int result;

	while ((entry = readdir(folder)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove(entry->d_name);
	closedir(folder);
	result = chdir("/") || rmdir(*state);
	free(*state);
	return result;
}

#define folder_test(function) \
	cmocka_unit_test_setup_teardown(function, enter_folder, leave_folder)

static inline void write_file(const char *name, const void *octets,
			      size_t count)
{
	FILE *stream = fopen(name, "wb");

	assert_non_null(stream);
	assert_int_equal(fwrite(octets, 1, count, stream), count);
	assert_int_equal(fclose(stream), 0);
}

/* The caller frees octets. */
static inline struct test_file read_file(const char *name)
{
	struct test_file file = { 0 };
	struct stat status;
	FILE *stream = fopen(name, "rb");

	assert_non_null(stream);
	assert_int_equal(fstat(fileno(stream), &status), 0);
	file.count = (size_t)status.st_size;
	file.octets = malloc(file.count + 1);
	assert_non_null(file.octets);
	assert_int_equal(fread(file.octets, 1, file.count, stream), file.count);
	fclose(stream);
	return file;
}

static inline void assert_same_file(const char *name, const char *other)
{
	struct test_file a = read_file(name), b = read_file(other);

	assert_int_equal(a.count, b.count);
	assert_memory_equal(a.octets, b.octets, a.count);
	free(a.octets);
	free(b.octets);
}

static inline int exists(const char *name)
{
	return !access(name, F_OK);
}

/* An error text must be one line that has this in it. */
static inline void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
	assert_null(strchr(text, '\n'));
}

/* Deterministic noise, never the same for neighbours. */
static inline uint8_t noise(uint32_t number)
{
	number = number * 2654435761u + 12345;
	return (uint8_t)(number >> 16 ^ number >> 24);
}

#endif
