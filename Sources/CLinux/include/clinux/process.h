/* Processes and threads. */
#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* <sys/pidfd.h> is not in the Glibc module, and syscall(2) is variadic. */
int clinux_pidfd_open(pid_t pid);
int clinux_pidfd_send_signal(int pidfd, int sig);
/* NS_GET_PID_FROM_PIDNS: the caller's number for process `pid` of pid namespace `nsfd`;
   -ENOTTY before Linux 6.11. The number of the request is a macro with arguments. */
int clinux_pid_from_pidns(int nsfd, pid_t pid);
/* NS_GET_PID_IN_PIDNS: the number in pid namespace `nsfd` of the caller's thread `pid`; -ESRCH if
   that is not in there, -ENOTTY before Linux 6.11. */
int clinux_pid_in_pidns(int nsfd, pid_t pid);
/* NS_GET_PARENT: a descriptor of the pid namespace that `nsfd` lies in; -EPERM if that is not the
   caller's own one or below it. */
int clinux_parent_namespace(int nsfd);
/* The size in bytes of the kernel's affinity mask of a thread, after writing it. glibc's
   function hides that size, and syscall(2) is variadic. */
int clinux_affinity(pid_t tid, void *mask, size_t size);

/* fork(2), which Swift hides. Only for a process with one thread: then its code may run in the
   child. */
pid_t clinux_fork(void);
/* Closes all descriptors from `low` on. */
int clinux_close_from(int low);
/* Ends this process with `code` after `ms` milliseconds, whatever it waits for: nothing of Swift may
   run in a signal handler. A child has no such timer. */
int clinux_exit_after(int ms, int code);

/* prctl(2) is variadic. */
int clinux_set_death_signal(int sig);
int clinux_adopt_orphans(void);
/* Reaps all children that have ended. 1 if there are no others, 0 if there are. */
int clinux_reap_any(void);
int clinux_set_name(const char *name);

/* Lets `sig` interrupt system calls (no SA_RESTART), and nothing more. The handler comes at any
   moment, in any thread: in C it is certain that it does nothing. */
int clinux_interrupt_by(int sig);

/* Starts a process that writes `text` to `file` when all copies of the descriptor that `*gate`
   is set to are closed, and so also when this process is killed. After `patience` milliseconds it
   kills this process first and does not wait for its end. It ends with errno of write(2) as exit
   code. Returns its number. Swift hides fork(2), and its code may not run in the child. */
pid_t clinux_write_later(int file, const void *text, size_t size, int patience, int *gate);

/* Gives the calling thread a table of descriptors of its own, a copy of the process's. */
int clinux_unshare_files(void);

/* What a status of waitpid(2) says is taken out by macros with arguments. */

/* Waits for one child: its exit code, or 128 and the signal that killed it. */
int clinux_wait(pid_t pid);
/* Without waiting: the number of a child that has ended, 0 for none. `sig` is the signal that
   killed it or 0, `code` its exit code. */
pid_t clinux_reap(int *sig, int *code);

#endif
