/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "times.h"

#define DAY_SECONDS 86400L
#define LONGEST_SECONDS (36525L * DAY_SECONDS)

const char *
times_rfc3339(time_t when, char text[TIMES_TEXT_BYTES])
{
	struct tm parts;

	text[0] = '\0';
	if (when != 0 && gmtime_r(&when, &parts) != NULL)
		(void)strftime(text, TIMES_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return text;
}

const char *
times_local(time_t when, char text[TIMES_TEXT_BYTES])
{
	struct tm parts;

	(void)snprintf(text, TIMES_TEXT_BYTES, "-");
	if (when != 0 && localtime_r(&when, &parts) != NULL)
		(void)strftime(text, TIMES_TEXT_BYTES, "%Y-%m-%d %H:%M", &parts);
	return text;
}

/* ".123456789" → 123456789; more than nine digits are cut, none is an error. */
static const char *
parse_fraction(const char *text, long *out_nanoseconds)
{
	long unit = 100000000L;

	*out_nanoseconds = 0;
	if (*text != '.')
		return text;
	if (!isdigit((unsigned char)*++text))
		return NULL;
	for (; isdigit((unsigned char)*text); text++, unit /= 10)
		*out_nanoseconds += (*text - '0') * unit;
	return text;
}

bool
times_parse_rfc3339(const char *text, time_t *out_when, long *out_nanoseconds)
{
	struct tm parts = { 0 };
	int used = 0, hours = 0, minutes = 0, end = 0;
	char sign[2] = "+";
	long fraction;

	if (sscanf(text, "%4d-%2d-%2d%*1[Tt]%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon,
	    &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &used) != 6 || used != 19)
		return false;
	if (parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31 ||
	    parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60)
		return false;
	if ((text = parse_fraction(text + used, &fraction)) == NULL)
		return false;
	if (strcmp(text, "Z") != 0 && strcmp(text, "z") != 0 &&
	    (sscanf(text, "%1[+-]%2d:%2d%n", sign, &hours, &minutes, &end) != 3 ||
	    end != 6 || text[end] != '\0'))
		return false;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	*out_when = timegm(&parts) - (*sign == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
	if (out_nanoseconds != NULL)
		*out_nanoseconds = fraction;
	return true;
}

bool
times_parse_duration(const char *text, long *out_seconds)
{
	static const struct { char letter; long seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY_SECONDS },
	};
	const size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 10 || strlen(text) != digits + 1)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		const long number = strtol(text, NULL, 10);

		if (text[digits] != units[i].letter)
			continue;
		if (number > LONGEST_SECONDS / units[i].seconds)
			return false;
		*out_seconds = number * units[i].seconds;
		return true;
	}
	return false;
}

const char *
times_about(long seconds, char text[TIMES_TEXT_BYTES])
{
	if (seconds >= 2 * DAY_SECONDS)
		(void)snprintf(text, TIMES_TEXT_BYTES, "%ld days", seconds / DAY_SECONDS);
	else if (seconds >= 2 * 3600)
		(void)snprintf(text, TIMES_TEXT_BYTES, "%ld h", seconds / 3600);
	else if (seconds >= 120)
		(void)snprintf(text, TIMES_TEXT_BYTES, "%ld min", seconds / 60);
	else
		(void)snprintf(text, TIMES_TEXT_BYTES, "%ld s", seconds);
	return text;
}
