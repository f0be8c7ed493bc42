/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "login.h"
#include "pem.h"
#include "wire.h"

#define TIME_MOST 253402300799U		/* the end of the year 9999 */
#define CERT_BYTES_MOST 131072
#define CHAIN_BYTES_MOST (1024 * 1024)
#define KEY_BYTES_MOST 131072
#define CHAIN_BLOCKS_MOST 100
#define TRUST_BYTES_MOST (4 * 1024 * 1024)
#define SERIAL_BYTES_MOST 128
#define ISSUER_BYTES_MOST 4096
#define NAME_BYTES_MOST 512
#define NAMES_MOST 10000
#define NOTE_BYTES_MOST 1024	/* with NOTES_MOST, far from the limit of the state's file */
#define NOTICE_BYTES_MOST 4096
#define HEX "0123456789abcdef"
#define NAME_LETTERS HEX "ghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_*:"
#define CREATED_LETTERS NAME_LETTERS "+"

/* --- Pieces --- */

static bool
consists_of(const char *text, const char *letters)
{
	return text[strspn(text, letters)] == '\0';
}

static void
put_time(struct frame *frame, time_t when)
{
	frame_put_number(frame, when > 0 ? (uint64_t)when : 0);
}

static time_t
take_time(struct frame *frame)
{
	return (time_t)frame_take_number(frame, TIME_MOST);
}

static void
put_version(struct frame *frame, const struct version *version)
{
	frame_put_number(frame, version->number);
	frame_put_text(frame, version->created);
}

static void
take_version(struct frame *frame, struct version *version)
{
	version->number = frame_take_number(frame, UINT64_MAX);
	frame_take_line(frame, version->created, sizeof(version->created));
	if (!consists_of(version->created, CREATED_LETTERS))
		frame_break(frame);
}

/* A text for people: UTF-8 without control characters, however it was cut on its way. */
static void
put_line(struct frame *frame, const char *text)
{
	char *copy = memory_text(text != NULL ? text : "");

	clean_make(copy);
	frame_put_text(frame, copy);
	free(copy);
}

static char *
take_line(struct frame *frame, size_t most)
{
	char *text = frame_take_text(frame, most);

	if (!clean_check(text))
		frame_break(frame);
	return text;
}

static void
put_failure(struct frame *frame, const struct failure *why)
{
	frame_put_number(frame, why->kind);
	put_line(frame, why->kind != FAILURE_NONE ? why->text : "");
}

static void
take_failure(struct frame *frame, struct failure *why)
{
	why->kind = (enum failure_kind)frame_take_number(frame, FAILURE_KINDS - 1);
	frame_take_line(frame, why->text, sizeof(why->text));
	if (!clean_check(why->text) || (why->kind == FAILURE_NONE) != (why->text[0] == '\0'))
		frame_break(frame);
}

static void
put_words(struct frame *frame, const struct words *words)
{
	frame_put_number(frame, words->count);
	for (size_t i = 0; i < words->count; i++)
		frame_put_text(frame, words->items[i]);
}

static void
take_names(struct frame *frame, struct words *names)
{
	const size_t count = (size_t)frame_take_number(frame, NAMES_MOST);

	for (size_t i = 0; i < count && !frame->broken; i++) {
		char name[NAME_BYTES_MOST];

		frame_take_line(frame, name, sizeof(name));
		if (name[0] == '\0' || !consists_of(name, NAME_LETTERS))
			frame_break(frame);
		words_add(names, name);
	}
}

static void
put_leaf(struct frame *frame, const struct leaf *leaf)
{
	frame_put_text(frame, leaf->fingerprint);
	frame_put_text(frame, leaf->serial);
	put_line(frame, leaf->issuer);
	put_words(frame, &leaf->names);
	put_time(frame, leaf->not_before);
	put_time(frame, leaf->not_after);
	frame_put_number(frame, leaf->key_type);
}

