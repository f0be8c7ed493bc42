/* SPDX-License-Identifier: ISC */
/*
 * A whole talk with a Vault that answers what it likes: login, kinds of mounts, listings, versions,
 * secrets, errors. Whatever it says becomes answers that the parent takes, and tells no secret.
 *
 * An input is the replies in their order: a line with the status (or a fate, FATES below) and a
 * word (Location, or the seconds of Retry-After), the body, a line "%%".
 */
#include "appraise.h"
#include "fuzz.h"
#include "http.h"
#include "kv.h"
#include "memory.h"
#include "pems.h"
#include "publish-secret.h"
#include "wire.h"

#define SECRET_ID "fuzz-secret-id"
#define ITEMS 5

/* --- The seam: replies from the input --- */

static const char *next, *end;	/* what of the input was not sent yet */

struct http *
http_new(const struct http_settings *settings, struct failure *why)
{
	(void)settings;
	(void)why;
	return memory_new(1, 1);
}

void
http_free(struct http *http)
{
	free(http);
}

/* As certlet-publish reads it. */
static void
check_published(const struct secret *body)
{
	json_t *json = json_loadb(body->bytes, body->size, 0, NULL);
	struct published published = { 0 };
	struct secret text = { 0 };
	struct failure why = { 0 };

	if (published_read(json, &published, &why) == 0 ||
	    published_read_metadata(json_object_get(json, "data"), FUZZ_NOW, &published,
	    &why) == 0) {
		if (published.edition.leaf.fingerprint[0] != '\0') {
			publish_secret_notes(&published, &published.edition, published.version,
			    &text);
			MUST(published_holds(&published, &published.edition));
		}
	} else {
		MUST(why.kind == FAILURE_VAULT);
	}
	secret_clear(&text);
	published_clear(&published);
	json_decref(json);
}

static void
take_head(const char *line, size_t size, struct http_reply *reply, char **word)
{
	static const enum http_fate fates[] = {	/* FATES */
		HTTP_UNREACHED, HTTP_UNTRUSTED, HTTP_LOST, HTTP_TOO_LARGE
	};
	char *text = memory_text_n(line, size), *rest = NULL;

	reply->status = strtol(text, &rest, 10);
	if (reply->status < 0 || reply->status > 999)
		reply->status = 999;
	if (reply->status < (long)(sizeof(fates) / sizeof(*fates))) {
		reply->fate = fates[reply->status];
		reply->status = 0;
	}
	if (*rest == ' ') {
		reply->retry_after = strtol(rest + 1, NULL, 10) % 100000;
		reply->location = *word = memory_text(rest + 1);
	}
	free(text);
}

static void
send_next(size_t index, http_done *done, void *context)
{
	const char *line_end = memchr(next, '\n', (size_t)(end - next));
	const char *body = line_end != NULL ? line_end + 1 : end, *body_end;
	struct http_reply reply = { .reason = "it is a test" };
	char *word = NULL;

	take_head(next, (size_t)((line_end != NULL ? line_end : end) - next), &reply, &word);
	body_end = memmem(body, (size_t)(end - body), "%%\n", 3);
	next = body_end != NULL ? body_end + 3 : end;
	if (reply.fate == HTTP_ANSWERED) {
		pems_expand(body, (size_t)((body_end != NULL ? body_end : end) - body), "\\n",
		    &reply.body);
		if (reply.body.size != 0)
			check_published(&reply.body);
	}
	done(context, index, &reply);
	secret_clear(&reply.body);
	free(word);
}

void
http_run(struct http *http, const struct http_request *requests, size_t count, long milliseconds,
    http_done *done, void *context)
{
	(void)http;
	(void)requests;
	(void)milliseconds;
	for (size_t i = 0; i < count; i++)
		send_next(i, done, context);
}

/* --- What becomes of it --- */

static struct kv_item items[ITEMS];
static size_t told[ITEMS];	/* how often, in one step */
static struct question question;
static const struct agent_settings agent = { .critical = 86400 };

static void
check_failure(const struct failure *why)
{
	MUST(why->kind != FAILURE_NONE && why->kind != FAILURE_INTERNAL);
	MUST(why->text[0] != '\0' && fuzz_is_line(why->text));
	/* A refusal names fields and hosts, which are those of whoever wrote the certificate. */
	MUST(why->kind == FAILURE_REFUSED || strstr(why->text, SECRET_ID) == NULL);
}

/* What the child says, the parent takes. */
static void
check_taken(const struct answer *answer)
{
	struct frame frame = { 0 };
	struct answer taken = { 0 };

	wire_put_answer(&frame, answer);
	MUST(wire_take_answer(&frame, &taken));
	MUST(secret_equal(&taken.material.key, &answer->material.key));
	answer_clear(&taken);
	frame_clear(&frame);
}

static void
check_failed(const struct version *offered, const struct failure *why)
{
	const struct answer answer = {
		.kind = why->kind == FAILURE_REFUSED ? ANSWER_REFUSED : ANSWER_FAILED,
		.offered = *offered, .why = *why,
	};

	check_failure(why);
	check_taken(&answer);
}

