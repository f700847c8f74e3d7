/* SPDX-License-Identifier: MIT */
/*
 * Gives files to a fuzz target, one after the other: a corpus, or what a fuzzer found.
 *
 *	fuzz_NAME FILE|FOLDER...
 *
 * Exits 0 if all of them passed, 1 if there was none, 66 if one cannot be read; what
 * breaks a promise aborts, and the file is named before.
 */
#include "assurance/fuzz/common/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

/* Larger than any input that a fuzzer is allowed to make. */
#define INPUT_MAX (1u << 20)

static _Noreturn void cannot_read(const char *path)
{
	fprintf(stderr, "%s: cannot read: %s\n", path, strerror(errno));
	exit(66);
}

static unsigned int replay_file(const char *path)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *octets = fuzz_alloc(INPUT_MAX);
	uint8_t *exact;
	size_t size;

	if (!file)
		cannot_read(path);
	size = fread(octets, 1, INPUT_MAX, file);
	if (ferror(file))
		cannot_read(path);
	fclose(file);
	/* Of its own size, so that a sanitizer sees what is read behind it. */
	exact = fuzz_alloc(size);
	memcpy(exact, octets, size);
	free(octets);
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 1;
}

static unsigned int replay_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	char file[PATH_MAX];
	unsigned int replayed = 0;
	int i;

	if (count < 0)
		cannot_read(path);
	for (i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", path,
				 entries[i]->d_name);
			replayed += replay_file(file);
		}
		free(entries[i]);
	}
	free(entries);
	return replayed;
}

int main(int argc, char **argv)
{
	unsigned int replayed = 0;
	struct stat status;
	int i;

	for (i = 1; i < argc; i++) {
		if (stat(argv[i], &status))
			cannot_read(argv[i]);
		replayed += S_ISDIR(status.st_mode) ? replay_folder(argv[i]) :
						      replay_file(argv[i]);
	}
	if (!replayed) {
		fprintf(stderr, "usage: %s FILE|FOLDER...\n", argv[0]);
		return 1;
	}
	return 0;
}
