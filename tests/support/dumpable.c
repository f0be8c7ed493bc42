/* SPDX-License-Identifier: ISC */
/* Preloaded into certlet: it can be made to dump its core, which it forbids. What it keeps out of a core stays out. */
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int
prctl(int option, ...)
{
	unsigned long words[4];
	va_list arguments;

	va_start(arguments, option);
	for (int i = 0; i < 4; i++)
		words[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	if (option == PR_SET_DUMPABLE)
		return 0;
	return (int)syscall(SYS_prctl, option, words[0], words[1], words[2], words[3]);
}
