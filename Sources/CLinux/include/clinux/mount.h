/*
 * The mount API by descriptors: open_tree(2), move_mount(2), mount_setattr(2), fsopen(2).
 *
 * glibc has functions and constants for it since 2.36 only, which is younger than what some
 * distributions have that Swift runs on; and syscall(2) is variadic, which Swift cannot call.
 */
#ifndef CLINUX_MOUNT_H
#define CLINUX_MOUNT_H

#include <stdint.h>

static const unsigned CLINUX_OPEN_TREE_CLONE = 1;
static const unsigned CLINUX_OPEN_TREE_CLOEXEC = 02000000;
static const unsigned CLINUX_AT_RECURSIVE = 0x8000; /* also of open_tree */

static const unsigned CLINUX_MOVE_MOUNT_F_EMPTY_PATH = 0x4;
static const unsigned CLINUX_MOVE_MOUNT_T_EMPTY_PATH = 0x40;
static const unsigned CLINUX_MOVE_MOUNT_BENEATH = 0x200; /* Linux 6.5 */

static const uint64_t CLINUX_MOUNT_ATTR_RDONLY = 0x1;
static const uint64_t CLINUX_MOUNT_ATTR_NOSUID = 0x2;
static const uint64_t CLINUX_MOUNT_ATTR_NODEV = 0x4;
static const uint64_t CLINUX_MOUNT_ATTR_NOEXEC = 0x8;
static const uint64_t CLINUX_MOUNT_ATTR_NOATIME = 0x10;
static const uint64_t CLINUX_MOUNT_ATTR_NODIRATIME = 0x80;

int clinux_open_tree(int dirfd, const char *path, unsigned flags);
int clinux_move_mount(int from_fd, const char *from_path, int to_fd, const char *to_path,
                      unsigned flags);
/*
 * Sets the attributes in `set` and the propagation type on the mount at `fd`, with
 * CLINUX_AT_RECURSIVE in `flags` on those below it, too.
 */
int clinux_mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t propagation);

/* fsopen(2), and fsconfig(2) on its result: a string, a flag (value NULL), creation. */
int clinux_fsopen(const char *fstype);
int clinux_fsconfig(int context, const char *key, const char *value);
int clinux_fsconfig_create(int context);
/* A detached mount of the filesystem. */
int clinux_fsmount(int context, uint64_t attributes);

#endif
