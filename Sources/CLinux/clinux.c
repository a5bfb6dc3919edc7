#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <syslog.h>
#include <unistd.h>

/* <sys/mount.h> and <linux/mount.h> of Debian 12 define the same names. */
int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);

#define RESULT(call)                             \
    do {                                         \
        long result_ = (call);                   \
        return result_ < 0 ? -errno : result_;   \
    } while (0)

int clinux_open_tree(int dirfd, const char *path, unsigned flags)
{
    RESULT(syscall(SYS_open_tree, dirfd, path, flags));
}

int clinux_move_mount(int from_fd, const char *from_path, int to_fd, const char *to_path,
                      unsigned flags)
{
    RESULT(syscall(SYS_move_mount, from_fd, from_path, to_fd, to_path, flags));
}

int clinux_mount_setattr(int fd, uint64_t set, uint64_t propagation)
{
    struct mount_attr attr = {.attr_set = set, .propagation = propagation};
    RESULT(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr));
}

int clinux_mount(const char *source, const char *target, const char *type,
                 unsigned long flags, const char *data)
{
    RESULT(mount(source, target, type, flags, data));
}

int clinux_umount2(const char *target, int flags)
{
    RESULT(umount2(target, flags));
}

int clinux_detached_mount(const char *fstype, uint64_t attributes)
{
    int context = syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC);
    if (context < 0)
        return -errno;
    int result = -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        result = syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
    int saved = errno;
    close(context);
    return result < 0 ? -saved : result;
}

int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode,
                   uint64_t resolve)
{
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    RESULT(syscall(SYS_openat2, dirfd, path, &how, sizeof how));
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

int clinux_identify(int fd, clinux_identity *out)
{
    struct statx info;
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, 0, &info) < 0)
        return -errno;
    /* Both are filled in since Linux 5.8, asked for or not. */
    if (!(info.stx_mask & STATX_MNT_ID) ||
        !(info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
        return -ENOSYS;
    out->mount_id = info.stx_mnt_id;
    out->inode = info.stx_ino;
    out->device_major = info.stx_dev_major;
    out->device_minor = info.stx_dev_minor;
    out->mode = info.stx_mode;
    out->is_mount_root = (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return 0;
}

int clinux_fchdir(int fd) { RESULT(fchdir(fd)); }

unsigned clinux_major(uint64_t dev) { return major(dev); }
unsigned clinux_minor(uint64_t dev) { return minor(dev); }

int clinux_setns(int fd, int nstype) { RESULT(setns(fd, nstype)); }
int clinux_unshare(int flags) { RESULT(unshare(flags)); }
int clinux_pidfd_open(pid_t pid) { RESULT(syscall(SYS_pidfd_open, pid, 0)); }

int clinux_pidfd_send_signal(int pidfd, int sig)
{
    RESULT(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0));
}

int clinux_pid_from_pidns(int nsfd, pid_t pid)
{
    /* _IOR(NSIO, 0x6, int), from <linux/nsfs.h> of Linux 6.11. */
    RESULT(ioctl(nsfd, _IOR(0xb7, 0x6, int), pid));
}

int clinux_peer_credentials(int fd, clinux_credentials *out)
{
    struct ucred cred;
    socklen_t size = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
        return -errno;
    out->pid = cred.pid;
    out->uid = cred.uid;
    out->gid = cred.gid;
    return 0;
}

static int unix_address(const char *path, struct sockaddr_un *address, socklen_t *size)
{
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    *size = offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '@' ? 0 : 1);
    return 0;
}

int clinux_listen_unix(const char *path, mode_t mode, int backlog)
{
    struct sockaddr_un address;
    socklen_t size;
    int result = unix_address(path, &address, &size);
    if (result < 0)
        return result;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* fchmod before bind sets the mode that bind creates the file with, so that there is
       no moment in which others may connect. */
    if (fchmod(fd, mode) < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
        listen(fd, backlog) < 0) {
        int saved = errno;
        close(fd);
        return -saved;
    }
    return fd;
}

int clinux_accept(int fd)
{
    RESULT(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

int clinux_connect_unix(const char *path, int timeout_ms)
{
    struct sockaddr_un address;
    socklen_t size;
    int result = unix_address(path, &address, &size);
    if (result < 0)
        return result;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct timeval limit = {.tv_sec = timeout_ms / 1000,
                            .tv_usec = (timeout_ms % 1000) * 1000};
    /* SO_SNDTIMEO also bounds connect(2) while the backlog is full. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
        connect(fd, (struct sockaddr *)&address, size) < 0) {
        int saved = errno;
        close(fd);
        return -saved;
    }
    return fd;
}

int clinux_notify(const char *path, const char *message)
{
    struct sockaddr_un address;
    socklen_t size;
    int result = unix_address(path, &address, &size);
    if (result < 0)
        return result;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    ssize_t sent = sendto(fd, message, strlen(message), MSG_NOSIGNAL,
                          (struct sockaddr *)&address, size);
    int saved = errno;
    close(fd);
    return sent < 0 ? -saved : 0;
}

int clinux_eventfd(void) { RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int clinux_signalfd(const int *signals, int count)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    int result = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (result != 0)
        return -result;
    RESULT(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int clinux_signalfd_read(int fd)
{
    struct signalfd_siginfo info;
    ssize_t size = read(fd, &info, sizeof info);
    if (size < 0)
        return -errno;
    return size == sizeof info ? (int)info.ssi_signo : -EIO;
}

int clinux_epoll_create(void) { RESULT(epoll_create1(EPOLL_CLOEXEC)); }

int clinux_epoll_add(int epfd, int fd, uint64_t token, int edge)
{
    struct epoll_event event = {.events = EPOLLIN | (edge ? EPOLLET : 0),
                                .data.u64 = token};
    RESULT(epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event));
}

int clinux_epoll_remove(int epfd, int fd)
{
    RESULT(epoll_ctl(epfd, EPOLL_CTL_DEL, fd, NULL));
}

int clinux_epoll_wait(int epfd, uint64_t *token, int timeout_ms)
{
    struct epoll_event event;
    int count = epoll_wait(epfd, &event, 1, timeout_ms);
    if (count < 0)
        return -errno;
    if (count == 1)
        *token = event.data.u64;
    return count;
}

void clinux_syslog_open(const char *ident, int facility)
{
    openlog(ident, LOG_PID | LOG_NDELAY, facility);
}

void clinux_syslog(int priority, const char *message)
{
    syslog(priority, "%s", message);
}
