/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "complaint.h"

#define RAW_BYTES_MOST 4096	/* of a server's words we look at */
#define REQUEST_ID_BYTES_MOST 64
#define SECRET_BYTES_LEAST 8	/* a shorter one is none, and may well be a word */

static void
join(struct secret *words, const json_t *list)
{
	const json_t *item;
	size_t index;

	json_array_foreach(list, index, item) {
		if (!json_is_string(item))
			continue;
		if (words->size != 0)
			secret_append(words, "; ", 2);
		secret_append(words, json_string_value(item), json_string_length(item));
	}
}

static void
mask(struct secret *words, const struct secret *ours)
{
	char *found;

	if (ours == NULL || ours->size < SECRET_BYTES_LEAST || words->size == 0)
		return;
	while ((found = memmem(words->bytes, words->size, ours->bytes, ours->size)) != NULL)
		memset(found, '*', ours->size);
}

/* Runs of blanks and control characters become one blank; the rest that is no ASCII becomes '?'. */
static void
copy_clean(char *text, size_t room, const struct secret *words)
{
	size_t length = 0;
	bool blank = false;

	for (size_t i = 0; i < words->size && length + 2 < room; i++) {
		const unsigned char c = (unsigned char)words->bytes[i];

		if (c <= ' ' || c == 0x7f) {
			blank = length != 0;
			continue;
		}
		if (blank)
			text[length++] = ' ';
		blank = false;
		text[length++] = c < 0x80 ? (char)c : '?';
	}
	text[length] = '\0';
}

static void
add_request_id(const json_t *json, char *text)
{
	const char *id = json_string_value(json_object_get(json, "request_id"));
	const size_t length = strlen(text);

	if (id == NULL || *id == '\0' || strlen(id) > REQUEST_ID_BYTES_MOST ||
	    strspn(id, "0123456789abcdefABCDEF-") != strlen(id))
		return;
	(void)snprintf(text + length, COMPLAINT_BYTES - length, "%s(request %s)",
	    length != 0 ? " " : "", id);
}

void
complaint_make(const json_t *json, const struct secret *body,
    const struct credentials *credentials, const struct secret *token, char text[COMPLAINT_BYTES])
{
	struct secret words = { 0 };

	join(&words, json_object_get(json, "errors"));
	if (words.size == 0)
		join(&words, json_object_get(json, "warnings"));
	if (json == NULL && body->size != 0 && body->bytes[0] != '<')
		secret_append(&words, body->bytes,
		    body->size < RAW_BYTES_MOST ? body->size : RAW_BYTES_MOST);
	mask(&words, &credentials->secret_id);
	mask(&words, &credentials->role_id);
	mask(&words, &credentials->token);
	mask(&words, &credentials->cached_token);
	mask(&words, token);
	copy_clean(text, COMPLAINT_BYTES - REQUEST_ID_BYTES_MOST - sizeof(" (request )"), &words);
	add_request_id(json, text);
	secret_clear(&words);
}