static void
take_leaf(struct frame *frame, struct leaf *leaf)
{
	frame_take_line(frame, leaf->fingerprint, sizeof(leaf->fingerprint));
	leaf->serial = frame_take_text(frame, SERIAL_BYTES_MOST);
	leaf->issuer = take_line(frame, ISSUER_BYTES_MOST);
	take_names(frame, &leaf->names);
	leaf->not_before = take_time(frame);
	leaf->not_after = take_time(frame);
	leaf->key_type = (enum key_type)frame_take_number(frame, KEY_OTHER);
	if (strlen(leaf->fingerprint) != FINGERPRINT_BYTES - 1 ||
	    !consists_of(leaf->fingerprint, HEX) ||
	    leaf->serial[0] == '\0' || !consists_of(leaf->serial, HEX))
		frame_break(frame);
}

/* --- Questions --- */

void
wire_put_question(struct frame *frame, const struct question *question)
{
	frame_begin(frame, WIRE_QUESTION);
	frame_put_number(frame, question->entry);
	put_version(frame, &question->installed);
	for (int i = 0; i < QUESTION_SPARED; i++)
		put_version(frame, &question->spared[i]);
	frame_put_number(frame, question->damaged);
	frame_put_number(frame, question->force);
	frame_put_number(frame, question->have_leaf);
	if (question->have_leaf)
		put_leaf(frame, &question->leaf);
	frame_put_number(frame, question->has_trust);
	frame_put_secret(frame, &question->trust);
}

static void
clear_question(struct question *question)
{
	leaf_clear(&question->leaf);
	secret_clear(&question->trust);
	*question = (struct question){ 0 };
}

bool
wire_take_question(struct frame *frame, struct question *out_question)
{
	struct question question = { .entry = (uint32_t)frame_take_number(frame, UINT32_MAX) };

	take_version(frame, &question.installed);
	for (int i = 0; i < QUESTION_SPARED; i++)
		take_version(frame, &question.spared[i]);
	question.damaged = frame_take_flag(frame);
	question.force = frame_take_flag(frame);
	question.have_leaf = frame_take_flag(frame);
	if (question.have_leaf)
		take_leaf(frame, &question.leaf);
	question.has_trust = frame_take_flag(frame);
	frame_take_secret(frame, TRUST_BYTES_MOST, &question.trust);
	if (frame->type == WIRE_QUESTION && frame_ended(frame)) {
		*out_question = question;
		return true;
	}
	clear_question(&question);
	return false;
}

/* --- Answers --- */

static int
refuse(struct failure *why, const char *what)
{
	return failure_set(why, FAILURE_REFUSED, "%s cannot be installed as it is", what);
}

int
wire_check_material(const struct material *material, struct failure *why)
{
	const struct leaf *leaf = &material->leaf;

	if (material->cert.size > CERT_BYTES_MOST ||
	    !pem_has_shape(&material->cert, "CERTIFICATE", 1, 1))
		return refuse(why, "the certificate");
	if (material->chain.size > CHAIN_BYTES_MOST ||
	    !pem_has_shape(&material->chain, "CERTIFICATE", 0, CHAIN_BLOCKS_MOST))
		return refuse(why, "the chain");
	if (material->key.size > KEY_BYTES_MOST ||
	    !pem_has_shape(&material->key, "PRIVATE KEY", 1, 1))
		return refuse(why, "the key");
	if (strlen(leaf->serial) > SERIAL_BYTES_MOST || strlen(leaf->issuer) > ISSUER_BYTES_MOST)
		return refuse(why, "a certificate whose issuer or serial number is that long");
	if (leaf->names.count > NAMES_MOST)
		return refuse(why, "a certificate of that many names");
	for (size_t i = 0; i < leaf->names.count; i++) {
		const char *name = leaf->names.items[i];

		if (name[0] == '\0' || strlen(name) >= NAME_BYTES_MOST ||
		    !consists_of(name, NAME_LETTERS))
			return refuse(why, "a certificate with a name that is none");
	}
	return 0;
}

