/*
 * What a thread, and what it starts, may do with files and other processes (landlock(7)).
 *
 * glibc has no functions for it, and <linux/landlock.h> of a distribution knows only what was new
 * when it was made.
 */
#ifndef CLINUX_LANDLOCK_H
#define CLINUX_LANDLOCK_H

#include <stdint.h>

static const uint64_t CLINUX_LANDLOCK_WRITE_FILE = 1 << 1;
static const uint64_t CLINUX_LANDLOCK_READ_FILE = 1 << 2;
static const uint64_t CLINUX_LANDLOCK_READ_DIR = 1 << 3;
static const uint64_t CLINUX_LANDLOCK_REMOVE_FILE = 1 << 5;
static const uint64_t CLINUX_LANDLOCK_MAKE_REG = 1 << 8;
static const uint64_t CLINUX_LANDLOCK_TRUNCATE = 1 << 14; /* Linux 6.2 */

/* A set of rules that forbids all that this kernel can forbid: access to files, to processes
   outside, TCP, signals and abstract sockets to the outside. -ENOSYS or -EOPNOTSUPP where there is
   no Landlock. */
int clinux_landlock_make(void);
/* Allows `access` (as far as the kernel knows it) to what is at and below an open directory. */
int clinux_landlock_allow(int rules, int directory, uint64_t access);
/* Puts the rules on the calling thread, for ever. */
int clinux_landlock_restrict(int rules);

#endif
