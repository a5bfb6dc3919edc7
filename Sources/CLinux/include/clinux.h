/*
 * The Linux calls that Swift cannot import from Glibc: variadic syscall(), calls newer
 * than Debian 12's headers, and function-like macros (CMSG_*).
 *
 * Every function returns a value >= 0 on success or -errno, so that no thread-local
 * errno has to cross into Swift.
 */
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- mount API (mount(2), open_tree(2), move_mount(2), mount_setattr(2), fsopen(2)) ---- */

static const unsigned CLINUX_OPEN_TREE_CLONE = 1;
static const unsigned CLINUX_OPEN_TREE_CLOEXEC = 02000000;

static const unsigned CLINUX_MOVE_MOUNT_F_EMPTY_PATH = 0x4;
static const unsigned CLINUX_MOVE_MOUNT_T_EMPTY_PATH = 0x40;
static const unsigned CLINUX_MOVE_MOUNT_BENEATH = 0x200; /* Linux 6.5 */

static const uint64_t CLINUX_MOUNT_ATTR_RDONLY = 0x1;
static const uint64_t CLINUX_MOUNT_ATTR_NOSUID = 0x2;
static const uint64_t CLINUX_MOUNT_ATTR_NODEV = 0x4;
static const uint64_t CLINUX_MOUNT_ATTR_NOEXEC = 0x8;

static const uint64_t CLINUX_MS_PRIVATE = 1 << 18;

int clinux_open_tree(int dirfd, const char *path, unsigned flags);
int clinux_move_mount(int from_fd, const char *from_path, int to_fd, const char *to_path,
                      unsigned flags);
/* Sets the attributes in `set` and the propagation type on the one mount at `fd`. */
int clinux_mount_setattr(int fd, uint64_t set, uint64_t propagation);
int clinux_mount(const char *source, const char *target, const char *type,
                 unsigned long flags, const char *data);
int clinux_umount2(const char *target, int flags);
/* A new, detached instance of a filesystem without options, as a mount descriptor. */
int clinux_detached_mount(const char *fstype, uint64_t attributes);

/* fsopen(2), and fsconfig(2) on its result: a string, a flag (value NULL), creation. */
int clinux_fsopen(const char *fstype);
int clinux_fsconfig(int context, const char *key, const char *value);
int clinux_fsconfig_create(int context);
int clinux_fsmount(int context, uint64_t attributes);
static const uint64_t CLINUX_MOUNT_ATTR_NOATIME = 0x10;
static const uint64_t CLINUX_MOUNT_ATTR_NODIRATIME = 0x80;

/* ---- paths and files ---- */

static const uint64_t CLINUX_RESOLVE_NO_XDEV = 0x01;
static const uint64_t CLINUX_RESOLVE_NO_MAGICLINKS = 0x02;
static const uint64_t CLINUX_RESOLVE_NO_SYMLINKS = 0x04;
static const uint64_t CLINUX_RESOLVE_BENEATH = 0x08;
static const uint64_t CLINUX_RESOLVE_IN_ROOT = 0x10;

int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode,
                   uint64_t resolve);

typedef struct {
    uint64_t mount_id;
    uint64_t inode;
    unsigned device_major;
    unsigned device_minor;
    unsigned mode;
    int is_mount_root;
} clinux_identity;

/* statx(2) of `fd` that asks the filesystem for nothing (AT_STATX_DONT_SYNC, empty mask):
   a FUSE server that is dead or hangs is not noticed. `mode` is 0 if it is not known. */
int clinux_identify(int fd, clinux_identity *out);
int clinux_fchdir(int fd);

static const int64_t CLINUX_PROC_SUPER_MAGIC = 0x9fa0;
static const int64_t CLINUX_SYSFS_MAGIC = 0x62656572;
static const int64_t CLINUX_FUSE_SUPER_MAGIC = 0x65735546;
static const int64_t CLINUX_CGROUP_SUPER_MAGIC = 0x27e0eb;
static const int64_t CLINUX_CGROUP2_SUPER_MAGIC = 0x63677270;

/* f_type of fstatfs(2), always >= 0 on success. */
int64_t clinux_filesystem_magic(int fd);
int64_t clinux_filesystem_magic_at(const char *path);

unsigned clinux_major(uint64_t dev);
unsigned clinux_minor(uint64_t dev);

/* ---- processes and namespaces ---- */

int clinux_setns(int fd, int nstype);
int clinux_pidfd_open(pid_t pid);
int clinux_pidfd_send_signal(int pidfd, int sig);
/* NS_GET_PID_FROM_PIDNS: the caller's number for process `pid` of pid namespace `nsfd`;
   -ENOTTY before Linux 6.11. */
