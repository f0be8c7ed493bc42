/* SPDX-License-Identifier: ISC */
/*
 * The main() of a target without libFuzzer: replays files and directories that are named, else
 * the stored corpus of the target that the program is called by.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"
#include "secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static size_t replayed;
static const char *present;	/* the input that is being replayed */

static void
replay_file(const char *path)
{
	struct secret bytes = { 0 };
	char part[4096];
	FILE *file = fopen(path, "r");
	uint8_t *exact;
	size_t size;

	if (file == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	while ((size = fread(part, 1, sizeof(part), file)) != 0)
		secret_append(&bytes, part, size);
	(void)fclose(file);
	/* Of its very size, so that a sanitizer sees a step beyond it. */
	exact = memory_new(bytes.size, 1);
	if (bytes.size != 0)
		memcpy(exact, bytes.bytes, bytes.size);
	present = path;
	(void)LLVMFuzzerTestOneInput(exact, bytes.size);
	replayed++;
	free(exact);
	secret_clear(&bytes);
}

static void
replay(const char *path)
{
	struct dirent **names;
	struct stat status;
	int count;

	if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode)) {
		replay_file(path);
		return;
	}
	if ((count = scandir(path, &names, NULL, alphasort)) == -1) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	for (int i = 0; i < count; i++) {
		char *file = memory_format("%s/%s", path, names[i]->d_name);

		if (names[i]->d_name[0] != '.')
			replay_file(file);
		free(file);
		free(names[i]);
	}
	free(names);
}

/* abort() and the sanitizers end the program on the spot: this says where. */
static void
tell_present(void)
{
	if (present != NULL)
		(void)fprintf(stderr, "while replaying %s\n", present);
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/'), *corpus = getenv("CERTLET_FUZZ_CORPUS");
	char *directory;

	(void)atexit(tell_present);
	name = name != NULL ? name + 1 : argv[0];
	directory = memory_format("%s/%s", corpus != NULL ? corpus : "tests/fuzz/corpus",
	    strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1)
		replay(directory);
	free(directory);
	present = NULL;
	if (replayed == 0) {
		(void)fprintf(stderr, "%s: nothing to replay\n", name);
		return EXIT_FAILURE;
	}
	(void)printf("%s: %zu inputs replayed\n", name, replayed);
	(void)printf("100%%: Checks: 1, Failures: 0, Errors: 0\n");	/* as bootstrap counts */
	return EXIT_SUCCESS;
}
