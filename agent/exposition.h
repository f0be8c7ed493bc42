/* SPDX-License-Identifier: ISC */
/*
 * exposition: the text format of Prometheus, which node_exporter's textfile collector reads. Gauges
 * only. Composes a text, writes no file.
 */
#ifndef CERTLET_EXPOSITION_H
#define CERTLET_EXPOSITION_H

#include <stddef.h>
#include <stdio.h>

/* A text that grows; running out of memory ends the program. */
struct exposition {
	FILE *out;
	char *text;
	size_t size;
};

struct label {
	const char *name;
	const char *value;	/* anything: it is escaped */
};

void exposition_begin(struct exposition *page, const char *comment);	/* its first line; NULL: none */
/* What a metric is; all its samples follow right after it. */
void exposition_metric(struct exposition *page, const char *name, const char *help);
void exposition_sample(struct exposition *page, const char *name, const struct label *first,
    const struct label *second, double value);	/* NULL: no such label */
char *exposition_end(struct exposition *page);	/* caller frees */

#endif
