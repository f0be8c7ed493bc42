/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "times.h"

#define DAY_SECONDS 86400L
#define YEAR_0 -62167219200L
#define YEAR_10000 253402300800L
#define LONGEST_SECONDS (36525L * DAY_SECONDS)

const char *
times_rfc3339(time_t when, char text[TIMES_TEXT_BYTES])
{
	struct tm parts;

	text[0] = '\0';
	/* %Y would write fewer digits, or more, than RFC 3339 has. */
	if (when >= YEAR_0 && when < YEAR_10000 && when != 0 && gmtime_r(&when, &parts) != NULL) {
		const int length = snprintf(text, TIMES_TEXT_BYTES, "%04d", parts.tm_year + 1900);

		(void)strftime(text + length, (size_t)(TIMES_TEXT_BYTES - length),
		    "-%m-%dT%H:%M:%SZ", &parts);
	}
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

/* Whether a text begins as a shape does, in which 0 stands for any digit. */
static bool
has_shape(const char *text, const char *shape)
{
	for (; *shape != '\0'; text++, shape++)
		if (*shape == '0' ? !isdigit((unsigned char)*text) :
		    toupper((unsigned char)*text) != *shape)
			return false;
	return true;
}

/* "Z" or "+01:00". */
static bool
parse_offset(const char *text, long *out_seconds)
{
	*out_seconds = 0;
	if (has_shape(text, "Z"))
		return text[1] == '\0';
	if ((!has_shape(text, "+00:00") && !has_shape(text, "-00:00")) || text[6] != '\0')
		return false;
	*out_seconds = strtol(text + 1, NULL, 10) * 3600 + strtol(text + 4, NULL, 10) * 60;
	if (*text == '-')
		*out_seconds = -*out_seconds;
	return true;
}

bool
times_parse_rfc3339(const char *text, time_t *out_when, long *out_nanoseconds)
{
	static const char date[] = "0000-00-00", clock[] = "T00:00:00";
	const char *clock_text = text + sizeof(date) - 1;
	struct tm parts = { 0 };
	long fraction, offset;

	if (!has_shape(text, date) || !has_shape(clock_text, clock) ||
	    strptime(text, "%Y-%m-%d", &parts) == NULL ||
	    strptime(clock_text + 1, "%H:%M:%S", &parts) == NULL ||
	    (text = parse_fraction(clock_text + sizeof(clock) - 1, &fraction)) == NULL ||
	    !parse_offset(text, &offset))
		return false;
	*out_when = timegm(&parts) - offset;
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
