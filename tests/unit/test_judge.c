/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "judge.c"
#include "support/make_certificate.h"
#include "support/runner.h"

static struct made root, middle;
static struct words wanted;
static struct requirements requirements;
static struct failure reason;
static char *notice;
static time_t retry;

static void
set_up(void)
{
	root = make_certificate((struct wish){ .subject = "Root", .ca = true }, NULL);
	middle = make_certificate((struct wish){ .subject = "Middle", .ca = true }, &root);
	words_add(&wanted, "www.example.com");
	requirements = (struct requirements){ .names = &wanted, .now = TEST_NOW,
	    .critical = 7 * TEST_DAY };
}

static void
tear_down(void)
{
	free(notice);
	words_clear(&wanted);
	made_clear(&middle);
	made_clear(&root);
}

/* Reads a leaf, its key and up to two more certificates as one bundle. */
static struct bundle *
bundle_of(const struct made *leaf, const struct made *second, const struct made *third)
{
	struct secret pem = { 0 };
	const struct secret *const texts[] = { &pem };
	struct bundle *bundle = NULL;

	pem_add_certificate(&pem, leaf->certificate);
	if (second != NULL)
		pem_add_certificate(&pem, second->certificate);
	if (third != NULL)
		pem_add_certificate(&pem, third->certificate);
	pem_add_key(&pem, leaf->key);
	ck_assert_msg(bundle_read(texts, 1, &bundle, &reason) == 0, "%s", reason.text);
	secret_clear(&pem);
	return bundle;
}

static int
judge_chain(const struct made *leaf, const struct made *second, const struct made *third)
{
	struct bundle *bundle = bundle_of(leaf, second, third);
	int result;

	free(notice);
	result = judge_bundle(bundle, &requirements, &retry, &notice, &reason);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	bundle_free(bundle);
	return result;
}

/* A leaf signed by middle, which is judged with it. */
static int
judge_wish(struct wish wish)
{
	struct made leaf = make_certificate(wish, &middle);
	int result = judge_chain(&leaf, &middle, NULL);

	made_clear(&leaf);
	return result;
}

#define ck_assert_taken(judging) ck_assert_msg((judging) == 0, "%s", reason.text)
#define ck_assert_refused(judging, words) do {					\
	ck_assert_int_eq(judging, -1);						\
	ck_assert_int_eq(reason.kind, FAILURE_REFUSED);				\
	ck_assert_msg(strstr(reason.text, words) != NULL, "%s", reason.text);	\
} while (0)

START_TEST(a_good_bundle_is_taken)
{
	ck_assert_taken(judge_wish((struct wish){ 0 }));
	ck_assert_taken(judge_wish((struct wish){ .key = "RSA:2048" }));
	ck_assert_taken(judge_wish((struct wish){ .key = "P-384" }));
	ck_assert_taken(judge_wish((struct wish){ .key = "P-521" }));
	ck_assert_taken(judge_wish((struct wish){ .key = "ED25519" }));
	ck_assert_ptr_null(notice);
	ck_assert_int_eq(retry, 0);
}
END_TEST

START_TEST(every_wanted_name_must_be_covered)
{
	words_add(&wanted, "*.example.com");
	words_add(&wanted, "192.0.2.1");
	ck_assert_taken(judge_wish((struct wish){
	    .names = "DNS:*.example.com, IP:192.0.2.1" }));
	ck_assert_refused(judge_wish((struct wish){ .names = "DNS:a.example, DNS:b.example" }),
	    "expected a certificate for www.example.com, *.example.com, 192.0.2.1, "
	    "found names a.example, b.example");
	ck_assert_refused(judge_wish((struct wish){
	    .names = "DNS:www.example.com, IP:192.0.2.1" }),
	    "expected a certificate for *.example.com, found names www.example.com, 192.0.2.1");
}
END_TEST

START_TEST(the_common_name_is_no_name)
{
	ck_assert_refused(judge_wish((struct wish){ .subject = "www.example.com", .names = "" }),
	    "expected a certificate for www.example.com, found names none");
}
END_TEST

START_TEST(names_are_not_checked_when_none_is_wanted)
{
	requirements.names = NULL;
	ck_assert_taken(judge_wish((struct wish){ .names = "" }));
}
END_TEST

