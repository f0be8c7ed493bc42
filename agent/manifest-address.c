/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "manifest-value.h"
#include "name.h"

#define DIGITS "0123456789"
#define URL_PATH_CHARACTERS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._~/%+"

struct endpoint {
	char *host;	/* without the brackets of an IPv6 address */
	char *port;	/* NULL: not given */
};

static void
endpoint_clear(struct endpoint *endpoint)
{
	free(endpoint->host);
	free(endpoint->port);
	*endpoint = (struct endpoint){ 0 };
}

static bool
is_host(const char *text)
{
	return name_is_valid(text) && text[0] != '*';
}

static bool
is_port(const char *text)
{
	const size_t digits = strspn(text, DIGITS);

	return digits >= 1 && digits <= 5 && text[digits] == '\0' &&
	    strtol(text, NULL, 10) >= 1 && strtol(text, NULL, 10) <= 65535;
}

/* HOST, HOST:PORT or [IPv6]:PORT. What is wrong with it; NULL: nothing. */
static const char *
split_endpoint(const char *text, struct endpoint *out_endpoint)
{
	const bool bracket = text[0] == '[';
	const char *host = bracket ? text + 1 : text;
	const size_t length = strcspn(host, bracket ? "]" : ":");
	const char *rest = host + length;

	*out_endpoint = (struct endpoint){ .host = memory_text_n(host, length) };
	if (bracket && *rest++ != ']')
		return "has a [ without its ]";
	if (!is_host(out_endpoint->host) ||
	    bracket != (strchr(out_endpoint->host, ':') != NULL))
		return "does not begin with a host name, an address, or an IPv6 address in [ ]";
	if (*rest == '\0')
		return NULL;
	out_endpoint->port = memory_text(rest + 1);
	if (strchr(rest + 1, ':') != NULL)
		return "has more than one colon; an IPv6 address stands in [ ]";
	if (*rest != ':' || !is_port(out_endpoint->port))
		return "has no port from 1 to 65535";
	return NULL;
}

static bool
is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six);
	return strcmp(host, "localhost") == 0;
}

/* After SCHEME://. *out_endpoint is always filled, *out_path points into rest. */
static const char *
split_url(const char *rest, struct endpoint *out_endpoint, const char **out_path)
{
	const size_t length = strcspn(rest, "/?#");
	char *authority = memory_text_n(rest, length);
	const char *problem;

	*out_path = rest + length;
	*out_endpoint = (struct endpoint){ 0 };
	if (strchr(authority, '@') != NULL)
		problem = "names a user; credentials have files of their own";
	else if (strpbrk(rest, "?#") != NULL)
		problem = "has a query or a fragment";
	else
		problem = split_endpoint(authority, out_endpoint);
	free(authority);
	return problem;
}

/* `path` is empty or begins with a slash, and has none at its end. */
static const char *
url_path_problem(const char *path)
{
	if (*path == '\0')
		return NULL;
	if (path[strspn(path, URL_PATH_CHARACTERS)] != '\0')
		return "has a character in its path that must be percent-encoded";
	return value_path_problem(path);
}

static const char *
address_problem(const char *address)
{
	struct endpoint endpoint = { 0 };
	const char *problem, *path;
	bool plain;

	if (strncmp(address, "unix://", 7) == 0)
		return value_path_problem(address + 7);
	plain = strncmp(address, "http://", 7) == 0;
	if (!plain && strncmp(address, "https://", 8) != 0)
		return "is neither https://HOST[:PORT] nor unix:///PATH";
	if ((problem = split_url(address + (plain ? 7 : 8), &endpoint, &path)) == NULL)
		problem = url_path_problem(path);
	if (problem == NULL && plain && !is_loopback(endpoint.host))
		problem = "is http, which is for loopback only; https elsewhere";
	endpoint_clear(&endpoint);
	return problem;
}

/* A password is not repeated. */
static const char *
showable(const char *url)
{
	return strchr(url, '@') != NULL ? "a URL" : url;
}