int clinux_pid_from_pidns(int nsfd, pid_t pid);

/* prctl(2) is variadic. */
int clinux_set_death_signal(int sig);
int clinux_set_name(const char *name);
/* Lets `sig` interrupt system calls (no SA_RESTART), and nothing more. */
int clinux_interrupt_by(int sig);
/* pthread_sigmask(3) in the calling thread. */
int clinux_unblock(int sig);
/* Starts the program at `path` with the environment of this process, no signal blocked or
   ignored, and descriptor from[i] as to[i] (which must be increasing, and above all of
   `from`). Returns its number. */
pid_t clinux_spawn(const char *path, char *const argv[], const int *from, const int *to,
                   size_t count);
/* Starts a process that writes `text` to `file` when all copies of the descriptor that `*gate`
   is set to are closed, and so also when this process is killed. It ends with errno of write(2)
   as exit code. Returns its number. */
pid_t clinux_write_later(int file, const void *text, size_t size, int *gate);
/* waitpid(2) for one child: its exit code, or 128 and the signal that killed it. */
int clinux_wait(pid_t pid);
/* Moves a descriptor to a number that is at least `minimum`, with close-on-exec. */
int clinux_duplicate_above(int fd, int minimum);
/* waitpid(2) without waiting: the number of a child that has ended, 0 for none. `sig` is
   the signal that killed it or 0, `code` its exit code. */
pid_t clinux_reap(int *sig, int *code);

/* PR_SET_NO_NEW_PRIVS. */
int clinux_no_new_privileges(void);
/* Gives up all capabilities but those in `keep` (a bit per number, capabilities(7)), for ever:
   bounding, inheritable and ambient sets too. Those that are not in `effective` have no effect
   until they are raised. Concerns the calling thread. */
int clinux_keep_capabilities(uint64_t keep, uint64_t effective);
/* PR_SET_DUMPABLE: no core dump, and only root may look into the process. */
int clinux_forbid_dumps(void);

static const unsigned CLINUX_CAP_DAC_OVERRIDE = 1;
static const unsigned CLINUX_CAP_SETPCAP = 8;
static const unsigned CLINUX_CAP_SYS_PTRACE = 19;
static const unsigned CLINUX_CAP_SYS_ADMIN = 21;
static const unsigned CLINUX_CAP_SYS_RESOURCE = 24;

/* ---- memory that outlives a process ---- */

/* memfd_create(2), sealed against shrinking. */
int clinux_memfd(const char *name, uint64_t size);
/* mmap(2) of a shared mapping; NULL when it fails. */
void *clinux_map_shared(int fd, uint64_t size);

/* Loads and stores that other processes see in order (acquire, release). */
static inline uint32_t clinux_load32(const void *at)
{
    return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}
static inline void clinux_store32(void *at, uint32_t value)
{
    __atomic_store_n((uint32_t *)at, value, __ATOMIC_RELEASE);
}
static inline uint64_t clinux_load64(const void *at)
{
    return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}
static inline void clinux_store64(void *at, uint64_t value)
{
    __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELEASE);
}
static inline uint64_t clinux_add64(void *at, uint64_t value)
{
    return __atomic_fetch_add((uint64_t *)at, value, __ATOMIC_ACQ_REL);
}

/* ---- sockets ---- */

/* A pair of connected SOCK_SEQPACKET sockets, both with close-on-exec. */
int clinux_socketpair(int pair[2]);
/* One message, with a descriptor if fd >= 0. */
#define CLINUX_DONTWAIT 0x40 /* MSG_DONTWAIT, an enumerator that Swift does not import */
int clinux_send(int socket, const void *data, size_t size, int fd, int flags);
/* One message; *fd is the descriptor that came with it, or -1. 0: the other side is gone. */
int clinux_receive(int socket, void *data, size_t size, int *fd);

typedef struct {
    pid_t pid;
    uid_t uid;
    gid_t gid;
} clinux_credentials;

/* SO_PEERCRED. */
int clinux_peer_credentials(int fd, clinux_credentials *out);
int clinux_listen_unix(const char *path, mode_t mode, int backlog);
/* accept4(2) with SOCK_CLOEXEC | SOCK_NONBLOCK. */
int clinux_accept(int fd);
int clinux_connect_unix(const char *path, int timeout_ms);
/* recvmsg(2) that also takes up to `capacity` descriptors (SCM_RIGHTS), close-on-exec, into
   `fds`; their number goes to `count`. More than that are closed by the kernel. */
ssize_t clinux_receive_stream(int fd, void *buffer, size_t size, int *fds, int capacity,
                              int *count);
/* A datagram to $NOTIFY_SOCKET (sd_notify(3)), with descriptors (FDSTORE=1); path may start
   with '@'. */
