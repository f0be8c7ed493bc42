/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>

#include "support/make_certificate.h"
#include "support/runner.h"

#include "certificate.h"

#include "verify.c"

static struct sandbox nobody_else;	/* drop: false */
static struct service service;
static struct leaf leaf;
static struct failure why;
static char found[FINGERPRINT_BYTES];
static struct made old_one, new_one;
static pid_t server;

/* What the server of a test does; the rest is {0}. */
struct habits {
	const struct made *first, *second;	/* of two kinds of keys */
	const struct made *named;	/* for whoever asks for "other.example.com" */
	int turns;			/* so many answers with `first`, then with `second` */
	int version;			/* TLS1_2_VERSION: no more than that */
	bool silent, plain;
	const char *const *dialogue;	/* what is said; after each but the last a line is read */
};

static SSL_CTX *
make_context(const struct made *made, int version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_max_proto_version(context, version);
	SSL_CTX_use_certificate(context, made->certificate);
	SSL_CTX_use_PrivateKey(context, made->key);
	return context;
}

static int
choose_by_name(SSL *connection, int *alert, void *named)
{
	const char *name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	if (named != NULL && name != NULL && strcmp(name, "other.example.com") == 0)
		SSL_set_SSL_CTX(connection, named);
	return SSL_TLSEXT_ERR_OK;
}

static void
read_line(int socket)
{
	char byte = 0;

	while (byte != '\n' && read(socket, &byte, 1) == 1)
		continue;
}

static void
answer(int socket, const struct habits *habits, SSL_CTX *context)
{
	SSL *connection = SSL_new(context);
	char byte;

	for (size_t i = 0; habits->dialogue != NULL && habits->dialogue[i] != NULL; i++) {
		if (i != 0)
			read_line(socket);
		(void)!write(socket, habits->dialogue[i], strlen(habits->dialogue[i]));
	}
	SSL_set_fd(connection, socket);
	if (habits->silent)
		(void)sleep(30);
	else if (habits->plain)
		(void)!write(socket, "HTTP/1.0 400 Bad Request\r\n\r\n", 28);
	else if (SSL_accept(connection) == 1)
		(void)SSL_read(connection, &byte, 1);	/* until the other end closes */
	SSL_free(connection);
	close(socket);
}

static void __attribute__((noreturn))
serve(int listening, const struct habits *habits)
{
	SSL_CTX *first = make_context(habits->first, habits->version), *second = NULL;
	SSL_CTX *named = habits->named != NULL ? make_context(habits->named, 0) : NULL;
	int socket;

	(void)signal(SIGPIPE, SIG_IGN);
	if (habits->turns != 0) {
		second = make_context(habits->second, habits->version);
	} else if (habits->second != NULL) {
		SSL_CTX_use_certificate(first, habits->second->certificate);
		SSL_CTX_use_PrivateKey(first, habits->second->key);
	}
	SSL_CTX_set_tlsext_servername_callback(first, choose_by_name);
	SSL_CTX_set_tlsext_servername_arg(first, named);
	for (int i = 0; (socket = accept(listening, NULL, NULL)) != -1; i++)
		answer(socket, habits, second != NULL && i >= habits->turns ? second : first);
	_exit(0);
}

static void
start(struct habits habits)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM, 0);

	if (habits.first == NULL)
		habits.first = &new_one;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listening, 16), 0);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	free(service.verify_port);
	service.verify_port = memory_format("%d", ntohs(address.sin_port));
	if ((server = fork()) == 0)
		serve(listening, &habits);
	close(listening);
}

static void
describe(const struct made *made)
{
	leaf_clear(&leaf);
	ck_assert_int_eq(leaf_describe(made->certificate, &leaf, &why), 0);
}

static const char *
fingerprint_of(const struct made *made)
{
	static char text[FINGERPRINT_BYTES];

	ck_assert_int_eq(certificate_fingerprint(made->certificate, text, &why), 0);
	return text;
}

static void
set_up(void)
{
	old_one = make_certificate((struct wish){ 0 }, NULL);
	new_one = make_certificate((struct wish){ 0 }, NULL);
	service = (struct service){ .timeout = 5, .verify_host = memory_text("127.0.0.1") };
	describe(&new_one);
}

static void
tear_down(void)
{
	if (server > 0) {
		(void)kill(server, SIGKILL);
		(void)waitpid(server, NULL, 0);
	}
	made_clear(&old_one);
	made_clear(&new_one);
	leaf_clear(&leaf);
	free(service.verify_host);
	free(service.verify_port);
	free(service.verify_sni);
}

#define ck_assert_answers(made) do {						\
	ck_assert_msg(verify_ask(&nobody_else, &service, &leaf, found, &why),	\
	    "%s", why.text);							\
	ck_assert_str_eq(found, fingerprint_of(made));				\
} while (0)