static void
put_material(struct frame *frame, const struct answer *answer)
{
	put_version(frame, &answer->got);
	frame_put_secret(frame, &answer->material.cert);
	frame_put_secret(frame, &answer->material.chain);
	frame_put_secret(frame, &answer->material.key);
	put_leaf(frame, &answer->material.leaf);
}

static void
take_material(struct frame *frame, struct answer *answer)
{
	struct failure why;

	take_version(frame, &answer->got);
	frame_take_secret(frame, CERT_BYTES_MOST, &answer->material.cert);
	frame_take_secret(frame, CHAIN_BYTES_MOST, &answer->material.chain);
	frame_take_secret(frame, KEY_BYTES_MOST, &answer->material.key);
	take_leaf(frame, &answer->material.leaf);
	if (version_is_none(&answer->got) || wire_check_material(&answer->material, &why) == -1)
		frame_break(frame);
}

void
wire_put_answer(struct frame *frame, const struct answer *answer)
{
	frame_begin(frame, WIRE_ANSWER);
	frame_put_number(frame, answer->entry);
	frame_put_number(frame, answer->kind);
	put_version(frame, &answer->offered);
	put_failure(frame, &answer->why);
	put_line(frame, answer->notice);
	put_time(frame, answer->retry);
	if (answer->kind == ANSWER_MATERIAL)
		put_material(frame, answer);
}

/* Only what may be said of one certificate: no child decides that certlet is set up wrongly. */
static bool
is_fitting(const struct answer *answer)
{
	switch (answer->kind) {
	case ANSWER_UNCHANGED:
		return answer->why.kind == FAILURE_NONE && !version_is_none(&answer->offered);
	case ANSWER_MATERIAL:
		return (answer->why.kind == FAILURE_NONE || answer->why.kind == FAILURE_REFUSED) &&
		    !version_is_none(&answer->offered);
	case ANSWER_REFUSED:
		return answer->why.kind == FAILURE_REFUSED && !version_is_none(&answer->offered);
	case ANSWER_FAILED:
		return answer->why.kind == FAILURE_DENIED || answer->why.kind == FAILURE_ABSENT ||
		    answer->why.kind == FAILURE_VAULT || answer->why.kind == FAILURE_REFUSED;
	}
	return false;
}

bool
wire_take_answer(struct frame *frame, struct answer *out_answer)
{
	struct answer answer = { .entry = (uint32_t)frame_take_number(frame, UINT32_MAX) };

	answer.kind = (enum answer_kind)frame_take_number(frame, ANSWER_FAILED);
	take_version(frame, &answer.offered);
	take_failure(frame, &answer.why);
	answer.notice = take_line(frame, NOTICE_BYTES_MOST);
	answer.retry = take_time(frame);
	if (answer.notice[0] == '\0') {
		free(answer.notice);
		answer.notice = NULL;
	}
	if (answer.kind == ANSWER_MATERIAL)
		take_material(frame, &answer);
	if (frame->type == WIRE_ANSWER && frame_ended(frame) && is_fitting(&answer)) {
		*out_answer = answer;
		return true;
	}
	answer_clear(&answer);
	return false;
}

/* --- The summary --- */

static bool
is_note_subject(const char *subject)
{
	return strncmp(subject, "kv-version ", 11) == 0 || strncmp(subject, "list ", 5) == 0 ||
	    strncmp(subject, "metadata ", 9) == 0;
}

static void
take_notes(struct frame *frame, struct notes *notes)
{
	const size_t count = (size_t)frame_take_number(frame, NOTES_MOST);
	const time_t latest = time(NULL) + 2 * NOTES_BELIEVED_SECONDS;

	for (size_t i = 0; i < count && !frame->broken; i++) {
		char *subject = take_line(frame, NOTE_BYTES_MOST);
		const uint32_t value = (uint32_t)frame_take_number(frame, KV_2);
		const time_t until = take_time(frame);

		if (!is_note_subject(subject) || until > latest)
			frame_break(frame);
		else
			notes_set(notes, subject, value, until);
		free(subject);
	}
}

