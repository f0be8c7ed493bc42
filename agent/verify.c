/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "bundle.h"
#include "clock.h"
#include "file.h"
#include "name.h"
#include "verify.h"

#define ASK_MILLISECONDS 5000	/* at most, and never longer than the service's timeout */
#define PAUSE_MILLISECONDS 100

/* What is asked; prepared by the parent, read by the child's copy of memory. */
struct ask {
	const struct service *service;
	char *sni;		/* or the address, or the host itself: no SNI is sent with an address */
	enum key_type key_type;
	long milliseconds;
};

/* From the child, in one datagram of just this size. */
struct reply {
	unsigned char answered;
	char fingerprint[FINGERPRINT_BYTES];
	char text[FAILURE_TEXT_BYTES];	/* why not */
};

/* Which signatures, and in TLS 1.2 which ciphers, only a leaf of that kind can give. */
static const struct {
	const char *signatures, *ciphers;
} wishes[] = {
	[KEY_RSA] = { "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
	    "RSA+SHA256:RSA+SHA384:RSA+SHA512", "aRSA:@SECLEVEL=0" },
	[KEY_EC] = { "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512", "aECDSA:@SECLEVEL=0" },
	[KEY_ED25519] = { "ed25519", "aECDSA:@SECLEVEL=0" },
	[KEY_OTHER] = { NULL, "ALL:@SECLEVEL=0" },
};

bool
verify_applies(const struct service *service, const struct leaf *leaf)
{
	if (service->verify_host == NULL || service->verify_sni == NULL)
		return service->verify_host != NULL;
	for (size_t i = 0; i < leaf->names.count; i++)
		if (name_covers(leaf->names.items[i], service->verify_sni))
			return true;
	return false;
}

static char *
bracketed(const char *host)
{
	return memory_format(strchr(host, ':') != NULL ? "[%s]" : "%s", host);
}

/* HOST:PORT, as in the manifest. */
static char *
place_of(const struct service *service)
{
	char *host = bracketed(service->verify_host);
	char *place = memory_format("%s:%s", host, service->verify_port);

	free(host);
	return place;
}

/* "www" is a guess, but the one name below a wildcard that most servers answer to. */
static char *
choose_sni(const struct service *service, const struct leaf *leaf)
{
	const char *wildcard = NULL, *address = NULL;

	if (service->verify_sni != NULL)
		return memory_text(service->verify_sni);
	for (size_t i = 0; i < leaf->names.count; i++) {
		const char *name = leaf->names.items[i];

		if (name_is_address(name))
			address = address != NULL ? address : name;
		else if (name[0] == '*')
			wildcard = wildcard != NULL ? wildcard : name;
		else
			return memory_text(name);
	}
	if (wildcard != NULL)
		return memory_format("www%s", wildcard + 1);
	return memory_text(address != NULL ? address : service->verify_host);
}

/* --- In the child: this code meets the network, TLS and ASN.1. --- */

static CURLcode
set_wishes(CURL *curl, void *ssl_context, void *key_type)
{
	SSL_CTX *context = ssl_context;
	const char *signatures = wishes[*(const enum key_type *)key_type].signatures;

	(void)curl;
	/* What is served is only looked at, also when it is too weak to be trusted. */
	SSL_CTX_set_security_level(context, 0);
	if (signatures != NULL && SSL_CTX_set1_sigalgs_list(context, signatures) != 1)
		return CURLE_SSL_CONNECT_ERROR;
	return CURLE_OK;
}

/* The URL carries the SNI; CURLOPT_CONNECT_TO says where to go instead. NULL: no such URL. */
static CURLU *
make_url(const struct ask *ask)
{
	static const char *const schemes[] = {
		[STARTTLS_NONE] = "https", [STARTTLS_SMTP] = "smtp", [STARTTLS_IMAP] = "imap",
		[STARTTLS_POP3] = "pop3",
	};
	const char *scheme = schemes[ask->service->verify_starttls];
	char *host = bracketed(ask->sni);
	CURLU *url = curl_url();

	if (url != NULL &&
	    (curl_url_set(url, CURLUPART_SCHEME, scheme, 0) != CURLUE_OK ||
	    curl_url_set(url, CURLUPART_HOST, host, 0) != CURLUE_OK)) {
		curl_url_cleanup(url);
		url = NULL;
	}
	free(host);
	return url;
}