#define ck_assert_silent(words) do {						\
	ck_assert(!verify_ask(&nobody_else, &service, &leaf, found, &why));	\
	ck_assert_int_eq(why.kind, FAILURE_SERVICE);				\
	ck_assert_msg(strstr(why.text, words) != NULL, "%s", why.text);		\
} while (0)

#define ck_assert_asks_for(san, name) do {					\
	struct made one = make_certificate((struct wish){ .names = (san) }, NULL);	\
	char *sni;								\
										\
	describe(&one);								\
	sni = choose_sni(&service, &leaf);					\
	ck_assert_str_eq(sni, name);						\
	free(sni);								\
	made_clear(&one);							\
} while (0)

START_TEST(the_name_asked_for_is_the_first_without_a_wildcard)
{
	ck_assert_asks_for("DNS:a.example.com, DNS:b.example.com", "a.example.com");
	ck_assert_asks_for("DNS:*.example.com, DNS:example.com", "example.com");
	ck_assert_asks_for("IP:192.0.2.1, DNS:a.example.com", "a.example.com");
}
END_TEST

START_TEST(below_a_mere_wildcard_www_is_asked_for)
{
	ck_assert_asks_for("DNS:*.example.com, DNS:*.example.org", "www.example.com");
	ck_assert_asks_for("IP:192.0.2.1, DNS:*.example.com", "www.example.com");
}
END_TEST

START_TEST(without_a_dns_name_the_address_or_the_host_is_asked_for)
{
	ck_assert_asks_for("IP:192.0.2.1", "192.0.2.1");
	ck_assert_asks_for("", "127.0.0.1");
}
END_TEST

START_TEST(a_name_of_the_manifest_goes_before_those_of_the_certificate)
{
	service.verify_sni = memory_text("mail.example.com");
	ck_assert_asks_for("DNS:a.example.com, DNS:*.example.com", "mail.example.com");
}
END_TEST

START_TEST(with_a_name_of_the_manifest_only_certificates_that_cover_it_are_asked_for)
{
	ck_assert(verify_applies(&service, &leaf));
	service.verify_sni = memory_text("WWW.example.com");
	ck_assert(verify_applies(&service, &leaf));
	service.verify_sni[0] = 'X';
	ck_assert(!verify_applies(&service, &leaf));
}
END_TEST

START_TEST(without_a_port_nothing_is_asked_for)
{
	free(service.verify_host);
	service.verify_host = NULL;
	ck_assert(!verify_applies(&service, &leaf));
}
END_TEST

START_TEST(the_leaf_that_is_served_is_told)
{
	start((struct habits){ 0 });
	ck_assert_answers(&new_one);
	ck_assert_answers(&new_one);
}
END_TEST

START_TEST(a_leaf_of_tls_1_2_is_told)
{
	start((struct habits){ .version = TLS1_2_VERSION });
	ck_assert_answers(&new_one);
}
END_TEST

START_TEST(the_server_is_told_the_name)
{
	start((struct habits){ .named = &old_one });
	ck_assert_answers(&new_one);
	service.verify_sni = memory_text("other.example.com");
	ck_assert_answers(&old_one);
}
END_TEST

START_TEST(an_ipv6_address_can_be_asked)
{
	free(service.verify_host);
	service.verify_host = memory_text("::1");
	service.verify_port = memory_text("1");
	ck_assert_silent("[::1]:1, asked for www.example.com");
}
END_TEST

START_TEST(of_two_certificates_the_one_of_our_kind_of_key_is_told)
{
	struct made rsa = make_certificate((struct wish){ .key = "RSA:2048" }, NULL);

	start((struct habits){ .first = &new_one, .second = &rsa, .version = _i });
	ck_assert_answers(&new_one);
	describe(&rsa);
	ck_assert_answers(&rsa);
	made_clear(&rsa);
}
END_TEST

START_TEST(an_ed25519_certificate_is_told)
{
	struct made edward = make_certificate((struct wish){ .key = "ED25519" }, NULL);

	start((struct habits){ .first = &new_one, .second = &edward, .version = _i });
	ck_assert_answers(&new_one);
	describe(&edward);
	ck_assert_answers(&edward);
	made_clear(&edward);
}
END_TEST

START_TEST(a_certificate_of_another_kind_than_ours_is_told_too)
{
	struct made rsa = make_certificate((struct wish){ .key = "RSA:2048" }, NULL);

	start((struct habits){ .first = &rsa, .version = _i });
	ck_assert_answers(&rsa);
	made_clear(&rsa);
}
END_TEST

