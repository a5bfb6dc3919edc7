#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
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

static int unix_address(const char *path, struct sockaddr_un *address, socklen_t *size);

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

int clinux_timerfd(void) { RESULT(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)); }

int clinux_timerfd_set(int fd, uint64_t time)
{
    struct itimerspec when = {.it_value = {time / 1000000000, time % 1000000000}};
    RESULT(timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL));
}

int clinux_fchdir(int fd) { RESULT(fchdir(fd)); }

unsigned clinux_major(uint64_t dev) { return major(dev); }
unsigned clinux_minor(uint64_t dev) { return minor(dev); }

int clinux_setns(int fd, int nstype) { RESULT(setns(fd, nstype)); }
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

int clinux_set_death_signal(int sig) { RESULT(prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)); }
int clinux_set_name(const char *name) { RESULT(prctl(PR_SET_NAME, name, 0, 0, 0)); }

int clinux_forbid_dumps(void) { RESULT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)); }
int clinux_no_new_privileges(void) { RESULT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }

int clinux_keep_capabilities(uint64_t keep, uint64_t effective)
{
    /* First what needs CAP_SETPCAP. EINVAL: beyond the last capability of this kernel. */
    for (int number = 0; number < 64; number++) {
        if (keep >> number & 1)
            continue;
        if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) != 1)
            continue;
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
            return -errno;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -errno;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (int half = 0; half < 2; half++) {
        data[half].permitted &= (uint32_t)(keep >> 32 * half);
        data[half].effective = data[half].permitted & (uint32_t)(effective >> 32 * half);
        data[half].inheritable = 0;
    }
    RESULT(syscall(SYS_capset, &header, data));
}

static void do_nothing(int sig) { (void)sig; }

int clinux_interrupt_by(int sig)
{
    struct sigaction action = {.sa_handler = do_nothing};
    RESULT(sigaction(sig, &action, NULL));
}

int clinux_unblock(int sig)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

pid_t clinux_spawn(const char *path, char *const argv[], const int *from, const int *to,
                   size_t count)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    pid_t pid = 0;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int result = posix_spawnattr_setsigmask(&attributes, &none);
    if (result == 0)
        result = posix_spawnattr_setsigdefault(&attributes, &all);
    if (result == 0)
        result = posix_spawnattr_setflags(&attributes,
                                          POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    for (size_t i = 0; i < count && result == 0; i++)
        result = posix_spawn_file_actions_adddup2(&actions, from[i], to[i]);
    if (result == 0)
        result = posix_spawn(&pid, path, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result == 0 ? pid : -result;
}

pid_t clinux_write_later(int file, const void *text, size_t size, int *gate)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    sigset_t all, old;
    sigfillset(&all);
    /* A signal for the parent's group must not keep the child from writing. */
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t pid = fork();
    int error = errno;
    if (pid == 0) {
        char nothing;
        int low = file < ends[0] ? file : ends[0];
        int high = file < ends[0] ? ends[0] : file;
        setsid();
        /* Whoever waits for another gate to close must not wait for this process. */
        if (low > 0)
            close_range(0, low - 1, 0);
        if (high - low > 1)
            close_range(low + 1, high - 1, 0);
        close_range(high + 1, ~0U, 0);
        while (read(ends[0], &nothing, 1) != 0) {}
        _exit(write(file, text, size) == (ssize_t)size ? 0 : errno);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        return -error;
    }
    *gate = ends[1];
    return pid;
}

int clinux_wait(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int clinux_duplicate_above(int fd, int minimum)
{
    RESULT(fcntl(fd, F_DUPFD_CLOEXEC, minimum));
}

pid_t clinux_reap(int *sig, int *code)
{
    int status = 0;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0)
        return errno == ECHILD ? 0 : -errno;
    *sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    return pid;
}

int clinux_memfd(const char *name, uint64_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
        int saved = errno;
        close(fd);
        return -saved;
    }
    return fd;
}

void *clinux_map_shared(int fd, uint64_t size)
{
    void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    return address == MAP_FAILED ? NULL : address;
}

int clinux_socketpair(int pair[2])
{
    RESULT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
}

static ssize_t send_with(int socket, const void *data, size_t size, const int *fds,
                         size_t count, const struct sockaddr_un *address, socklen_t length,
                         int flags)
{
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1,
                             .msg_name = (void *)address, .msg_namelen = length};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {0};
    if (count > 16) {
        errno = EINVAL;
        return -1;
    }
    if (count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL | flags);
    while (sent < 0 && errno == EINTR);
    return sent;
}

