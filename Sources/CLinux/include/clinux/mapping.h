/*
 * Mappings of a process's memory. <linux/fs.h> has PROCMAP_QUERY only since Linux 6.11, and as a
 * macro with arguments.
 */
#ifndef CLINUX_MAPPING_H
#define CLINUX_MAPPING_H

#include <stdint.h>

/* PROCMAP_QUERY on an open /proc/<pid>/maps: 1 if the mapping that has `address` may be written
   by the process, 0 if not; `end` is where it ends. -ENOENT: nothing is mapped there. -ENOTTY:
   the kernel does not have it. */
int clinux_mapping_at(int maps, uint64_t address, uint64_t *end);

#endif