START_TEST(a_long_list_of_names_is_cut)
{
	ck_assert_refused(judge_wish((struct wish){ .names = "DNS:a, DNS:b, DNS:c, DNS:d, DNS:e, "
	    "DNS:f, DNS:g, DNS:h, DNS:i, DNS:j" }),
	    "found names a, b, c, d, e, f, g, h and 2 more");
}
END_TEST

START_TEST(weak_keys_are_refused)
{
	ck_assert_refused(judge_wish((struct wish){ .key = "RSA:1024" }),
	    "expected an RSA key of 2048 bits or more, found 1024 in CN=www.example.com");
	ck_assert_refused(judge_wish((struct wish){ .key = "secp224r1" }),
	    "expected an EC key of P-256, P-384 or P-521, found secp224r1");
	ck_assert_refused(judge_wish((struct wish){ .key = "secp256k1" }),
	    "expected an EC key of P-256, P-384 or P-521, found secp256k1");
	ck_assert_refused(judge_wish((struct wish){ .key = "ED448" }),
	    "expected a key of RSA, EC or Ed25519, found ED448");
}
END_TEST

START_TEST(a_weak_key_of_a_link_is_refused)
{
	struct made weak = make_certificate((struct wish){ .subject = "Weak", .ca = true,
	    .key = "RSA:1024" }, &root);
	struct made leaf = make_certificate((struct wish){ 0 }, &weak);

	ck_assert_refused(judge_chain(&leaf, &weak, NULL), "found 1024 in CN=Weak");
	made_clear(&leaf);
	made_clear(&weak);
}
END_TEST

START_TEST(a_ca_is_no_leaf)
{
	requirements.names = NULL;
	ck_assert_refused(judge_chain(&middle, NULL, NULL),
	    "expected the certificate of a server, found a CA: CN=Middle");
}
END_TEST

START_TEST(the_extended_key_usage_must_fit_if_there_is_one)
{
	ck_assert_taken(judge_wish((struct wish){ .usage = "serverAuth" }));
	ck_assert_taken(judge_wish((struct wish){ .usage = "codeSigning,clientAuth" }));
	ck_assert_taken(judge_wish((struct wish){ .usage = "anyExtendedKeyUsage" }));
	ck_assert_refused(judge_wish((struct wish){
	    .usage = "codeSigning,emailProtection,1.2.3.4" }),
	    "expected a certificate for serverAuth or clientAuth, "
	    "found one for codeSigning, emailProtection, 1.2.3.4");
}
END_TEST

START_TEST(an_expired_certificate_is_refused)
{
	ck_assert_refused(judge_wish((struct wish){ .not_after = TEST_NOW }),
	    "expected a certificate that is valid at 2027-01-15T08:00:00Z, "
	    "found CN=www.example.com that expired at 2027-01-15T08:00:00Z");
	ck_assert_int_eq(retry, 0);
	ck_assert_taken(judge_wish((struct wish){ .not_after = TEST_NOW + 1 }));
}
END_TEST

START_TEST(a_certificate_of_the_future_is_refused_until_it_begins)
{
	ck_assert_refused(judge_wish((struct wish){ .not_before = TEST_NOW + 1 }),
	    "found CN=www.example.com that begins at 2027-01-15T08:00:01Z");
	ck_assert_int_eq(retry, TEST_NOW + 1);
	ck_assert_taken(judge_wish((struct wish){ .not_before = TEST_NOW }));
	ck_assert_int_eq(retry, 0);
}
END_TEST

START_TEST(an_expired_link_is_refused)
{
	struct made old = make_certificate((struct wish){ .subject = "Old", .ca = true,
	    .not_after = TEST_NOW - 1 }, &root);
	struct made leaf = make_certificate((struct wish){ 0 }, &old);

	ck_assert_refused(judge_chain(&leaf, &old, &root), "found CN=Old that expired at");
	made_clear(&leaf);
	made_clear(&old);
}
END_TEST

