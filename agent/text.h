/* SPDX-License-Identifier: ISC */
/*
 * text: lines as a terminal shows them. Texts are UTF-8; a character is taken as one column wide.
 * Nothing that is printed here can move a cursor: control characters become '?'.
 */
#ifndef CERTLET_TEXT_H
#define CERTLET_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* A copy without control characters, at most `most` columns wide (0: as it is), what is too much
 * of it replaced by "…", in its middle or at its end. Caller frees. */
char *text_cut_middle(const char *text, size_t most);
char *text_cut_end(const char *text, size_t most);

size_t text_width(const char *text);

/* Prints `text` as lines of at most `width` columns, folded at blanks; 0: as one line. The first
 * begins where the cursor is, at column `indent`; the others are indented to it. */
void text_fold(FILE *out, const char *text, size_t indent, size_t width);

#endif
