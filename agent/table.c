/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "memory.h"
#include "table.h"
#include "text.h"

#define GAP 2			/* columns between two cells */
#define CUT_LEAST 10		/* columns that are left of a cell that is cut */
#define PAD_MOST 64		/* without a terminal: longer cells widen no others */
#define STATE_COLUMN 1

struct row {
	char *cells[TABLE_COLUMNS_MOST];
	enum colour colour;
};

struct table {
	const struct paper *paper;
	const struct table_column *columns;
	size_t column_count;
	size_t widths[TABLE_COLUMNS_MOST];
	struct row *rows;
	size_t row_count, row_room;
};

static const char *const escapes[] = {
	[COLOUR_NONE] = "", [COLOUR_GREEN] = "\033[32m", [COLOUR_YELLOW] = "\033[33m",
	[COLOUR_RED] = "\033[31m",
};

static void
print_coloured(const struct paper *paper, enum colour colour, const char *text)
{
	if (paper->colours && colour != COLOUR_NONE)
		(void)fprintf(paper->out, "%s%s\033[0m", escapes[colour], text);
	else
		(void)fputs(text, paper->out);
}

struct table *
table_new(const struct paper *paper, const struct table_column columns[], size_t count)
{
	struct table *table = memory_new(1, sizeof(*table));

	table->paper = paper;
	table->columns = columns;
	table->column_count = count;
	for (size_t i = 0; i < count; i++)
		table->widths[i] = text_width(columns[i].title);
	return table;
}

void
table_free(struct table *table)
{
	for (size_t i = 0; i < table->row_count; i++)
		for (size_t j = 0; j < table->column_count; j++)
			free(table->rows[i].cells[j]);
	free(table->rows);
	free(table);
}

void
table_add(struct table *table, const char *const cells[], enum colour colour)
{
	struct row *row;

	if (table->row_count == table->row_room) {
		table->row_room = 2 * table->row_room + 8;
		table->rows = memory_grow(table->rows, table->row_room, sizeof(*table->rows));
	}
	row = &table->rows[table->row_count++];
	*row = (struct row){ .colour = colour };
	for (size_t i = 0; i < table->column_count; i++) {
		size_t width;

		row->cells[i] = text_cut_end(cells[i], 0);
		width = text_width(row->cells[i]);
		if (table->paper->width == 0 && width > PAD_MOST)
			width = PAD_MOST;
		if (width > table->widths[i])
			table->widths[i] = width;
	}
}

static size_t
line_width(const struct table *table)
{
	size_t width = GAP * (table->column_count - 1);

	for (size_t i = 0; i < table->column_count; i++)
		width += table->widths[i];
	return width;
}

/* Whoever reads the table looks for a name: the other cells that may be cut give way before it. */
static void
fit(struct table *table)
{
	static const enum table_cut cuts[] = { TABLE_END, TABLE_MIDDLE };

	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++)
		for (size_t j = 0; j < table->column_count; j++)
			while (table->columns[j].cut == cuts[i] && table->widths[j] > CUT_LEAST &&
			    line_width(table) > table->paper->width)
				table->widths[j]--;
}

static void
print_line(const struct table *table, const char *const cells[], enum colour colour)
{
	for (size_t i = 0; i < table->column_count; i++) {
		const struct table_column *column = &table->columns[i];
		const size_t most = table->paper->width == 0 || column->cut == TABLE_WHOLE ? 0 :
		    table->widths[i];
		char *cell = column->cut == TABLE_MIDDLE ? text_cut_middle(cells[i], most) :
		    text_cut_end(cells[i], most);
		const size_t width = text_width(cell);

		print_coloured(table->paper, i == STATE_COLUMN ? colour : COLOUR_NONE, cell);
		if (i + 1 < table->column_count)
			(void)fprintf(table->paper->out, "%*s", (int)(GAP + (width <
			    table->widths[i] ? table->widths[i] - width : 0)), "");
		free(cell);
	}
	(void)fputc('\n', table->paper->out);
}

void
table_print_titles(struct table *table)
{
	const char *titles[TABLE_COLUMNS_MOST];

	if (table->paper->width != 0)
		fit(table);
	for (size_t i = 0; i < table->column_count; i++)
		titles[i] = table->columns[i].title;
	print_line(table, titles, COLOUR_NONE);
}

void
table_print_row(const struct table *table, size_t row)
{
	print_line(table, (const char *const *)table->rows[row].cells, table->rows[row].colour);
}