_Static_assert(CLINUX_DONTWAIT == MSG_DONTWAIT, "MSG_DONTWAIT");

int clinux_send(int socket, const void *data, size_t size, int fd, int flags)
{
    RESULT(send_with(socket, data, size, &fd, fd >= 0, NULL, 0, flags));
}

int clinux_receive(int socket, void *data, size_t size, int *fd)
{
    struct iovec part = {.iov_base = data, .iov_len = size};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    *fd = -1;
    ssize_t size_received;
    do
        size_received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (size_received < 0 && errno == EINTR);
    if (size_received < 0)
        return -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(fd, CMSG_DATA(header), sizeof(int));
    return size_received;
}

int clinux_notify(const char *path, const char *message, const int *fds, size_t count)
{
    struct sockaddr_un address;
    socklen_t size;
    int result = unix_address(path, &address, &size);
    if (result < 0)
        return result;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* A service manager that does not listen must not keep the caller for ever. */
    struct timeval limit = {.tv_usec = 500000};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) {
        result = -errno;
        close(fd);
        return result;
    }
    ssize_t sent = send_with(fd, message, strlen(message), fds, count, &address, size, 0);
    int saved = errno;
    close(fd);
    return sent < 0 ? -saved : 0;
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

ssize_t clinux_receive_stream(int fd, void *buffer, size_t size, int *fds, int capacity,
                              int *count)
{
    enum { MOST = 64 };
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(MOST * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(
                                 (capacity < MOST ? capacity : MOST) * sizeof(int))};
    *count = 0;
    ssize_t length = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (length < 0)
        return -errno;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item != NULL;
         item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
            continue;
        int number = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (int i = 0; i < number; i++) {
            int received;
            memcpy(&received, CMSG_DATA(item) + i * sizeof(int), sizeof received);
            /* Alignment may leave room for one more than was asked for. */
            if (*count < capacity)
                fds[(*count)++] = received;
            else
                close(received);
        }
    }
    return length;
}

int clinux_allocate(int fd, uint64_t offset, uint64_t size)
{
    RESULT(fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size));
}

int clinux_punch_hole(int fd, uint64_t offset, uint64_t size)
{
    RESULT(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, (off_t)offset,
                     (off_t)size));
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

int clinux_epoll_add_priority(int epfd, int fd, uint64_t token)
{
    struct epoll_event event = {.events = EPOLLPRI, .data.u64 = token};
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

int clinux_epoll_add_once(int epfd, int fd, uint64_t token)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = token};
    RESULT(epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event));
}

int clinux_epoll_rearm(int epfd, int fd, uint64_t token)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = token};
    RESULT(epoll_ctl(epfd, EPOLL_CTL_MOD, fd, &event));
}

int clinux_epoll_next(int epfd, uint64_t *token, int *readable, int *hung_up, int timeout_ms)
{
    struct epoll_event event;
    int count = epoll_wait(epfd, &event, 1, timeout_ms);
    if (count < 0)
        return -errno;
    if (count == 1) {
        *token = event.data.u64;
        *readable = (event.events & EPOLLIN) != 0;
        *hung_up = (event.events & EPOLLHUP) != 0;
    }
    return count;
}

#define NOTIFICATION_START offsetof(clinux_notification, id)
#define NOTIFICATION_ROOM (sizeof(clinux_notification) - NOTIFICATION_START)
#define SAME_PLACE(ours, kernels)                                               \
    _Static_assert(offsetof(clinux_notification, ours) - NOTIFICATION_START ==  \
                       offsetof(struct seccomp_notif, kernels),                 \
                   "the kernel's layout")
SAME_PLACE(pid, pid);
SAME_PLACE(number, data.nr);
SAME_PLACE(arch, data.arch);
SAME_PLACE(arguments, data.args);
_Static_assert(sizeof(clinux_notification) % 64 == 0, "slots must not share a cache line");

int clinux_seccomp_check_sizes(void)
{
    struct seccomp_notif_sizes sizes;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        return -errno;
    return sizes.seccomp_notif <= NOTIFICATION_ROOM &&
                   sizes.seccomp_notif >= sizeof(struct seccomp_notif) &&
                   sizes.seccomp_notif_resp >= sizeof(struct seccomp_notif_resp)
               ? 0
               : -EOVERFLOW;
}

