/* SPDX-License-Identifier: ISC */
/* bundle_fixture: a small CA, a text to read, and what came of it. */
#ifndef CERTLET_TESTS_BUNDLE_FIXTURE_H
#define CERTLET_TESTS_BUNDLE_FIXTURE_H

#include <check.h>
#include <string.h>

#include <openssl/err.h>

#include "bundle.h"
#include "make_certificate.h"

/* root signed upper, upper signed lower, lower signed leaf. */
extern struct made root, upper, lower, leaf;
extern struct secret text;		/* each test fills it */
extern struct bundle *bundle;
extern struct material material;
extern struct failure why;

void fixture_set_up(void);
void fixture_tear_down(void);
int fixture_read_and_write(void);	/* text to bundle to material */

#define ck_assert_read() ck_assert_msg(fixture_read_and_write() == 0, "%s", why.text)
#define ck_assert_refused(part) do {						\
	ck_assert_int_eq(fixture_read_and_write(), -1);				\
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);				\
	ck_assert_msg(strstr(why.text, part) != NULL, "%s", why.text);		\
	ck_assert_uint_eq(ERR_peek_error(), 0);					\
} while (0)

#endif