static struct curl_slist *
make_route(const struct service *service)
{
	char *place = place_of(service);
	char *route = memory_format("::%s", place);
	struct curl_slist *list = curl_slist_append(NULL, route);

	free(route);
	free(place);
	return list;
}

/* After the handshake nothing is sent: CURLOPT_CONNECT_ONLY. */
static void
set_options(CURL *curl, CURLU *url, struct curl_slist *route, struct ask *ask, char *words)
{
	curl_easy_setopt(curl, CURLOPT_CURLU, url);
	curl_easy_setopt(curl, CURLOPT_CONNECT_TO, route);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST, wishes[ask->key_type].ciphers);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, set_wishes);
	curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, &ask->key_type);
	curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
	/* Before the parent's patience is over: then it is curl that says what was waited for. */
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ask->milliseconds * 9 / 10);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
}

/* The leaf as curl tells it: the line "Cert:PEM" of the first certificate shown. */
static bool
take_leaf(CURL *curl, struct reply *reply)
{
	static const char label[] = "Cert:";
	struct curl_certinfo *chain = NULL;
	struct failure why;

	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL ||
	    chain->num_of_certs < 1)
		return false;
	for (struct curl_slist *line = chain->certinfo[0]; line != NULL; line = line->next) {
		if (strncmp(line->data, label, sizeof(label) - 1) != 0)
			continue;
		if (bundle_fingerprint(line->data + sizeof(label) - 1,
		    strlen(line->data) - (sizeof(label) - 1), reply->fingerprint, &why) == 0)
			return true;
		(void)snprintf(reply->text, sizeof(reply->text), "%s", why.text);
	}
	return false;
}

/*
 * What counts is whether a certificate was shown: a mail server that goes on to refuse us has
 * answered. Returns whether asking for any kind of key may get further.
 */
static bool
ask_once(struct ask *ask, struct reply *reply)
{
	char words[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	CURLU *url = make_url(ask);
	struct curl_slist *route = make_route(ask->service);
	CURLcode code = CURLE_FAILED_INIT;

	if (curl != NULL && url != NULL && route != NULL) {
		set_options(curl, url, route, ask, words);
		code = curl_easy_perform(curl);
		reply->answered = take_leaf(curl, reply);
	}
	if (!reply->answered && reply->text[0] == '\0')
		(void)snprintf(reply->text, sizeof(reply->text), "%s",
		    words[0] != '\0' ? words : curl_easy_strerror(code));
	curl_easy_cleanup(curl);
	curl_slist_free_all(route);
	curl_url_cleanup(url);
	return !reply->answered && code == CURLE_SSL_CONNECT_ERROR;
}

/*
 * A server without a certificate of the wished kind refuses the handshake: then whatever it has
 * is asked for. That one is "another leaf", not silence.
 */
static void __attribute__((noreturn))
child(struct ask *ask, const struct sandbox *sandbox, int socket)
{
	struct sandbox_ports ports = { 0 };
	struct reply reply = { 0 };

	sandbox_allow_port(&ports, strtol(ask->service->verify_port, NULL, 10));
	sandbox_enter(sandbox, socket, &ports);
	sandbox_ports_clear(&ports);
	(void)curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory_take, free, memory_retake, memory_text,
	    memory_new);
	if (ask_once(ask, &reply) && ask->key_type != KEY_OTHER) {
		reply = (struct reply){ 0 };
		ask->key_type = KEY_OTHER;
		(void)ask_once(ask, &reply);
	}
	(void)!send(socket, &reply, sizeof(reply), MSG_NOSIGNAL);
	_exit(0);
}

/* --- In the parent, which believes nothing. --- */

static bool
is_fingerprint(const char text[FINGERPRINT_BYTES])
{
	return text[FINGERPRINT_BYTES - 1] == '\0' && strlen(text) == FINGERPRINT_BYTES - 1 &&
	    strspn(text, "0123456789abcdef") == FINGERPRINT_BYTES - 1;
}

/* The text may quote a server: ASCII, since it goes into JSON. failure_set() sees to the rest. */
static void
make_ascii(char text[FAILURE_TEXT_BYTES])
{
	text[FAILURE_TEXT_BYTES - 1] = '\0';
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
}