int clinux_seccomp_receive(int fd, clinux_notification *out)
{
    /* The kernel insists on zeroes. */
    unsigned char *start = (unsigned char *)out + NOTIFICATION_START;
    memset(start, 0, NOTIFICATION_ROOM);
    RESULT(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, start));
}

int clinux_seccomp_is_valid(int fd, uint64_t id)
{
    RESULT(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id));
}

static int respond(int fd, struct seccomp_notif_resp response)
{
    RESULT(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response));
}

int clinux_seccomp_return(int fd, uint64_t id, int64_t value)
{
    return respond(fd, (struct seccomp_notif_resp){.id = id, .val = value});
}

int clinux_seccomp_continue(int fd, uint64_t id)
{
    return respond(fd, (struct seccomp_notif_resp){
                           .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

int clinux_seccomp_wake_here(int fd)
{
    /* SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP. */
    RESULT(ioctl(fd, _IOW('!', 4, uint64_t), 1UL));
}

clinux_call clinux_seccomp_call(uint32_t arch, int32_t number)
{
    /* From arch/<arch>/.../syscall.tbl and include/uapi/asm-generic/unistd.h. */
    static const struct {
        uint32_t arch;
        int32_t sysinfo, affinity;
        int is_32bit;
    } table[] = {
        {AUDIT_ARCH_X86_64, 99, 204, 0},
        {AUDIT_ARCH_I386, 116, 242, 1},
        {AUDIT_ARCH_AARCH64, 179, 123, 0},
        {AUDIT_ARCH_ARM, 116, 242, 1},
        {AUDIT_ARCH_RISCV64, 179, 123, 0},
        {AUDIT_ARCH_PPC64LE, 116, 223, 0},
        {AUDIT_ARCH_PPC64, 116, 223, 0},
        {AUDIT_ARCH_PPC, 116, 223, 1},
        {AUDIT_ARCH_S390X, 116, 240, 0},
        {AUDIT_ARCH_S390, 116, 240, 1},
        {0xc0000102 /* LOONGARCH64 */, 179, 123, 0},
    };
    clinux_call result = {.call = CLINUX_CALL_OTHER};
    /* x32 is x86_64 with a bit in the number; its `long` in structures has 64 bits. */
    if (arch == AUDIT_ARCH_X86_64 && number > 0)
        number &= ~0x40000000;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].arch != arch)
            continue;
        result.is_32bit = table[i].is_32bit;
        if (number == table[i].sysinfo)
            result.call = CLINUX_CALL_SYSINFO;
        if (number == table[i].affinity)
            result.call = CLINUX_CALL_SCHED_GETAFFINITY;
    }
    return result;
}

int clinux_open_task_file(int procfd, pid_t tid, const char *name, int flags)
{
    char path[64];
    int length = snprintf(path, sizeof path, "%d/%s", (int)tid, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return -ENAMETOOLONG;
    RESULT(openat(procfd, path, flags | O_CLOEXEC));
}

int64_t clinux_mount_namespace(int procfd, pid_t tid)
{
    char path[64];
    struct stat info;
    snprintf(path, sizeof path, "%d/ns/mnt", (int)tid);
    return fstatat(procfd, path, &info, 0) < 0 ? -(int64_t)errno : (int64_t)info.st_ino;
}

int clinux_affinity(pid_t tid, void *mask, size_t size)
{
    /* Not glibc's wrapper, which hides the size. */
    RESULT(syscall(SYS_sched_getaffinity, tid, size, mask));
}

void clinux_syslog_open(const char *ident, int facility)
{
    openlog(ident, LOG_PID | LOG_NDELAY, facility);
}

void clinux_syslog(int priority, const char *message)
{
    syslog(priority, "%s", message);
}

/* Of the calling thread alone. */
static int set_effective(unsigned capability, int on)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0)
        return -errno;
    struct __user_cap_data_struct *half = &data[CAP_TO_INDEX(capability)];
    uint32_t mask = CAP_TO_MASK(capability);
    if (on && !(half->permitted & mask))
        return 0;
    half->effective = on ? half->effective | mask : half->effective & ~mask;
    RESULT(syscall(SYS_capset, &header, data));
}

int clinux_open_raising(int dirfd, const char *path, int flags, unsigned capability)
{
    int result = set_effective(capability, 1);
    if (result < 0)
        return result;
    int fd = openat(dirfd, path, flags | O_CLOEXEC);
    int error = errno;
    result = set_effective(capability, 0);
    if (result < 0) {
        if (fd >= 0)
            close(fd);
        return result;
    }
    return fd >= 0 ? fd : -error;
}
