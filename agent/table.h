/* SPDX-License-Identifier: ISC */
/* table: rows of cells, as wide as what is in them, and no wider than the terminal. */
#ifndef CERTLET_TABLE_H
#define CERTLET_TABLE_H

#include <stddef.h>

#include "paper.h"

#define TABLE_COLUMNS_MOST 8

/* Where a line that is too long for the terminal may be cut. */
enum table_cut { TABLE_WHOLE, TABLE_MIDDLE, TABLE_END };

struct table_column {
	const char *title;
	enum table_cut cut;
};

enum colour { COLOUR_NONE, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED };

struct table;

/* The columns have to live as long as the table. */
struct table *table_new(const struct paper *paper, const struct table_column columns[],
    size_t count);
void table_free(struct table *table);

/* One cell for each column, copied; `colour` is that of the second one, which is the state's. */
void table_add(struct table *table, const char *const cells[], enum colour colour);

/* After the last table_add(). Rows count from 0. */
void table_print_titles(struct table *table);
void table_print_row(const struct table *table, size_t row);

#endif