static void
was_polled(void *context, struct kv_item *item, const struct failure *why)
{
	(void)context;
	MUST(++told[item - items] == 1);
	if (why != NULL)
		check_failed(&(const struct version){ 0 }, why);
	else if (!version_is_none(&item->newest))
		check_taken(&(const struct answer){ .kind = ANSWER_UNCHANGED,
		    .offered = item->newest });
	else
		MUST(item->metadata_denied);
}

static void
was_read(void *context, struct kv_item *item, const struct version *version, const json_t *data,
    const struct failure *why)
{
	struct answer answer = { .kind = ANSWER_MATERIAL };
	struct failure refusal = { 0 };

	(void)context;
	MUST(++told[item - items] == 1);
	if (why != NULL) {
		check_failed(&(const struct version){ 0 }, why);
		return;
	}
	MUST(!version_is_none(version));
	answer.offered = answer.got = *version;
	if (appraise_secret(&agent, &question, item, version, data, &answer, &refusal) == 0) {
		MUST(answer.material.leaf.not_after > FUZZ_NOW);
		check_taken(&answer);
	} else {
		MUST(refusal.kind == FAILURE_REFUSED);
		check_failed(version, &refusal);
	}
	answer_clear(&answer);
}

/* Each item was told of, once; none is told of twice where Vault went away. */
static void
check_told(int result, const struct kv_item *const chosen[], size_t count,
    const struct failure *why)
{
	if (result == -1) {
		check_failure(why);
		MUST(why->kind == FAILURE_VAULT || why->kind == FAILURE_LOGIN);
	}
	for (size_t i = 0; i < count; i++)
		MUST(result == -1 || told[chosen[i] - items] == 1);
	memset(told, 0, sizeof(told));
}

static void
talk(struct kv *kv)
{
	struct kv_item *all[ITEMS], *versioned[ITEMS];
	struct failure why = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < ITEMS; i++)
		all[i] = &items[i];
	if (kv_detect(kv, all, ITEMS, &why) == -1) {
		check_failure(&why);
		return;
	}
	for (size_t i = 0; i < ITEMS; i++) {
		MUST(items[i].version == KV_1 || items[i].version == KV_2);
		if (items[i].version == KV_2)
			versioned[count++] = &items[i];
	}
	check_told(kv_poll(kv, versioned, count, was_polled, NULL, &why),
	    (const struct kv_item *const *)versioned, count, &why);
	check_told(kv_read(kv, all, ITEMS, was_read, NULL, &why),
	    (const struct kv_item *const *)all, ITEMS, &why);
}

static void
check_account(const struct vault *vault, const struct notes *learned)
{
	struct vault_account account;
	struct fetch_summary summary = { 0 }, taken;
	struct frame frame = { 0 };

	vault_tell(vault, &account);
	summary.let_in = account.let_in;
	summary.credentials = account.credentials;
	summary.requests = account.requests;
	summary.address = account.address;
	summary.drop_token = account.drop_token;
	summary.token_expires = account.token_expires;
	summary.notes = *learned;
	if (account.token != NULL)
		secret_set(&summary.token, account.token->bytes, account.token->size);
	wire_put_summary(&frame, &summary);
	MUST(wire_take_summary(&frame, 2, &taken));
	fetch_summary_clear(&taken);
	secret_clear(&summary.token);
	frame_clear(&frame);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct entry entries[ITEMS] = {
		{ .mount = (char *)"secret", .path = (char *)"certs/a", .source = (char *)"kv:secret/certs/a", .any_name = true },
		{ .mount = (char *)"secret", .path = (char *)"certs/b", .source = (char *)"kv:secret/certs/b", .any_name = true },
		{ .mount = (char *)"old", .path = (char *)"c", .source = (char *)"kv:old/c", .any_name = true },
		{ .mount = (char *)"one", .path = (char *)"d", .source = (char *)"kv:one/d", .kv_version = KV_1,
		    .fields_given = true, .fields = { [PART_CERT] = (char *)"c", [PART_KEY] = (char *)"k" } },
		{ .mount = (char *)"two", .path = (char *)"e", .source = (char *)"kv:two/e", .kv_version = KV_2 },
	};
	char *addresses[] = { (char *)"https://a.test:8200", (char *)"https://b.test:8200", NULL };
	/* No time is left after the first round of requests: nothing here ever sleeps. */
	const struct vault_settings settings = {
		.addresses = { addresses, 2 }, .timeout = 1, .auth = AUTH_APPROLE,
		.auth_mount = (char *)"approle",
	};
	struct credentials credentials = { 0 };
	struct notes known = { 0 }, learned = { 0 };
	struct kv kv = { .known = &known, .learned = &learned, .now = FUZZ_NOW };
	struct failure why;

	next = (const char *)bytes;
	end = next + size;
	secret_set(&credentials.role_id, "fuzz-role-id", 12);
	secret_set(&credentials.secret_id, SECRET_ID, strlen(SECRET_ID));
	if (entries[ITEMS - 1].names.count == 0)
		words_add(&entries[ITEMS - 1].names, "www.example.com");
	for (size_t i = 0; i < ITEMS; i++)
		items[i] = (struct kv_item){ .entry = &entries[i] };
	MUST((kv.vault = vault_open(&settings, &credentials, &why)) != NULL);
	talk(&kv);
	check_account(kv.vault, &learned);
	vault_close(kv.vault);
	notes_clear(&learned);
	credentials_clear(&credentials);
	return 0;
}
