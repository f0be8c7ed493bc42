/* SPDX-License-Identifier: ISC */
#include "exposition.h"
#include "memory.h"

void
exposition_begin(struct exposition *page, const char *comment)
{
	*page = (struct exposition){ 0 };
	page->out = memory_must(open_memstream(&page->text, &page->size));
	if (comment != NULL)
		(void)fprintf(page->out, "# %s\n", comment);
}

void
exposition_metric(struct exposition *page, const char *name, const char *help)
{
	(void)fprintf(page->out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void
put_label(FILE *out, char before, const struct label *label)
{
	(void)fprintf(out, "%c%s=\"", before, label->name);
	for (const char *c = label->value; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\' || *c == '\n')
			(void)fputc('\\', out);
		(void)fputc(*c == '\n' ? 'n' : *c, out);
	}
	(void)fputc('"', out);
}

void
exposition_sample(struct exposition *page, const char *name, const struct label *first,
    const struct label *second, double value)
{
	(void)fputs(name, page->out);
	if (first != NULL)
		put_label(page->out, '{', first);
	if (second != NULL)
		put_label(page->out, first != NULL ? ',' : '{', second);
	/* Whole numbers up to those that a double can tell apart; times are such. */
	(void)fprintf(page->out, "%s %.16g\n", first != NULL || second != NULL ? "}" : "", value);
}

char *
exposition_end(struct exposition *page)
{
	return memory_must(fclose(page->out) == 0 ? page->text : NULL);
}
