/* SPDX-License-Identifier: ISC */
/*
 * log: lines for people on standard error, for the journal when systemd reads it.
 *
 * Under systemd (JOURNAL_STREAM names our standard error) every line begins with "<N>", a syslog
 * priority (sd-daemon(3)); on a terminal errors are red and warnings yellow unless NO_COLOR is
 * set; elsewhere lines are plain. Each call is one line; control characters become '?'.
 */
#ifndef CERTLET_LOG_H
#define CERTLET_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_QUIET, LOG_LEVEL_NORMAL, LOG_LEVEL_VERBOSE };

void log_open(const char *program, enum log_level level);	/* looks at standard error once */
bool log_on_terminal(void);

#define LOG_FORMAT __attribute__((format(printf, 1, 2)))
void log_error(const char *format, ...) LOG_FORMAT;	/* always */
void log_warning(const char *format, ...) LOG_FORMAT;	/* not with --quiet, as all below */
void log_notice(const char *format, ...) LOG_FORMAT;	/* changes and summaries */
void log_detail(const char *format, ...) LOG_FORMAT;	/* only with --verbose */
void log_progress(const char *format, ...) LOG_FORMAT;	/* one line that replaces itself, on a terminal only */
#undef LOG_FORMAT

#endif
