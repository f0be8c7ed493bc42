/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"
#include "memory.h"

void *
memory_must(void *block)
{
	static const char message[] = "certlet: out of memory\n";

	if (block == NULL) {
		(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
		_exit(EXIT_BROKEN);
	}
	return block;
}

void *
memory_new(size_t count, size_t size)
{
	return memory_must(calloc(count != 0 ? count : 1, size));
}

void *
memory_grow(void *block, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		memory_must(NULL);
	return memory_must(realloc(block, count * size != 0 ? count * size : 1));
}

void *
memory_take(size_t size)
{
	return memory_must(malloc(size != 0 ? size : 1));
}

void *
memory_retake(void *block, size_t size)
{
	if (size != 0)
		return memory_must(realloc(block, size));
	free(block);
	return NULL;
}

char *
memory_text(const char *text)
{
	return text != NULL ? memory_text_n(text, strlen(text)) : NULL;
}

void
memory_put(char **text, char *take_by)
{
	free(*text);
	*text = take_by;
}

void
memory_replace(char **text, const char *by)
{
	memory_put(text, memory_text(by));
}

char *
memory_text_n(const char *bytes, size_t size)
{
	char *text = memory_new(size + 1, 1);

	if (size != 0)
		memcpy(text, bytes, size);
	return text;
}

static char *
format_text(const char *format, va_list arguments)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		memory_must(NULL);
	text = memory_new((size_t)length + 1, 1);
	(void)vsnprintf(text, (size_t)length + 1, format, arguments);
	return text;
}

char *
memory_format(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = format_text(format, arguments);
	va_end(arguments);
	return text;
}

void
memory_append(char **text, const char *format, ...)
{
	va_list arguments;
	char *more;

	va_start(arguments, format);
	more = format_text(format, arguments);
	va_end(arguments);
	memory_put(text, memory_format("%s%s", *text, more));
	free(more);
}

void
words_add(struct words *words, const char *word)
{
	words->items = memory_grow(words->items, words->count + 2, sizeof(*words->items));
	words->items[words->count++] = memory_text(word);
	words->items[words->count] = NULL;
}

void
words_split(struct words *words, const char *text, const char *blanks)
{
	while (*(text += strspn(text, blanks)) != '\0') {
		const size_t length = strcspn(text, blanks);
		char *word = memory_text_n(text, length);

		words_add(words, word);
		free(word);
		text += length;
	}
}

void
words_copy(struct words *words, const struct words *from)
{
	*words = (struct words){ 0 };
	for (size_t i = 0; i < from->count; i++)
		words_add(words, from->items[i]);
}

bool
words_contain(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			return true;
	return false;
}

char *
words_join(const struct words *words, const char *between, size_t most, const char *none)
{
	char *joined = memory_text(words->count == 0 ? none : words->items[0]);

	for (size_t i = 1; i < words->count && i < most; i++)
		memory_append(&joined, "%s%s", between, words->items[i]);
	if (words->count > most)
		memory_append(&joined, " and %zu more", words->count - most);
	return joined;
}

void
words_clear(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
	*words = (struct words){ 0 };
}