void
wire_put_summary(struct frame *frame, const struct fetch_summary *summary)
{
	frame_begin(frame, WIRE_SUMMARY);
	frame_put_number(frame, summary->let_in);
	put_failure(frame, &summary->away);
	frame_put_number(frame, summary->credentials);
	frame_put_number(frame, summary->requests);
	frame_put_number(frame, (uint64_t)(summary->address + 1));
	frame_put_secret(frame, &summary->token);
	put_time(frame, summary->token_expires);
	frame_put_number(frame, summary->drop_token);
	frame_put_number(frame, summary->notes.count);
	for (size_t i = 0; i < summary->notes.count; i++) {
		put_line(frame, summary->notes.items[i].subject);
		frame_put_number(frame, summary->notes.items[i].value);
		put_time(frame, summary->notes.items[i].until);
	}
}

bool
wire_take_summary(struct frame *frame, size_t addresses, struct fetch_summary *out_summary)
{
	struct fetch_summary summary = { .let_in = frame_take_flag(frame) };

	take_failure(frame, &summary.away);
	summary.credentials = (enum credentials_state)frame_take_number(frame, CREDENTIALS_REFUSED);
	summary.requests = (uint32_t)frame_take_number(frame, UINT32_MAX);
	summary.address = (int32_t)frame_take_number(frame, addresses) - 1;
	frame_take_secret(frame, LOGIN_TOKEN_BYTES_MOST, &summary.token);
	summary.token_expires = take_time(frame);
	summary.drop_token = frame_take_flag(frame);
	take_notes(frame, &summary.notes);
	if (frame->type == WIRE_SUMMARY && frame_ended(frame) && (summary.token.size == 0 ||
	    login_is_token(summary.token.bytes, summary.token.size)) &&
	    (summary.away.kind == FAILURE_NONE || summary.away.kind == FAILURE_VAULT ||
	    summary.away.kind == FAILURE_LOGIN)) {
		*out_summary = summary;
		return true;
	}
	fetch_summary_clear(&summary);
	return false;
}

/* --- A secret-id --- */

void
wire_put_unwrapped(struct frame *frame, const struct unwrapped *unwrapped)
{
	frame_begin(frame, WIRE_UNWRAPPED);
	put_failure(frame, &unwrapped->why);
	frame_put_secret(frame, &unwrapped->secret_id);
	put_time(frame, unwrapped->expires);
	frame_put_number(frame, unwrapped->uses);
}

static bool
is_whole(const struct unwrapped *unwrapped)
{
	const enum failure_kind kind = unwrapped->why.kind;

	if (kind == FAILURE_NONE)
		return login_is_token(unwrapped->secret_id.bytes, unwrapped->secret_id.size);
	return unwrapped->secret_id.size == 0 &&
	    (kind == FAILURE_LOGIN || kind == FAILURE_VAULT || kind == FAILURE_DENIED);
}

bool
wire_take_unwrapped(struct frame *frame, struct unwrapped *out_unwrapped)
{
	struct unwrapped unwrapped = { 0 };

	take_failure(frame, &unwrapped.why);
	frame_take_secret(frame, LOGIN_TOKEN_BYTES_MOST, &unwrapped.secret_id);
	unwrapped.expires = take_time(frame);
	unwrapped.uses = frame_take_number(frame, UINT64_MAX);
	if (frame->type == WIRE_UNWRAPPED && frame_ended(frame) && is_whole(&unwrapped)) {
		*out_unwrapped = unwrapped;
		return true;
	}
	unwrapped_clear(&unwrapped);
	return false;
}
