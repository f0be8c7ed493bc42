/* SPDX-License-Identifier: ISC */
/*
 * pems: certificates and keys for inputs, made when they are named, so that no key lies in a corpus.
 *
 * "@leaf" in an input stands for a PEM block, and what follows bends its DER: "@leaf 12=ff 40- 7+00"
 * sets byte 12, takes byte 40 out and puts one in at 7. So a mutation of the input is one of the
 * DER, and all names are those of the table in pems.c.
 */
#ifndef CERTLET_TESTS_PEMS_H
#define CERTLET_TESTS_PEMS_H

#include "secret.h"

/* *out_text starts as {0}; caller clears. Lines of PEM end in `newline`: "\n", or "\\n" in JSON. */
void pems_expand(const void *bytes, size_t size, const char *newline, struct secret *out_text);

#endif
