#define _GNU_SOURCE
#include "clinux/file.h"

#include "result.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode,
                   uint64_t resolve)
{
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    RESULT(syscall(SYS_openat2, dirfd, path, &how, sizeof how));
}

int64_t clinux_getdents(int fd, void *buffer, uint32_t size)
{
    RESULT(syscall(SYS_getdents64, fd, buffer, size));
}

int64_t clinux_filesystem_magic(int fd)
{
    struct statfs info;
    return fstatfs(fd, &info) < 0 ? -(int64_t)errno : (int64_t)(uint32_t)info.f_type;
}

int64_t clinux_filesystem_magic_at(const char *path)
{
    struct statfs info;
    return statfs(path, &info) < 0 ? -(int64_t)errno : (int64_t)(uint32_t)info.f_type;
}

unsigned clinux_major(uint64_t dev) { return major(dev); }
unsigned clinux_minor(uint64_t dev) { return minor(dev); }
