/* SPDX-License-Identifier: ISC */
/* PEM text, as anybody may put it into Vault: read, judged, written, and read again. */
#include <openssl/err.h>

#include "bundle.h"
#include "fuzz.h"
#include "judge.h"
#include "pems.h"
#include "wire.h"

static struct words names;

/* What was written is what is read, to the byte. */
static void
check_same_words(const struct words *words, const struct words *others)
{
	MUST(words->count == others->count);
	for (size_t i = 0; i < words->count; i++)
		MUST(strcmp(words->items[i], others->items[i]) == 0);
}

static void
check_written(const struct bundle *bundle, const struct material *material)
{
	const struct secret *const texts[] = { &material->cert, &material->chain, &material->key };
	struct bundle *again = NULL;
	struct material same = { 0 };
	struct failure why = { 0 };

	MUST(bundle_read(texts, 3, &again, &why) == 0);
	MUST(bundle_write(again, &same, &why) == 0);
	MUST(secret_equal(&same.cert, &material->cert));
	MUST(secret_equal(&same.chain, &material->chain));
	MUST(secret_equal(&same.key, &material->key));
	MUST(strcmp(bundle_leaf(again)->fingerprint, bundle_leaf(bundle)->fingerprint) == 0);
	check_same_words(&bundle_leaf(again)->names, &bundle_leaf(bundle)->names);
	material_clear(&same);
	bundle_free(again);
}

static int
judge(const struct bundle *bundle, const struct secret *trust, const struct words *wanted)
{
	const struct requirements requirements = {
		.names = wanted, .trust = trust, .now = FUZZ_NOW, .critical = 86400,
		.installed = bundle_leaf(bundle),
	};
	struct failure why = { 0 };
	char *notice = NULL;
	time_t retry = 0;
	const int result = judge_bundle(bundle, &requirements, &retry, &notice, &why);

	MUST(result == 0 || (why.kind == FAILURE_REFUSED && fuzz_is_line(why.text)));
	MUST(ERR_peek_error() == 0);
	free(notice);
	return result;
}

static void
check_bundle(const struct bundle *bundle, const struct secret *trust)
{
	const struct leaf *leaf = bundle_leaf(bundle);
	struct material material = { 0 };
	struct failure why = { 0 };

	MUST(bundle_write(bundle, &material, &why) == 0);
	check_written(bundle, &material);
	if (wire_check_material(&material, &why) == -1)
		MUST(why.kind == FAILURE_REFUSED);
	if (judge(bundle, NULL, NULL) == 0)
		MUST(leaf->not_before <= FUZZ_NOW && leaf->not_after > FUZZ_NOW);
	/* Demanding more never accepts more. */
	if (judge(bundle, trust, &names) == 0)
		MUST(judge(bundle, NULL, NULL) == 0 && leaf->names.count != 0);
	material_clear(&material);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *trust_begins = memmem(bytes, size, "%%\n", 3);
	const size_t before = trust_begins != NULL ?
	    (size_t)(trust_begins - (const char *)bytes) : size;
	struct secret text = { 0 }, trust = { 0 };
	const struct secret *const texts[] = { &text, NULL };
	char fingerprint[FINGERPRINT_BYTES];
	struct bundle *bundle = NULL;
	struct failure why = { 0 };

	if (names.count == 0)
		words_add(&names, "www.example.com");
	pems_expand(bytes, before, "\n", &text);
	if (trust_begins != NULL)
		pems_expand(trust_begins + 3, size - before - 3, "\n", &trust);
	if (bundle_read(texts, 2, &bundle, &why) == 0)
		check_bundle(bundle, &trust);
	else
		MUST(why.kind == FAILURE_REFUSED && fuzz_is_line(why.text));
	if (bundle_fingerprint(text.bytes, text.size, fingerprint, &why) == 0)
		MUST(strlen(fingerprint) == FINGERPRINT_BYTES - 1);
	MUST(ERR_peek_error() == 0);
	bundle_free(bundle);
	secret_clear(&trust);
	secret_clear(&text);
	return 0;
}
