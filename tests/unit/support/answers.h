/* SPDX-License-Identifier: ISC */
/* answers: an answer of the fetch process that nobody can object to. */
#ifndef CERTLET_TESTS_ANSWERS_H
#define CERTLET_TESTS_ANSWERS_H

#include <string.h>

#include "fetch.h"
#include "memory.h"

#define CERT "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"

/* To entry 3. Caller clears. */
static inline struct answer
good_answer(void)
{
	struct answer answer = {
		.entry = 3, .kind = ANSWER_MATERIAL,
		.offered = { 7, "2026-01-02T03:04:05.678Z" }, .got = { 7, "2026-01-02T03:04:05.678Z" },
	};
	struct leaf *leaf = &answer.material.leaf;

	secret_set(&answer.material.cert, CERT, strlen(CERT));
	secret_set(&answer.material.key, KEY, strlen(KEY));
	memset(leaf->fingerprint, 'a', FINGERPRINT_BYTES - 1);
	leaf->serial = memory_text("0a1b");
	leaf->issuer = memory_text("CN=\xc3\x9c");
	words_add(&leaf->names, "www.example.test");
	leaf->not_before = 1700000000;
	leaf->not_after = 1800000000;
	leaf->key_type = KEY_EC;
	return answer;
}

#endif
