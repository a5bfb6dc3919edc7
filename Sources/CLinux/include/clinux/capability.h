/*
 * What a process may do. capset(2) has no function in glibc and syscall(2) is variadic, as
 * prctl(2) is.
 */
#ifndef CLINUX_CAPABILITY_H
#define CLINUX_CAPABILITY_H

#include <stdint.h>

/* <linux/capability.h> is not in the Glibc module. */
static const unsigned CLINUX_CAP_DAC_OVERRIDE = 1;
static const unsigned CLINUX_CAP_SETPCAP = 8;
static const unsigned CLINUX_CAP_SYS_CHROOT = 18;
static const unsigned CLINUX_CAP_SYS_PTRACE = 19;
static const unsigned CLINUX_CAP_SYS_ADMIN = 21;
static const unsigned CLINUX_CAP_SYS_RESOURCE = 24;

/* PR_SET_NO_NEW_PRIVS. */
int clinux_no_new_privileges(void);
/* Gives up all capabilities but those in `keep` (a bit per number, capabilities(7)), for ever:
   bounding, inheritable and ambient sets too. Those that are not in `effective` have no effect
   until they are raised. Concerns the calling thread. */
int clinux_keep_capabilities(uint64_t keep, uint64_t effective);
/* PR_SET_DUMPABLE: no core dump, and only root may look into the process. */
int clinux_forbid_dumps(void);
/* 1 if thread `tid` has a capability in effect in its own user namespace, else 0. capget(2) takes
   the same time for every thread: the length of its /proc/<tid>/status is the thread's own choice. */
int clinux_has_capability(int tid, unsigned capability);
/* openat(2) by the calling thread, with a capability for so long if it may have that. */
int clinux_open_raising(int dirfd, const char *path, int flags, unsigned capability);

#endif
