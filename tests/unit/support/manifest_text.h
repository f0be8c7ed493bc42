/* SPDX-License-Identifier: ISC */
/* manifest_text: manifests from text, and what is said of wrong ones. */
#ifndef CERTLET_TESTS_MANIFEST_TEXT_H
#define CERTLET_TESTS_MANIFEST_TEXT_H

#include "manifest.h"
#include "support/text_file.h"

/* Two lines, so that what follows begins in line 3. */
#define VAULT_SECTION "[vault]\naddress = https://vault.example.com:8200\n"
#define PRESETS \
	"[service nginx]\n" \
	"test = /usr/sbin/nginx -t\n" \
	"verify = 127.0.0.1:443 sni=www.example.com\n" \
	"[service postfix]\n" \
	"reload = /usr/sbin/postfix reload\n" \
	"timeout = 1m\n" \
	"[end]\n"

/* NULL when the manifest has errors; `presets` NULL: there is no such file. */
static inline struct manifest *
manifest_of_presets(const char *text, const char *presets, struct manifest_errors *errors)
{
	char *file = text_file(text), *presets_file = presets != NULL ? text_file(presets) : NULL;
	struct manifest *manifest = manifest_read(file,
	    presets_file != NULL ? presets_file : "/nonexistent/services.ini", errors);

	text_file_remove(file);
	if (presets_file != NULL)
		text_file_remove(presets_file);
	return manifest;
}

/* A manifest without errors; [vault] is put in front and [end] behind. Caller frees. */
static inline struct manifest *
manifest_of(const char *sections)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest;
	char *text;

	ck_assert_int_ne(asprintf(&text, VAULT_SECTION "%s[end]\n", sections), -1);
	manifest = manifest_of_presets(text, PRESETS, &errors);
	for (size_t i = 0; i < errors.count; i++)
		ck_abort_msg("line %u: %s", errors.items[i].line, errors.items[i].text);
	free(text);
	return manifest;
}

static inline void
find_error(const struct manifest_errors *errors, unsigned int line, const char *words)
{
	for (size_t i = 0; i < errors->count; i++)
		if (errors->items[i].line == line && strstr(errors->items[i].text, words) != NULL)
			return;
	for (size_t i = 0; i < errors->count; i++)
		(void)fprintf(stderr, "line %u: %s\n", errors->items[i].line,
		    errors->items[i].text);
	ck_abort_msg("no error with \"%s\" in line %u", words, line);
}

/* Exactly one error, in that line of the text, with these words in it. */
static inline void
refuse_text(const char *text, unsigned int line, const char *words)
{
	struct manifest_errors errors = { 0 };

	ck_assert_ptr_null(manifest_of_presets(text, PRESETS, &errors));
	find_error(&errors, line, words);
	ck_assert_uint_eq(errors.count, 1);
	manifest_errors_clear(&errors);
}

/* The same for what stands between [vault], of two lines, and [end]. */
static inline void
refuse(const char *sections, unsigned int line, const char *words)
{
	char *text;

	ck_assert_int_ne(asprintf(&text, VAULT_SECTION "%s[end]\n", sections), -1);
	refuse_text(text, line, words);
	free(text);
}

#endif
