/* SPDX-License-Identifier: ISC */
/*
 * clean: whether a text is UTF-8 without control characters (C0, DEL, C1, those of Unicode for the
 * direction of text, its line and paragraph ends), fit for any log.
 */
#ifndef CERTLET_CLEAN_H
#define CERTLET_CLEAN_H

#include <stdbool.h>

bool clean_check(const char *text);
void clean_make(char *text);	/* what is not becomes '?', byte by byte */

#endif