static bool
receive(int socket, long milliseconds, char out_fingerprint[FINGERPRINT_BYTES], struct failure *why)
{
	struct pollfd event = { .fd = socket, .events = POLLIN };
	struct reply reply;

	if (poll(&event, 1, (int)milliseconds) != 1) {
		(void)failure_set(why, FAILURE_SERVICE, "no answer within %ld s",
		    (milliseconds + 999) / 1000);
		return false;
	}
	if (recv(socket, &reply, sizeof(reply), MSG_DONTWAIT) != (ssize_t)sizeof(reply) ||
	    reply.answered > 1 || (reply.answered == 1 && !is_fingerprint(reply.fingerprint))) {
		(void)failure_set(why, FAILURE_SERVICE, "the process that asks it broke off");
		return false;
	}
	if (reply.answered == 0) {
		make_ascii(reply.text);
		(void)failure_set(why, FAILURE_SERVICE, "%s", reply.text);
		return false;
	}
	memcpy(out_fingerprint, reply.fingerprint, FINGERPRINT_BYTES);
	return true;
}

static bool
ask_child(const struct sandbox *sandbox, struct ask *ask,
    char out_fingerprint[FINGERPRINT_BYTES], struct failure *why)
{
	int sockets[2] = { -1, -1 };
	bool answered = false;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == -1 ||
	    (pid = fork()) == -1) {
		(void)failure_errno(why, FAILURE_SERVICE, "start the process that asks it");
		goto out;
	}
	if (pid == 0)
		child(ask, sandbox, sockets[1]);
	close(sockets[1]);
	sockets[1] = -1;	/* so that the end of the child is the end of the talk */
	answered = receive(sockets[0], ask->milliseconds, out_fingerprint, why);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
out:
	file_close(sockets[0]);
	file_close(sockets[1]);
	return answered;
}

static bool
ask_within(const struct sandbox *sandbox, const struct service *service,
    const struct leaf *leaf, long milliseconds, char out_fingerprint[FINGERPRINT_BYTES], struct failure *why)
{
	struct ask ask = { service, choose_sni(service, leaf), leaf->key_type,
	    milliseconds < ASK_MILLISECONDS ? milliseconds : ASK_MILLISECONDS };
	const bool answered = ask_child(sandbox, &ask, out_fingerprint, why);
	char *place = place_of(service);

	if (!answered)
		(void)failure_prefix(why, "%s, asked for %s", place, ask.sni);
	free(place);
	free(ask.sni);
	return answered;
}

bool
verify_ask(const struct sandbox *sandbox, const struct service *service,
    const struct leaf *leaf, char out_fingerprint[FINGERPRINT_BYTES], struct failure *why)
{
	return ask_within(sandbox, service, leaf, service->timeout * 1000, out_fingerprint, why);
}

static enum verify_result
compare(const struct service *service, const char *found, const struct leaf *wanted,
    const char *old_fingerprint, struct failure *why)
{
	const bool old = strcmp(found, old_fingerprint) == 0;
	char *place;

	if (strcmp(found, wanted->fingerprint) == 0)
		return VERIFY_NEW;
	place = place_of(service);
	if (old)
		(void)failure_set(why, FAILURE_SERVICE, "%s still serves the old certificate", place);
	else
		(void)failure_set(why, FAILURE_SERVICE, "%s serves another certificate, %s, "
		    "expected %s", place, found, wanted->fingerprint);
	free(place);
	return old ? VERIFY_OLD : VERIFY_OTHER;
}

/* An old worker may answer for a while after a reload: only the last answer counts. */
enum verify_result
verify_wait(const struct sandbox *sandbox, const struct service *service,
    const struct leaf *wanted, const char *old_fingerprint,
    char out_fingerprint[FINGERPRINT_BYTES], struct failure *why)
{
	const struct timespec pause = { 0, PAUSE_MILLISECONDS * 1000000L };
	const long deadline = clock_milliseconds() + service->timeout * 1000;
	enum verify_result result;
	long left;

	for (;;) {
		left = deadline - clock_milliseconds();
		result = VERIFY_SILENT;
		if (ask_within(sandbox, service, wanted, left > 1000 ? left : 1000, out_fingerprint, why))
			result = compare(service, out_fingerprint, wanted, old_fingerprint, why);
		if (result == VERIFY_NEW || clock_milliseconds() + PAUSE_MILLISECONDS >= deadline)
			return result;
		(void)nanosleep(&pause, NULL);
	}
}
