#define _GNU_SOURCE
#include "clinux/process.h"

#include "result.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

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

int clinux_pid_in_pidns(int nsfd, pid_t pid)
{
    /* _IOR(NSIO, 0x8, int), from <linux/nsfs.h> of Linux 6.11. */
    RESULT(ioctl(nsfd, _IOR(0xb7, 0x8, int), pid));
}

int clinux_parent_namespace(int nsfd)
{
    /* _IO(NSIO, 0x2), from <linux/nsfs.h>. The descriptor has close-on-exec. */
    RESULT(ioctl(nsfd, _IO(0xb7, 0x2)));
}

int clinux_affinity(pid_t tid, void *mask, size_t size)
{
    /* Not glibc's wrapper, which hides the size. */
    RESULT(syscall(SYS_sched_getaffinity, tid, size, mask));
}

pid_t clinux_fork(void) { RESULT(fork()); }
int clinux_close_from(int low) { RESULT(close_range(low, ~0U, 0)); }

static volatile sig_atomic_t late_code;

static void exit_late(int sig)
{
    (void)sig;
    _exit(late_code);
}

int clinux_exit_after(int ms, int code)
{
    struct sigaction action = {.sa_handler = exit_late};
    struct itimerval when = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    sigset_t alarm;
    late_code = code;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    if (sigprocmask(SIG_UNBLOCK, &alarm, NULL) < 0 || sigaction(SIGALRM, &action, NULL) < 0)
        return -errno;
    RESULT(setitimer(ITIMER_REAL, &when, NULL));
}

int clinux_unshare_files(void) { RESULT(unshare(CLONE_FILES)); }
int clinux_set_death_signal(int sig) { RESULT(prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)); }
int clinux_adopt_orphans(void) { RESULT(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }
int clinux_set_name(const char *name) { RESULT(prctl(PR_SET_NAME, name, 0, 0, 0)); }

static void do_nothing(int sig) { (void)sig; }

int clinux_interrupt_by(int sig)
{
    struct sigaction action = {.sa_handler = do_nothing};
    RESULT(sigaction(sig, &action, NULL));
}

pid_t clinux_write_later(int file, const void *text, size_t size, int patience, int *gate)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    sigset_t all, old;
    sigfillset(&all);
    /* A signal for the parent's group must not keep the child from writing. */
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t parent = getpid();
    pid_t pid = fork();
    int error = errno;
    if (pid == 0) {
        int low = file < ends[0] ? file : ends[0];
        int high = file < ends[0] ? ends[0] : file;
        setsid();
        /* Whoever waits for another gate to close must not wait for this process. */
        if (low > 0)
            close_range(0, low - 1, 0);
        if (high - low > 1)
            close_range(low + 1, high - 1, 0);
        close_range(high + 1, ~0U, 0);
        struct pollfd end = {.fd = ends[0]};
        int closed;
        do
            closed = poll(&end, 1, patience);
        while (closed < 0 && errno == EINTR);
        /* What it was about must not go on without what is taken back now. */
        if (closed == 0 && getppid() == parent)
            kill(parent, SIGKILL);
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

int clinux_reap_any(void)
{
    for (;;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid == 0)
            return 0;
        if (pid < 0 && errno != EINTR)
            return errno == ECHILD ? 1 : -errno;
    }
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
