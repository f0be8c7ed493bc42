/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "manifest-errors.h"
#include "memory.h"

int
manifest_errors_add(struct manifest_errors *errors, unsigned int line, const char *format, ...)
{
	char text[FAILURE_TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	errors->items = memory_grow(errors->items, errors->count + 1, sizeof(*errors->items));
	errors->items[errors->count++] = (struct manifest_error){ line, memory_text(text) };
	return -1;
}

void
manifest_errors_add_file(struct manifest_errors *errors, const char *file,
    const struct manifest_errors *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct manifest_error *error = &from->items[i];

		if (error->line != 0)
			(void)manifest_errors_add(errors, 0, "%s: line %u: %s", file, error->line,
			    error->text);
		else
			(void)manifest_errors_add(errors, 0, "%s: %s", file, error->text);
	}
}

static int
compare_errors(const void *a, const void *b)
{
	const struct manifest_error *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return strcmp(x->text, y->text);
}

void
manifest_errors_sort(struct manifest_errors *errors)
{
	if (errors->count != 0)
		qsort(errors->items, errors->count, sizeof(*errors->items), compare_errors);
}

void
manifest_errors_clear(struct manifest_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		free(errors->items[i].text);
	free(errors->items);
	*errors = (struct manifest_errors){ 0 };
}
