/*
 * Opening every file below a directory. In C for the process that does nothing else: it is to be
 * small.
 */
#ifndef CLINUX_HOLD_H
#define CLINUX_HOLD_H

/* Flags of open(2) that make no sense together on a file that is read: by them the worker knows
   that a file is opened for nothing but to be open. */
static const int CLINUX_HOLDING = 01010000; /* O_DSYNC, O_NOATIME */

/* Opens the regular files below `path`, those in directories called "pressure" also for writing,
   and follows no link. They stay open.
   Returns how many; as many as `limit`, or as there may be descriptors. */
int clinux_hold_files(const char *path, int limit);

#endif
