/* SPDX-License-Identifier: ISC */
/* url: the parts of a URL by which a redirect is judged, and paths made fit for one. */
#ifndef CERTLET_URL_H
#define CERTLET_URL_H

#include <stdbool.h>

struct url {
	bool https;		/* else http: no other scheme is read */
	bool loopback;		/* 127.0.0.0/8, ::1, localhost */
	char *host;		/* an IPv6 address in brackets */
	long port;		/* the scheme's own, if the URL names none */
	char *path;		/* percent-encoded */
	char *query;		/* without '?'; NULL: none */
};

/* False for what is no http or https URL, and for one with a user or password in it. */
bool url_split(const char *text, struct url *out_url);
void url_clear(struct url *url);

/* Of a URL of any scheme; 0: it has none. */
long url_port(const char *text);

/* The same URL with another host. Caller frees; NULL when `text` is no URL. */
char *url_with_host(const char *text, const char *host);

/* Percent-encodes all but RFC 3986's unreserved characters and '/'. Caller frees. */
char *url_encode(const char *path);

#endif