static void
cut_slashes(char *address)
{
	size_t length = strlen(address);

	while (length > 1 && address[length - 1] == '/' && address[length - 2] != '/')
		address[--length] = '\0';
}

int
value_addresses(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	struct words words;
	int result = 0;

	value_words(pair, &words);
	for (size_t i = 0; i < words.count; i++) {
		const char *problem;

		cut_slashes(words.items[i]);
		if ((problem = address_problem(words.items[i])) != NULL)
			result = value_wrong(pair, errors, "%s %s", showable(words.items[i]),
			    problem);
	}
	if (value_unique(pair, &words, errors) == -1)
		result = -1;
	return value_keep_words(result, &words, field);
}

int
value_proxy(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };
	const char *problem = "is none of http://, https://, socks5://, socks5h:// and HOST:PORT";
	struct endpoint endpoint = { 0 };
	const char *path = "";

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		const size_t length = strlen(schemes[i]);

		if (strncmp(pair->value, schemes[i], length) == 0)
			problem = split_url(pair->value + length, &endpoint, &path);
	}
	if (problem == NULL && *path != '\0')
		problem = "has a path";
	if (problem == NULL && endpoint.port == NULL)
		problem = "has no port";
	endpoint_clear(&endpoint);
	if (problem != NULL)
		return value_wrong(pair, errors, "%s %s", showable(pair->value), problem);
	memory_replace(field, pair->value);
	return 0;
}

int
value_host_name(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	if (!is_host(pair->value) || name_is_address(pair->value))
		return value_wrong(pair, errors, "%s is no host name", pair->value);
	memory_replace(field, pair->value);
	return 0;
}

struct verify {
	struct endpoint endpoint;
	char *sni;
	enum starttls starttls;
};

/* What is wrong with one of sni=NAME and starttls=PROTOCOL; NULL: nothing. */
static const char *
read_option(const char *option, struct verify *verify)
{
	static const char *const protocols[] = {
		[STARTTLS_SMTP] = "smtp", [STARTTLS_IMAP] = "imap", [STARTTLS_POP3] = "pop3",
	};

	if (strncmp(option, "sni=", 4) == 0) {
		if (verify->sni != NULL)
			return "is a second sni=";
		verify->sni = memory_text(option + 4);
		return is_host(verify->sni) && !name_is_address(verify->sni) ? NULL :
		    "does not name a host";
	}
	if (strncmp(option, "starttls=", 9) != 0)
		return "is neither sni=NAME nor starttls=smtp, imap or pop3";
	if (verify->starttls != STARTTLS_NONE)
		return "is a second starttls=";
	for (size_t i = STARTTLS_SMTP; i < sizeof(protocols) / sizeof(*protocols); i++)
		if (strcmp(option + 9, protocols[i]) == 0)
			verify->starttls = (enum starttls)i;
	return verify->starttls != STARTTLS_NONE ? NULL : "is none of smtp, imap and pop3";
}

int
value_verify(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	struct service *service = field;
	struct verify verify = { .starttls = STARTTLS_NONE };
	struct words words;
	const char *problem;
	int result = 0;

	value_words(pair, &words);
	problem = split_endpoint(words.items[0], &verify.endpoint);
	if (problem == NULL && verify.endpoint.port == NULL)
		problem = "has no port";
	if (problem != NULL)
		result = value_wrong(pair, errors, "%s %s; as in 127.0.0.1:443", words.items[0],
		    problem);
	for (size_t i = 1; i < words.count; i++)
		if ((problem = read_option(words.items[i], &verify)) != NULL)
			result = value_wrong(pair, errors, "%s %s", words.items[i], problem);
	words_clear(&words);
	if (result == -1) {
		endpoint_clear(&verify.endpoint);
		free(verify.sni);
		return -1;
	}
	memory_put(&service->verify_host, verify.endpoint.host);
	memory_put(&service->verify_port, verify.endpoint.port);
	memory_put(&service->verify_sni, verify.sni);
	service->verify_starttls = verify.starttls;
	return 0;
}
