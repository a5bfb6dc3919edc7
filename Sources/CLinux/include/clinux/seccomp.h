/*
 * seccomp user notification (seccomp_unotify(2)). <linux/seccomp.h> is not in the Glibc module,
 * and the numbers of its ioctl(2) requests are macros with arguments.
 */
#ifndef CLINUX_SECCOMP_H
#define CLINUX_SECCOMP_H

#include <stddef.h>
#include <stdint.h>

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

/* Where the two words are that say whether anything is in flight. */
enum {
    CLINUX_NOTIFICATION_LISTENER = offsetof(clinux_notification, listener),
    CLINUX_NOTIFICATION_ID = offsetof(clinux_notification, id),
};

/* -EOVERFLOW if the kernel's structures do not fit. */
int clinux_seccomp_check_sizes(void);
/* SECCOMP_IOCTL_NOTIF_RECV; -ENOENT if the caller has gone away meanwhile. */
int clinux_seccomp_receive(int fd, clinux_notification *out);
/* SECCOMP_IOCTL_NOTIF_ID_VALID; -ENOENT: not any more. -ENOTTY or -EINVAL: `fd` is something
   else than a notify descriptor. */
int clinux_seccomp_is_valid(int fd, uint64_t id);
/* SECCOMP_IOCTL_NOTIF_SEND: the call returns `value`. */
int clinux_seccomp_return(int fd, uint64_t id, int64_t value);
/* SECCOMP_IOCTL_NOTIF_SEND: the call fails with `error`, which is positive. */
int clinux_seccomp_refuse(int fd, uint64_t id, int error);
/* SECCOMP_IOCTL_NOTIF_SEND with SECCOMP_USER_NOTIF_FLAG_CONTINUE: the kernel does the call. */
int clinux_seccomp_continue(int fd, uint64_t id);
/* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP: the answered thread runs on this CPU. Linux 6.6. */
int clinux_seccomp_wake_here(int fd);

/* The system calls that are answered, by the architecture that the caller made them for
   (AUDIT_ARCH_*; <linux/audit.h> is not in the Glibc module). */
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

#endif