int clinux_notify(const char *path, const char *message, const int *fds, size_t count);

/* ---- room in files (fallocate(2)); the size of the file stays ---- */

int clinux_allocate(int fd, uint64_t offset, uint64_t size);
int clinux_punch_hole(int fd, uint64_t offset, uint64_t size);

/* ---- descriptors to wait on ---- */

int clinux_eventfd(void);
/* On CLOCK_MONOTONIC; time in nanoseconds. */
int clinux_timerfd(void);
int clinux_timerfd_set(int fd, uint64_t time);
int clinux_signalfd(const int *signals, int count);
/* One signal number, or -EAGAIN. */
int clinux_signalfd_read(int fd);
int clinux_epoll_create(void);
int clinux_epoll_add(int epfd, int fd, uint64_t token, int edge);
/* The same for EPOLLPRI alone: pressure triggers. */
int clinux_epoll_add_priority(int epfd, int fd, uint64_t token);
int clinux_epoll_remove(int epfd, int fd);
/* Waits for one readiness event; returns 1 and its token, or 0 on time-out. */
int clinux_epoll_wait(int epfd, uint64_t *token, int timeout_ms);

/* Reports once (EPOLLONESHOT) that `fd` is readable or hung up, until it is rearmed. */
int clinux_epoll_add_once(int epfd, int fd, uint64_t token);
int clinux_epoll_rearm(int epfd, int fd, uint64_t token);
/* As clinux_epoll_wait, with what was reported: EPOLLIN, EPOLLHUP. */
int clinux_epoll_next(int epfd, uint64_t *token, int *readable, int *hung_up, int timeout_ms);

/* ---- seccomp user notification (seccomp_unotify(2)) ---- */

/* What one thread is answering. Lives in shared memory: RECV writes the id there before the
   thread can die, so that whoever comes next can answer for it. */
typedef struct {
    uint64_t listener; /* who it came from; 0: nothing is in flight */
    uint64_t reserved;
    uint64_t id; /* from here on the kernel's struct seccomp_notif; 0: nothing received */
    uint32_t pid;
    uint32_t flags;
    int32_t number;
    uint32_t arch;
    uint64_t instruction_pointer;
    uint64_t arguments[6];
    uint64_t rest[52]; /* a later kernel's structure may be longer */
} clinux_notification;

/* -EOVERFLOW if the kernel's structures do not fit. */
int clinux_seccomp_check_sizes(void);
/* SECCOMP_IOCTL_NOTIF_RECV; -ENOENT if the caller has gone away meanwhile. */
int clinux_seccomp_receive(int fd, clinux_notification *out);
/* SECCOMP_IOCTL_NOTIF_ID_VALID; -ENOENT: not any more. -ENOTTY or -EINVAL: `fd` is something
   else than a notify descriptor. */
int clinux_seccomp_is_valid(int fd, uint64_t id);
/* SECCOMP_IOCTL_NOTIF_SEND: the call returns `value`. */
int clinux_seccomp_return(int fd, uint64_t id, int64_t value);
/* SECCOMP_IOCTL_NOTIF_SEND with SECCOMP_USER_NOTIF_FLAG_CONTINUE: the kernel does the call. */
int clinux_seccomp_continue(int fd, uint64_t id);
/* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP: the answered thread runs on this CPU. Linux 6.6. */
int clinux_seccomp_wake_here(int fd);

/* The system calls that are answered, by the architecture that the caller made them for. */
enum {
    CLINUX_CALL_OTHER = 0,
    CLINUX_CALL_SYSINFO = 1,
    CLINUX_CALL_SCHED_GETAFFINITY = 2,
};
typedef struct {
    int call;
    int is_32bit; /* of pointers and of `long` in structures; not for x32 */
} clinux_call;
clinux_call clinux_seccomp_call(uint32_t arch, int32_t number);

/* /proc/<tid>/<name> below the procfs `procfd`. */
int clinux_open_task_file(int procfd, pid_t tid, const char *name, int flags);
/* The inode of /proc/<tid>/ns/mnt, which identifies a mount namespace (namespaces(7)). */
int64_t clinux_mount_namespace(int procfd, pid_t tid);
/* The size in bytes of the kernel's affinity mask of a thread, after writing it. */
int clinux_affinity(pid_t tid, void *mask, size_t size);

/* ---- capabilities ---- */

/* openat(2) by the calling thread, with a capability for so long if it may have that. */
int clinux_open_raising(int dirfd, const char *path, int flags, unsigned capability);

/* ---- log ---- */

/* syslog(3) is variadic. */
void clinux_syslog_open(const char *ident, int facility);
void clinux_syslog(int priority, const char *message);

#endif