START_TEST(a_certificate_too_weak_to_be_trusted_is_told)
{
	struct made weak = make_certificate((struct wish){ .key = "RSA:1024" }, NULL);

	start((struct habits){ .first = &weak });
	describe(&weak);
	ck_assert_answers(&weak);
	made_clear(&weak);
}
END_TEST

START_TEST(mail_servers_are_asked_by_starttls)
{
	static const char *const smtp[] = {
		"220 mail\r\n", "250-mail\r\n250 STARTTLS\r\n", "220 go\r\n", NULL
	};
	static const char *const imap[] = {
		"* OK ready\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\nA001 OK\r\n", "A002 OK go\r\n", NULL
	};
	static const char *const pop3[] = {
		"+OK ready\r\n", "+OK\r\nSTLS\r\n.\r\n", "+OK go\r\n", NULL
	};
	static const char *const *const dialogues[] = {
		[STARTTLS_SMTP] = smtp, [STARTTLS_IMAP] = imap, [STARTTLS_POP3] = pop3,
	};

	service.verify_starttls = (enum starttls)_i;
	start((struct habits){ .dialogue = dialogues[_i] });
	ck_assert_answers(&new_one);
}
END_TEST

START_TEST(a_mail_server_without_starttls_has_no_answer)
{
	static const char *const smtp[] = { "220 mail\r\n", "250 mail\r\n", NULL };

	service.verify_starttls = STARTTLS_SMTP;
	start((struct habits){ .dialogue = smtp });
	ck_assert_silent("asked for www.example.com: ");
}
END_TEST

START_TEST(where_nobody_listens_there_is_no_answer)
{
	service.verify_port = memory_text("1");
	ck_assert_silent("127.0.0.1:1, asked for www.example.com: Failed to connect");
}
END_TEST

START_TEST(one_who_does_not_speak_tls_has_no_answer)
{
	start((struct habits){ .plain = true });
	ck_assert_silent("wrong version number");
}
END_TEST

START_TEST(one_who_is_silent_is_not_waited_for)
{
	const long before = clock_milliseconds();

	start((struct habits){ .silent = true });
	service.timeout = 1;
	ck_assert_silent("asked for www.example.com: ");
	ck_assert_int_lt(clock_milliseconds() - before, 4 * ASK_MILLISECONDS / 5);
}
END_TEST

START_TEST(a_name_that_is_no_host_name_is_not_asked_for)
{
	start((struct habits){ 0 });
	service.verify_sni = memory_text("a/b@c");
	ck_assert_silent("asked for a/b@c");
}
END_TEST

