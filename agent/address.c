/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "url.h"

#define UNIX_SCHEME "unix://"

static void
read_address(const char *text, struct address *address)
{
	struct url url;

	*address = (struct address){ .text = text, .base = text };
	if (strncmp(text, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0) {
		address->base = "http://localhost";
		address->unix_socket = text + strlen(UNIX_SCHEME);
	} else if (url_split(text, &url)) {
		address->port = url.port;
		url_clear(&url);
	}
}

void
address_list_read(const struct words *texts, struct address_list *out_list)
{
	out_list->count = texts->count;
	out_list->items = memory_new(texts->count, sizeof(*out_list->items));
	for (size_t i = 0; i < texts->count; i++)
		read_address(texts->items[i], &out_list->items[i]);
}

void
address_list_clear(struct address_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].complaint);
	free(list->items);
	*list = (struct address_list){ 0 };
}

void
address_complain(struct address *address, const char *complaint)
{
	memory_replace(&address->complaint, complaint);
}

char *
address_url(const struct address *address, const struct vault_ask *ask)
{
	char *path = url_encode(ask->path);
	char *url = memory_format("%s/v1/%s%s%s", address->base, path,
	    ask->query != NULL ? "?" : "", ask->query != NULL ? ask->query : "");

	free(path);
	return url;
}

static bool
is_configured_port(const struct address_list *list, long port)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].port == port)
			return true;
	return false;
}

static bool
is_same_path(const struct url *from, const struct url *to)
{
	const char *path = strstr(from->path, "/v1/");
	const size_t length = path != NULL ? strlen(path) : 0, to_length = strlen(to->path);

	return length != 0 && to_length >= length &&
	    strcmp(to->path + to_length - length, path) == 0 &&
	    strcmp(from->query != NULL ? from->query : "", to->query != NULL ? to->query : "") == 0;
}

const char *
address_judge_redirect(const struct address_list *list, const char *from, const char *location)
{
	const char *wrong = NULL;
	struct url was, is;

	if (location == NULL || !url_split(from, &was))
		return "it points nowhere";
	if (!url_split(location, &is)) {
		url_clear(&was);
		return "it is no URL of https";
	}
	if (!is.https && (was.https || !was.loopback || !is.loopback))
		wrong = "it leads away from https";
	else if (!is_configured_port(list, is.port))
		wrong = "its port is in none of the configured addresses";
	else if (!is_same_path(&was, &is))
		wrong = "it leads to another path";
	url_clear(&was);
	url_clear(&is);
	return wrong;
}
