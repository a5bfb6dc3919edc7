/* Paths and files. */
#ifndef CLINUX_FILE_H
#define CLINUX_FILE_H

#include <stdint.h>

static const uint64_t CLINUX_RESOLVE_NO_XDEV = 0x01;
static const uint64_t CLINUX_RESOLVE_NO_MAGICLINKS = 0x02;
static const uint64_t CLINUX_RESOLVE_NO_SYMLINKS = 0x04;
static const uint64_t CLINUX_RESOLVE_BENEATH = 0x08;
static const uint64_t CLINUX_RESOLVE_IN_ROOT = 0x10;

/* glibc has no function for openat2(2), and syscall(2) is variadic. */
int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode,
                   uint64_t resolve);

/* Entries of a directory as the kernel has them, from where the descriptor stands: how many bytes,
   0 at the end. glibc's function is hidden behind _GNU_SOURCE. */
int64_t clinux_getdents(int fd, void *buffer, uint32_t size);

static const int64_t CLINUX_PROC_SUPER_MAGIC = 0x9fa0;
static const int64_t CLINUX_SYSFS_MAGIC = 0x62656572;
static const int64_t CLINUX_FUSE_SUPER_MAGIC = 0x65735546;
static const int64_t CLINUX_CGROUP_SUPER_MAGIC = 0x27e0eb;
static const int64_t CLINUX_CGROUP2_SUPER_MAGIC = 0x63677270;

/* f_type of fstatfs(2) and statfs(2), always >= 0 on success. <sys/vfs.h> is not in the Glibc
   module. */
int64_t clinux_filesystem_magic(int fd);
int64_t clinux_filesystem_magic_at(const char *path);

/* Macros with arguments, and never an error. */
unsigned clinux_major(uint64_t dev);
unsigned clinux_minor(uint64_t dev);

#endif