START_TEST(no_process_and_no_descriptor_is_left_over)
{
	const int before = dup(STDIN_FILENO);
	int after;

	close(before);
	service.verify_port = memory_text("1");
	ck_assert_silent("");
	after = dup(STDIN_FILENO);
	close(after);
	ck_assert_int_eq(before, after);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* What the parent makes of whatever its child sends. */
static bool
believes(const void *bytes, size_t size)
{
	int sockets[2];
	bool believed;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
	if (size != 0)
		ck_assert_int_eq(send(sockets[1], bytes, size, 0), (ssize_t)size);
	close(sockets[1]);
	believed = receive(sockets[0], 1000, found, &why);
	close(sockets[0]);
	return believed;
}

START_TEST(a_reply_of_another_form_is_not_believed)
{
	struct reply reply = { .answered = 1 };

	memset(reply.fingerprint, 'a', FINGERPRINT_BYTES - 1);
	ck_assert(believes(&reply, sizeof(reply)));
	ck_assert(!believes(&reply, sizeof(reply) - 1));
	ck_assert(!believes(&reply, 0));
	ck_assert_ptr_nonnull(strstr(why.text, "broke off"));
	reply.answered = 2;
	ck_assert(!believes(&reply, sizeof(reply)));
	reply.answered = 1;
	reply.fingerprint[0] = 'A';
	ck_assert(!believes(&reply, sizeof(reply)));
	reply.fingerprint[0] = '\0';
	ck_assert(!believes(&reply, sizeof(reply)));
	memset(reply.fingerprint, 'a', FINGERPRINT_BYTES);
	ck_assert(!believes(&reply, sizeof(reply)));
}
END_TEST

START_TEST(the_words_of_a_reply_are_ended_and_printable)
{
	struct reply reply = { .answered = 0 };

	memset(reply.text, 0xfc, sizeof(reply.text));
	reply.text[0] = '\n';
	ck_assert(!believes(&reply, sizeof(reply)));
	ck_assert_int_eq(strspn(why.text, "?"), FAILURE_TEXT_BYTES - 1);
}
END_TEST

START_TEST(a_new_leaf_ends_the_waiting)
{
	const long before = clock_milliseconds();

	service.timeout = 60;
	start((struct habits){ .first = &old_one, .second = &new_one, .turns = 3 });
	ck_assert_int_eq(verify_wait(&nobody_else, &service, &leaf, fingerprint_of(&old_one), found,
	    &why), VERIFY_NEW);
	ck_assert_str_eq(found, leaf.fingerprint);
	ck_assert_int_lt(clock_milliseconds() - before, 20000);
}
END_TEST

START_TEST(the_old_leaf_is_waited_for_until_the_timeout)
{
	const long before = clock_milliseconds();

	service.timeout = 1;
	start((struct habits){ .first = &old_one });
	ck_assert_int_eq(verify_wait(&nobody_else, &service, &leaf, fingerprint_of(&old_one), found,
	    &why), VERIFY_OLD);
	ck_assert_str_eq(found, fingerprint_of(&old_one));
	ck_assert_ptr_nonnull(strstr(why.text, "still serves the old certificate"));
	ck_assert_int_ge(clock_milliseconds() - before, 800);
	ck_assert_int_lt(clock_milliseconds() - before, 20000);
}
END_TEST

START_TEST(a_leaf_that_is_neither_is_another)
{
	service.timeout = 1;
	start((struct habits){ .first = &old_one });
	ck_assert_int_eq(verify_wait(&nobody_else, &service, &leaf, "", found, &why), VERIFY_OTHER);
	ck_assert_str_eq(found, fingerprint_of(&old_one));
	ck_assert_ptr_nonnull(strstr(why.text, "serves another certificate"));
}
END_TEST

START_TEST(no_answer_until_the_timeout_is_silence)
{
	service.timeout = 1;
	service.verify_port = memory_text("1");
	ck_assert_int_eq(verify_wait(&nobody_else, &service, &leaf, "", found, &why),
	    VERIFY_SILENT);
	ck_assert_ptr_nonnull(strstr(why.text, "Failed to connect"));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("verify");

	nobody_else = (struct sandbox){ .uid = getuid(), .gid = getgid() };
	tcase_set_timeout(tests, 30);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_name_asked_for_is_the_first_without_a_wildcard);
	tcase_add_test(tests, below_a_mere_wildcard_www_is_asked_for);
	tcase_add_test(tests, without_a_dns_name_the_address_or_the_host_is_asked_for);
	tcase_add_test(tests, a_name_of_the_manifest_goes_before_those_of_the_certificate);
	tcase_add_test(tests,
	    with_a_name_of_the_manifest_only_certificates_that_cover_it_are_asked_for);
	tcase_add_test(tests, without_a_port_nothing_is_asked_for);
	tcase_add_test(tests, the_leaf_that_is_served_is_told);
	tcase_add_test(tests, a_leaf_of_tls_1_2_is_told);
	tcase_add_test(tests, the_server_is_told_the_name);
	tcase_add_test(tests, an_ipv6_address_can_be_asked);
	tcase_add_loop_test(tests, of_two_certificates_the_one_of_our_kind_of_key_is_told,
	    TLS1_2_VERSION, TLS1_3_VERSION + 1);
	tcase_add_loop_test(tests, an_ed25519_certificate_is_told, TLS1_2_VERSION,
	    TLS1_3_VERSION + 1);
	tcase_add_loop_test(tests, a_certificate_of_another_kind_than_ours_is_told_too,
	    TLS1_2_VERSION, TLS1_3_VERSION + 1);
	tcase_add_test(tests, a_certificate_too_weak_to_be_trusted_is_told);
	tcase_add_loop_test(tests, mail_servers_are_asked_by_starttls, STARTTLS_SMTP,
	    STARTTLS_POP3 + 1);
	tcase_add_test(tests, a_mail_server_without_starttls_has_no_answer);
	tcase_add_test(tests, where_nobody_listens_there_is_no_answer);
	tcase_add_test(tests, one_who_does_not_speak_tls_has_no_answer);
	tcase_add_test(tests, one_who_is_silent_is_not_waited_for);
	tcase_add_test(tests, a_name_that_is_no_host_name_is_not_asked_for);
	tcase_add_test(tests, no_process_and_no_descriptor_is_left_over);
	tcase_add_test(tests, a_reply_of_another_form_is_not_believed);
	tcase_add_test(tests, the_words_of_a_reply_are_ended_and_printable);
	tcase_add_test(tests, a_new_leaf_ends_the_waiting);
	tcase_add_test(tests, the_old_leaf_is_waited_for_until_the_timeout);
	tcase_add_test(tests, a_leaf_that_is_neither_is_another);
	tcase_add_test(tests, no_answer_until_the_timeout_is_silence);
	return run_tests("verify", tests);
}
