/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>
#include <openssl/asn1.h>

#include "file.h"
#include "inifile.h"
#include "memory.h"
#include "set.h"

#define BLANKS " \t"
#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* What an indented line would go on. */
enum before { BEFORE_NOTHING, BEFORE_PAIR, BEFORE_BROKEN };

struct reader {
	const char *next, *end;	/* the text that was not read yet */
	unsigned int line;	/* the one that was read last */
	struct inifile *inifile;
	struct inifile_section *section;	/* NULL: none yet, or one whose header is wrong */
	struct set titles, keys;	/* seen in the file, seen in the section; by line */
	enum before before;
	bool in_file;		/* past the lines before the first header, which are told once */
	bool ended;		/* [end] was read */
	bool told_return;	/* carriage returns are told once, not on every line */
	char handed[INIFILE_LINE_BYTES + 1];	/* what libinih has to split now */
	bool goes_on;		/* it goes on the pair before */
	bool split;		/* libinih did split it */
	struct manifest_errors *errors;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What keeps the bytes from being a line of text; NULL: nothing. */
static const char *
text_problem(const char *bytes, size_t size)
{
	const unsigned char *next = (const unsigned char *)bytes;
	unsigned long character = 0;

	if (size > INIFILE_LINE_BYTES && (*bytes != '[' || size > INIFILE_HEADER_BYTES))
		return "is over 198 bytes long; a list or a command may go on on an indented line";
	while (size > 0) {
		const int length = UTF8_getc(next, (int)size, &character);

		if (length <= 0)
			return "is not UTF-8";
		if (character == 0)
			return "holds a NUL";
		if ((character < 0x20 && character != '\t') ||
		    (character >= 0x7f && character < 0xa0))
			return "holds a control character";
		next += length;
		size -= (size_t)length;
	}
	return NULL;
}

/* A file from another system: one error says it all, and the lines are judged without. */
static size_t
strip_return(struct reader *reader, const char *bytes, size_t size)
{
	if (size == 0 || bytes[size - 1] != '\r')
		return size;
	if (!reader->told_return)
		(void)manifest_errors_add(reader->errors, reader->line,
		    "ends in a carriage return; lines end in a newline alone");
	reader->told_return = true;
	return size - 1;
}

/* A line that is left out may have been a header or a key: what follows it is not judged by it. */
static void
leave_out(struct reader *reader, bool was_header)
{
	reader->before = BEFORE_BROKEN;
	if (was_header) {
		reader->section = NULL;
		reader->in_file = true;
	}
}

/* The next line that is text, without its newline; false at the end. */
static bool
take_line(struct reader *reader, char line[INIFILE_HEADER_BYTES + 1])
{
	while (reader->next < reader->end) {
		const char *start = reader->next, *problem;
		const char *newline = memchr(start, '\n', (size_t)(reader->end - start));
		size_t size = (size_t)((newline != NULL ? newline : reader->end) - start);

		reader->line++;
		reader->next = newline != NULL ? newline + 1 : reader->end;
		if (newline == NULL)
			(void)manifest_errors_add(reader->errors, reader->line,
			    "the last line does not end in a newline: the file may be cut short");
		size = strip_return(reader, start, size);
		if ((problem = text_problem(start, size)) == NULL) {
			memcpy(line, start, size);
			line[size] = '\0';
			return true;
		}
		(void)manifest_errors_add(reader->errors, reader->line, "the line %s", problem);
		leave_out(reader, size > 0 && *start == '[');
	}
	return false;
}

static void
cut_comment_and_blanks(char *line)
{
	size_t end = 0;

	for (size_t i = 0; line[i] != '\0'; i++) {
		if ((line[i] == ';' || line[i] == '#') && (i == 0 || is_blank(line[i - 1])))
			break;
		if (!is_blank(line[i]))
			end = i + 1;
	}
	line[end] = '\0';
}

static void
add_section(struct reader *reader, const char *kind, const char *name)
{
	struct inifile *inifile = reader->inifile;
	struct inifile_section *section;
	const struct set_item *first;
	bool is_new;

	inifile->sections = memory_grow(inifile->sections, inifile->section_count + 1,
	    sizeof(*inifile->sections));
	section = &inifile->sections[inifile->section_count++];
	*section = (struct inifile_section){
		.title = name != NULL ? memory_format("%s %s", kind, name) : memory_text(kind),
		.kind = memory_text(kind), .name = memory_text(name), .line = reader->line,
	};
	first = set_add(&reader->titles, section->title, reader->line, &is_new);
	if (!is_new)
		(void)manifest_errors_add(reader->errors, reader->line,
		    "[%s] again: it stands in line %zu already", section->title, first->number);
	reader->section = section;
}

/* `line` begins with '['. */
static void
read_header(struct reader *reader, char *line)
{
	char *close = strchr(line, ']'), *rest = NULL, *kind, *name;
	bool ragged;

	reader->section = NULL;
	reader->in_file = true;
	reader->before = BEFORE_NOTHING;
	set_clear(&reader->keys);
	if (close == NULL || close[1] != '\0') {
		(void)manifest_errors_add(reader->errors, reader->line, "%s", close == NULL ?
		    "a section header that does not end in ]" :
		    "text after the ] of a section header");
		return;
	}
	ragged = is_blank(line[1]) || is_blank(close[-1]);
	*close = '\0';
	kind = strtok_r(line + 1, BLANKS, &rest);
	name = strtok_r(NULL, BLANKS, &rest);
	if (ragged || kind == NULL || strtok_r(NULL, BLANKS, &rest) != NULL)
		(void)manifest_errors_add(reader->errors, reader->line, "a section header is [SECTION] or "
		    "[SECTION NAME]; there is no blank in the NAME or beside a bracket");
	else if (strcmp(kind, "end") == 0 && name == NULL)
		reader->ended = true;
	else
		add_section(reader, kind, name);
}

static bool
looks_like_key(const char *text)
{
	const size_t length = strspn(text, KEY_CHARACTERS);

	return text[length + strspn(text + length, BLANKS)] == '=';
}

/* Whether an indented line can go on the pair before; told if not. */
static bool
accept_indented(struct reader *reader, const char *line)
{
	const char *text = line + strspn(line, BLANKS);
	const char *problem = NULL;

	if (*text == '[')
		problem = "an indented line that looks like a section header";
	else if (looks_like_key(text))
		problem = "an indented line that looks like a key";
	else if (reader->before == BEFORE_NOTHING)
		problem = "an indented line that goes on nothing";
	if (problem == NULL)
		return reader->before == BEFORE_PAIR;
	(void)manifest_errors_add(reader->errors, reader->line, "%s", problem);
	leave_out(reader, *text == '[');
	return false;
}

/*
 * libinih would take "KEY: VALUE" as well, and "test /bin/x:y" for a key. The line is not repeated
 * in the error: who names the wrong file on the command line may have named a secret.
 */
static bool
accept_pair(struct reader *reader, const char *line)
{
	const size_t length = strcspn(line, "=:");

	reader->before = BEFORE_BROKEN;
	if (!reader->in_file)
		(void)manifest_errors_add(reader->errors, reader->line,
		    "stands before the first [SECTION]");
	else if (length == 0 || line[length] != '=')
		(void)manifest_errors_add(reader->errors, reader->line,
		    "neither [SECTION] nor KEY = VALUE");
	else
		return reader->section != NULL;
	reader->in_file = true;
	return false;
}

/* An ini_reader: gives libinih one line that it can split, and keeps all others from it. */
static char *
next_line(char *buffer, int room, void *stream)
{
	struct reader *reader = stream;
	char line[INIFILE_HEADER_BYTES + 1];

	while (take_line(reader, line)) {
		cut_comment_and_blanks(line);
		if (*line == '\0')
			continue;
		if (reader->ended) {
			(void)manifest_errors_add(reader->errors, reader->line,
			    "text after [end], which is the last line");
			reader->next = reader->end;
			break;
		}
		reader->goes_on = is_blank(*line);
		if (*line == '[') {
			read_header(reader, line);
		} else if (reader->goes_on ? accept_indented(reader, line) :
		    accept_pair(reader, line)) {
			if (!reader->split || strlen(line) >= (size_t)room)
				break;
			reader->split = false;
			memcpy(reader->handed, line, strlen(line) + 1);
			return memcpy(buffer, line, strlen(line) + 1);
		}
	}
	return NULL;
}

static bool
ends_in(const char *text, const char *end)
{
	const size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void
add_pair(struct reader *reader, const char *key, const char *value)
{
	struct inifile_section *section = reader->section;
	const struct set_item *first;
	struct inifile_pair *pair;
	bool is_new;

	section->pairs = memory_grow(section->pairs, section->pair_count + 1,
	    sizeof(*section->pairs));
	pair = &section->pairs[section->pair_count++];
	*pair = (struct inifile_pair){ memory_text(key), memory_text(value), reader->line };
	first = set_add(&reader->keys, pair->key, reader->line, &is_new);
	if (!is_new)
		(void)manifest_errors_add(reader->errors, reader->line,
		    "%s again: it stands in line %zu already", key, first->number);
	reader->before = BEFORE_PAIR;
}

/* An ini_handler. Where a value goes on its key is cut at 49 bytes: only the value counts then. */
static int
keep_pair(void *user, const char *section_name, const char *key, const char *value)
{
	struct reader *reader = user;

	(void)section_name;
	if (reader->split || !ends_in(reader->handed, value) ||
	    (!reader->goes_on && strncmp(reader->handed, key, strlen(key)) != 0))
		return 0;
	reader->split = true;
	if (reader->goes_on)
		memory_append(&reader->section->pairs[reader->section->pair_count - 1].value, "\n%s",
		    value);
	else
		add_pair(reader, key, value);
	return 1;
}

static void
read_text(const struct secret *text, struct inifile *inifile, struct manifest_errors *errors)
{
	struct reader reader = {
		.next = text->bytes, .end = text->bytes + text->size,
		.inifile = inifile, .errors = errors, .split = true,
	};

	/* A libinih that was built in another way may refuse what ours accepts: never silently. */
	if (ini_parse_stream(next_line, &reader, keep_pair, &reader) != 0 || !reader.split ||
	    reader.next != reader.end)
		(void)manifest_errors_add(errors, reader.line, "libinih cannot take this line");
	if (!reader.ended)
		(void)manifest_errors_add(errors, reader.line,
		    "no [end]: it is the last line of every manifest, so that one cut short is "
		    "none");
	set_clear(&reader.titles);
	set_clear(&reader.keys);
}

enum inifile_answer
inifile_read(const char *file, struct inifile *out_inifile, struct manifest_errors *errors)
{
	struct secret text = { 0 };
	struct failure why = { 0 };

	*out_inifile = (struct inifile){ 0 };
	switch (file_read_path(file, INIFILE_LIMIT_BYTES, &text, &out_inifile->status, &why)) {
	case FOUND_FILE:
		read_text(&text, out_inifile, errors);
		secret_clear(&text);
		return INIFILE_READ;
	case FOUND_ABSENT:
		(void)manifest_errors_add(errors, 0, "there is no such file");
		return INIFILE_ABSENT;
	case FOUND_FAILED:
		break;
	}
	(void)manifest_errors_add(errors, 0, "%s", why.text);
	return INIFILE_FAILED;
}

static void
clear_section(struct inifile_section *section)
{
	for (size_t i = 0; i < section->pair_count; i++) {
		free(section->pairs[i].key);
		free(section->pairs[i].value);
	}
	free(section->pairs);
	free(section->title);
	free(section->kind);
	free(section->name);
}

void
inifile_clear(struct inifile *inifile)
{
	for (size_t i = 0; i < inifile->section_count; i++)
		clear_section(&inifile->sections[i]);
	free(inifile->sections);
	*inifile = (struct inifile){ 0 };
}

const struct inifile_pair *
inifile_find(const struct inifile_section *section, const char *key)
{
	for (size_t i = section->pair_count; i > 0; i--)
		if (strcmp(section->pairs[i - 1].key, key) == 0)
			return &section->pairs[i - 1];
	return NULL;
}
