/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "memory.h"
#include "url.h"

/* Also before libcurl is initialised, and told whose memory to use. */
static bool
worked(CURLUcode code)
{
	(void)memory_must(code == CURLUE_OUT_OF_MEMORY ? NULL : &code);
	return code == CURLUE_OK;
}

static char *
part(CURLU *parser, CURLUPart which, unsigned int flags)
{
	char *theirs = NULL, *ours;

	if (!worked(curl_url_get(parser, which, &theirs, flags)))
		return NULL;
	ours = memory_text(theirs);
	curl_free(theirs);
	return ours;
}

static bool
is_loopback(const char *host)
{
	return strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0 ||
	    strcasecmp(host, "localhost") == 0;
}

bool
url_split(const char *text, struct url *out_url)
{
	CURLU *parser = memory_must(curl_url());
	char *scheme = NULL, *port = NULL, *user = NULL, *password = NULL;
	struct url url = { 0 };
	bool fits = false;

	if (!worked(curl_url_set(parser, CURLUPART_URL, text, 0)))
		goto out;
	scheme = part(parser, CURLUPART_SCHEME, 0);
	user = part(parser, CURLUPART_USER, 0);
	password = part(parser, CURLUPART_PASSWORD, 0);
	port = part(parser, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	url.host = part(parser, CURLUPART_HOST, 0);
	url.path = part(parser, CURLUPART_PATH, 0);
	url.query = part(parser, CURLUPART_QUERY, 0);
	if (scheme == NULL || port == NULL || url.host == NULL || url.path == NULL ||
	    user != NULL || password != NULL)
		goto out;
	url.https = strcmp(scheme, "https") == 0;
	url.loopback = is_loopback(url.host);
	url.port = strtol(port, NULL, 10);
	fits = url.https || strcmp(scheme, "http") == 0;
out:
	if (fits)
		*out_url = url;
	else
		url_clear(&url);
	free(scheme);
	free(port);
	free(user);
	free(password);
	curl_url_cleanup(parser);
	return fits;
}

long
url_port(const char *text)
{
	CURLU *parser = memory_must(curl_url());
	char *port = NULL;
	long number;

	if (worked(curl_url_set(parser, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME)))
		port = part(parser, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	number = port != NULL ? strtol(port, NULL, 10) : 0;
	free(port);
	curl_url_cleanup(parser);
	return number;
}

void
url_clear(struct url *url)
{
	free(url->host);
	free(url->path);
	free(url->query);
	*url = (struct url){ 0 };
}

char *
url_with_host(const char *text, const char *host)
{
	CURLU *parser = memory_must(curl_url());
	char *whole = NULL;

	if (worked(curl_url_set(parser, CURLUPART_URL, text, 0)) &&
	    worked(curl_url_set(parser, CURLUPART_HOST, host, 0)))
		whole = part(parser, CURLUPART_URL, 0);
	curl_url_cleanup(parser);
	return whole;
}

char *
url_encode(const char *path)
{
	static const char digits[] = "0123456789ABCDEF";
	char *encoded = memory_new(strlen(path) + 1, 3), *end = encoded;

	for (; *path != '\0'; path++) {
		const unsigned char c = (unsigned char)*path;

		if ((c < 0x80 && isalnum(c)) || strchr("-._~/", c) != NULL) {
			*end++ = (char)c;
			continue;
		}
		*end++ = '%';
		*end++ = digits[c >> 4];
		*end++ = digits[c & 15];
	}
	return encoded;
}
