/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "paper.h"

#define TERMINAL_WIDTH 80	/* of one that does not say */

struct paper
paper_find(void)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
	struct paper paper = { .out = stdout };
	struct winsize size = { 0 };

	if (isatty(STDOUT_FILENO) != 1)
		return paper;
	paper.width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ?
	    size.ws_col : TERMINAL_WIDTH;
	paper.colours = (no_colour == NULL || *no_colour == '\0') &&
	    (terminal == NULL || strcmp(terminal, "dumb") != 0);
	return paper;
}
