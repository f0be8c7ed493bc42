/* SPDX-License-Identifier: ISC */
/*
 * pem: whether a text has the one shape in which PEM is installed. No parser: labels, the base64
 * alphabet, line lengths and the count of blocks, so that what a child sends can be written to disk
 * by root without being understood.
 */
#ifndef CERTLET_PEM_H
#define CERTLET_PEM_H

#include <stdbool.h>
#include <stddef.h>

#include "secret.h"

/* `least` to `most` blocks of this label ("CERTIFICATE"), nothing else, every line ended by LF. */
bool pem_has_shape(const struct secret *text, const char *label, size_t least, size_t most);

#endif
