/* SPDX-License-Identifier: ISC */
/* status.json, as --status and --check read it: whatever it holds, a terminal stays as it is. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "memory.h"
#include "status-read.h"

static char directory[] = "/tmp/certlet-fuzz-XXXXXX";
static int file = -1;
static int printed = -1;	/* what stands in for standard output */

static void
tear_down(void)
{
	char *path = memory_format("%s/" STATUS_FILE_NAME, directory);

	(void)unlink(path);
	(void)rmdir(directory);
	free(path);
}

static void
set_up(void)
{
	char *path;

	MUST(mkdtemp(directory) != NULL);
	(void)atexit(tear_down);
	path = memory_format("%s/" STATUS_FILE_NAME, directory);
	MUST((file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) != -1);
	MUST((printed = memfd_create("printed", MFD_CLOEXEC)) != -1);
	free(path);
}

/* Standard output goes into a file until end_capture(), whose answer the caller frees. */
static int
begin_capture(void)
{
	const int real = dup(STDOUT_FILENO);

	(void)fflush(stdout);
	MUST(real != -1 && ftruncate(printed, 0) == 0 && lseek(printed, 0, SEEK_SET) == 0);
	MUST(dup2(printed, STDOUT_FILENO) != -1);
	return real;
}

static char *
end_capture(int real)
{
	off_t size;
	char *text;

	(void)fflush(stdout);
	MUST(dup2(real, STDOUT_FILENO) != -1);
	(void)close(real);
	MUST((size = lseek(printed, 0, SEEK_END)) != -1);
	text = memory_new((size_t)size + 1, 1);
	MUST(pread(printed, text, (size_t)size, 0) == size);
	return text;
}

static void
check_show(const struct words *names, bool json)
{
	struct failure why = { 0 };
	const int real = begin_capture();
	const int result = status_show(directory, names, json, FUZZ_NOW, &why);
	char *text = end_capture(real);

	MUST(result == 0 || fuzz_is_line(why.text));
	/* Programs read JSON, and DEL need not be escaped there. */
	for (char *c = json ? strchr(text, 0x7f) : NULL; c != NULL; c = strchr(c, 0x7f))
		*c = '?';
	for (char *line = text, *rest; (line = strtok_r(line, "\n", &rest)) != NULL; line = NULL)
		MUST(fuzz_is_line(line));
	free(text);
}

/* One line, in which one bar at most separates the words from the figures. */
static void
check_check(void)
{
	const int real = begin_capture();
	const enum check_result result = status_check(directory, FUZZ_NOW);
	char *text = end_capture(real);
	const size_t length = strlen(text);

	MUST(result <= CHECK_UNKNOWN && strncmp(text, "CERTLET ", 8) == 0);
	MUST(length != 0 && text[length - 1] == '\n');
	text[length - 1] = '\0';
	MUST(fuzz_is_line(text));
	MUST(strchr(text, '|') == strrchr(text, '|'));
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct seen_status status;
	struct words names = { 0 };
	struct failure why = { 0 };

	if (file == -1)
		set_up();
	MUST(ftruncate(file, 0) == 0 && pwrite(file, bytes, size, 0) == (ssize_t)size);
	if (status_read(directory, FUZZ_NOW, &status, &why) == 0) {
		if (status.certificate_count != 0)
			words_add(&names, status.certificates[0].name);
		status_clear(&status);
		check_show(&(const struct words){ 0 }, false);
		check_show(&names, false);
		check_show(&names, true);
	} else {
		MUST(why.kind == FAILURE_SETUP);
	}
	check_check();
	words_clear(&names);
	return 0;
}
