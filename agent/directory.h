/* SPDX-License-Identifier: ISC */
/*
 * directory: opens directories in which certlet may write, makes and lists its own. Failures are of
 * kind FAILURE_DISK.
 */
#ifndef CERTLET_DIRECTORY_H
#define CERTLET_DIRECTORY_H

#include <sys/types.h>

#include "failure.h"
#include "file.h"
#include "memory.h"

/*
 * Opens a directory given by an absolute path, component by component. Each must belong to root,
 * `trusted` or whoever runs certlet, and (sticky ones aside) be writable by nobody else. A symlink
 * on the way is followed if nobody but root or whoever runs certlet could have made it: `trusted`
 * must not send us to a directory that he may not write to. The failure names the component.
 */
enum found directory_open_safe(const char *path, uid_t trusted, int *out_directory,
    struct failure *why);
/* The directory above an absolute path, as text (caller frees) and opened; *out_name is the rest,
 * in the path. */
char *directory_above(const char *path);
enum found directory_open_above(const char *path, uid_t trusted, int *out_directory,
    const char **out_name, struct failure *why);
/* The same for a directory of certlet's own; what is missing of the path is made, 0755, durably,
 * each in a directory that was judged before. */
int directory_make_safe(const char *path, int *out_directory, struct failure *why);
/* A text file in such a directory, of whoever runs certlet. */
int directory_write(const char *path, const char *name, const char *text, mode_t mode,
    struct failure *why);

/* Removes it again, and what a killed run left of it; that it, or the directory, is missing is
 * fine. */
int directory_remove_file(const char *path, const char *name, struct failure *why);

/* A directory of certlet's own: never through a symlink. A parent of -1 has nothing in it. */
enum found directory_open(int parent, const char *name, int *out_directory, struct failure *why);
/* Makes it, 0755, durably, if it is missing, and opens it. */
int directory_make(int parent, const char *name, int *out_directory, struct failure *why);

/* Durably. What others put into it, or mounted there, keeps it, which is told; that it is missing is
 * fine. `where` is what messages call the parent. */
int directory_remove(int parent, const char *name, const char *where, struct failure *why);
/* Says why rmdir(2) failed (errno): if something of others is in it, its name. Returns -1. */
int directory_not_removed(int directory, struct failure *why);
/* All names but "." and "..", in no order. *out_names starts as {0}. */
int directory_list(int directory, struct words *out_names, struct failure *why);

#endif