START_TEST(a_link_of_the_future_is_refused_until_it_begins)
{
	struct made young = make_certificate((struct wish){ .subject = "Young", .ca = true,
	    .not_before = TEST_NOW + TEST_DAY }, &root);
	struct made leaf = make_certificate((struct wish){ 0 }, &young);

	ck_assert_refused(judge_chain(&leaf, &young, NULL), "found CN=Young that begins at");
	ck_assert_int_eq(retry, TEST_NOW + TEST_DAY);
	made_clear(&leaf);
	made_clear(&young);
}
END_TEST

START_TEST(an_expired_root_is_left_out_and_does_not_matter)
{
	struct made old = make_certificate((struct wish){ .subject = "Old", .ca = true,
	    .not_after = TEST_NOW - 1 }, NULL);
	struct made leaf = make_certificate((struct wish){ 0 }, &old);

	ck_assert_taken(judge_chain(&leaf, &old, NULL));
	made_clear(&leaf);
	made_clear(&old);
}
END_TEST

START_TEST(an_issuer_must_be_a_ca)
{
	struct made server = make_certificate((struct wish){ .subject = "Server" }, &root);
	struct made signer = make_certificate((struct wish){ .subject = "Signer", .ca = true,
	    .key_usage = "digitalSignature" }, &root);
	struct made first = make_certificate((struct wish){ 0 }, &server);
	struct made second = make_certificate((struct wish){ 0 }, &signer);

	ck_assert_refused(judge_chain(&first, &server, NULL),
	    "expected a CA as the issuer of CN=www.example.com, found CN=Server, which is none");
	ck_assert_refused(judge_chain(&second, &signer, NULL), "found CN=Signer, which is none");
	made_clear(&second);
	made_clear(&first);
	made_clear(&signer);
	made_clear(&server);
}
END_TEST

START_TEST(a_bad_signature_is_refused)
{
	struct made other = make_certificate((struct wish){ .subject = "Middle", .ca = true },
	    &root);
	struct made leaf = make_certificate((struct wish){ 0 }, &other);

	ck_assert_refused(judge_chain(&leaf, &middle, NULL), "expected CN=www.example.com to be "
	    "signed by CN=Middle, found a signature that its key did not make");
	made_clear(&leaf);
	made_clear(&other);
}
END_TEST

START_TEST(a_bad_signature_by_the_root_is_refused)
{
	struct made other = make_certificate((struct wish){ .subject = "Root", .ca = true }, NULL);
	struct made leaf = make_certificate((struct wish){ 0 }, &middle);

	ck_assert_refused(judge_chain(&leaf, &middle, &other),
	    "expected CN=Middle to be signed by CN=Root");
	made_clear(&leaf);
	made_clear(&other);
}
END_TEST

static int
judge_trusting(const struct made *trusted, struct made *leaf, const struct made *second)
{
	struct secret trust = { 0 };
	int result;

	pem_add_certificate(&trust, trusted->certificate);
	requirements.trust = &trust;
	result = judge_chain(leaf, second, NULL);
	requirements.trust = NULL;
	secret_clear(&trust);
	return result;
}

START_TEST(the_chain_must_end_in_trust_file)
{
	struct made other = make_certificate((struct wish){ .subject = "Other", .ca = true }, NULL);
	struct made leaf = make_certificate((struct wish){ .usage = "clientAuth" }, &middle);

	ck_assert_taken(judge_trusting(&root, &leaf, &middle));
	ck_assert_refused(judge_trusting(&other, &leaf, &middle), "expected a chain to a root in "
	    "trust_file, found one that ends at CN=Middle: unable to get");
	made_clear(&leaf);
	made_clear(&other);
}
END_TEST

START_TEST(with_trust_file_a_missing_intermediate_is_seen)
{
	struct made leaf = make_certificate((struct wish){ 0 }, &middle);

	ck_assert_taken(judge_chain(&leaf, NULL, NULL));
	ck_assert_refused(judge_trusting(&root, &leaf, NULL), "found one that ends at "
	    "CN=www.example.com: unable to get");
	made_clear(&leaf);
}
END_TEST

START_TEST(an_intermediate_in_trust_file_is_trusted)
{
	struct made leaf = make_certificate((struct wish){ 0 }, &middle);

	ck_assert_taken(judge_trusting(&middle, &leaf, &middle));
	ck_assert_taken(judge_trusting(&middle, &leaf, NULL));
	made_clear(&leaf);
}
END_TEST

