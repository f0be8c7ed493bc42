/* SPDX-License-Identifier: ISC */
/* paper: how the output wants to be written. */
#ifndef CERTLET_PAPER_H
#define CERTLET_PAPER_H

#include <stdbool.h>
#include <stdio.h>

struct paper {
	FILE *out;
	size_t width;	/* of the terminal; 0: none, nothing is cut or folded */
	bool colours;
};

/* Standard output: what its terminal, TERM and NO_COLOR say. */
struct paper paper_find(void);

#endif
