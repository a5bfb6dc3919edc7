#define _GNU_SOURCE
#include "clinux/mount.h"

#include "result.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_open_tree(int dirfd, const char *path, unsigned flags)
{
    RESULT(syscall(SYS_open_tree, dirfd, path, flags));
}

int clinux_move_mount(int from_fd, const char *from_path, int to_fd, const char *to_path,
                      unsigned flags)
{
    RESULT(syscall(SYS_move_mount, from_fd, from_path, to_fd, to_path, flags));
}

int clinux_mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t propagation)
{
    struct mount_attr attr = {.attr_set = set, .propagation = propagation};
    RESULT(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr));
}

int clinux_fsopen(const char *fstype) { RESULT(syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC)); }

int clinux_fsconfig(int context, const char *key, const char *value)
{
    unsigned command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
    RESULT(syscall(SYS_fsconfig, context, command, key, value, 0));
}

int clinux_fsconfig_create(int context)
{
    RESULT(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

int clinux_fsmount(int context, uint64_t attributes)
{
    RESULT(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
}