START_TEST(a_trust_file_must_hold_certificates)
{
	struct secret trust = { 0 };

	requirements.trust = &trust;
	ck_assert_refused(judge_wish((struct wish){ 0 }), "PEM certificates in trust_file");
	pem_add_text(&trust, "nothing\n");
	ck_assert_refused(judge_wish((struct wish){ 0 }), "found: no start line");
	pem_add_certificate(&trust, root.certificate);
	pem_add_text(&trust, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	ck_assert_refused(judge_wish((struct wish){ 0 }), "PEM certificates in trust_file");
	secret_clear(&trust);
}
END_TEST

START_TEST(force_does_not_help_a_bad_certificate)
{
	requirements.force = true;
	ck_assert_refused(judge_wish((struct wish){ .not_after = TEST_NOW - 1 }), "expired");
}
END_TEST

START_TEST(nobody_needs_to_ask_for_notice_or_retry)
{
	struct made leaf = make_certificate((struct wish){ 0 }, &middle);
	struct leaf installed = { .fingerprint = "other", .not_before = TEST_NOW - 10,
	    .not_after = TEST_NOW + 89 * TEST_DAY };
	struct bundle *bundle = bundle_of(&leaf, NULL, NULL);

	requirements.installed = &installed;
	ck_assert_taken(judge_bundle(bundle, &requirements, NULL, NULL, &reason));
	ck_assert_taken(judge_bundle(bundle, &requirements, NULL, &notice, &reason));
	ck_assert_ptr_nonnull(notice);
	bundle_free(bundle);
	made_clear(&leaf);
}
END_TEST

START_TEST(a_link_whose_extensions_cannot_be_read_is_refused)
{
	struct made leaf = make_certificate((struct wish){ 0 }, &middle);
	ASN1_OCTET_STRING *junk = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(junk, (const unsigned char *)"junk", 4);
	extension = X509_EXTENSION_create_by_NID(NULL, NID_authority_key_identifier, 0, junk);
	X509_add_ext(middle.certificate, extension, -1);
	X509_sign(middle.certificate, root.key, EVP_sha256());
	ck_assert_refused(judge_chain(&leaf, &middle, NULL),
	    "expected readable extensions in CN=Middle, found some that are not");
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(junk);
	made_clear(&leaf);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_add_test(tests, a_good_bundle_is_taken);
	tcase_add_test(tests, every_wanted_name_must_be_covered);
	tcase_add_test(tests, the_common_name_is_no_name);
	tcase_add_test(tests, names_are_not_checked_when_none_is_wanted);
	tcase_add_test(tests, a_long_list_of_names_is_cut);
	tcase_add_test(tests, weak_keys_are_refused);
	tcase_add_test(tests, a_weak_key_of_a_link_is_refused);
	tcase_add_test(tests, a_ca_is_no_leaf);
	tcase_add_test(tests, the_extended_key_usage_must_fit_if_there_is_one);
	tcase_add_test(tests, an_expired_certificate_is_refused);
	tcase_add_test(tests, a_certificate_of_the_future_is_refused_until_it_begins);
	tcase_add_test(tests, an_expired_link_is_refused);
	tcase_add_test(tests, a_link_of_the_future_is_refused_until_it_begins);
	tcase_add_test(tests, an_expired_root_is_left_out_and_does_not_matter);
	tcase_add_test(tests, an_issuer_must_be_a_ca);
	tcase_add_test(tests, a_bad_signature_is_refused);
	tcase_add_test(tests, a_bad_signature_by_the_root_is_refused);
	tcase_add_test(tests, the_chain_must_end_in_trust_file);
	tcase_add_test(tests, with_trust_file_a_missing_intermediate_is_seen);
	tcase_add_test(tests, an_intermediate_in_trust_file_is_trusted);
	tcase_add_test(tests, a_trust_file_must_hold_certificates);
	tcase_add_test(tests, force_does_not_help_a_bad_certificate);
	tcase_add_test(tests, nobody_needs_to_ask_for_notice_or_retry);
	tcase_add_test(tests, a_link_whose_extensions_cannot_be_read_is_refused);
}

int
main(void)
{
	TCase *tests = tcase_create("judge");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	add_tests(tests);
	return run_tests("judge", tests);
}
