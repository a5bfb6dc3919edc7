#define _GNU_SOURCE
#include "clinux/guard.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const int watched[] = {SIGSEGV, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGABRT, SIGALRM};
static const int ignored[] = {SIGPIPE, SIGXFSZ};
enum { COUNT = sizeof watched / sizeof *watched, IGNORED = sizeof ignored / sizeof *ignored };

static struct {
    int armed;
    const char *path;
    char *const *argv;
    const char *volatile failure;
    int code;
    int dirfd;
    const char *volatile name;
    struct sigaction before[COUNT], ignored_before[IGNORED];
    sigset_t mask;
    struct itimerval timer;
} guard;

/* A fault may be that there is no stack left. */
static char stack[16384] __attribute__((aligned(16)));

static void act(int number)
{
    (void)number;
    if (guard.name) unlinkat(guard.dirfd, guard.name, 0);
    const char *failure = guard.failure;
    if (failure) {
        ssize_t count = write(STDERR_FILENO, failure, strlen(failure));
        (void)count;
        _exit(guard.code);
    }
    clinux_guard_disarm();
    sigprocmask(SIG_SETMASK, &guard.mask, NULL);
    execve(guard.path, guard.argv, environ);
    _exit(126);
}

void clinux_guard_arm(const char *path, char *const argv[], unsigned milliseconds)
{
    struct itimerval timer = {
        .it_value = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000}};
    guard.path = path;
    guard.argv = argv;
    if (guard.armed) {
        setitimer(ITIMER_REAL, &timer, NULL);
        return;
    }
    guard.armed = 1;
    sigprocmask(SIG_SETMASK, NULL, &guard.mask);
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&other, NULL);
    struct sigaction action = {.sa_handler = act, .sa_flags = SA_ONSTACK};
    sigfillset(&action.sa_mask);
    sigset_t watch;
    sigemptyset(&watch);
    for (int index = 0; index < COUNT; index++) {
        sigaction(watched[index], &action, &guard.before[index]);
        sigaddset(&watch, watched[index]);
    }
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (int index = 0; index < IGNORED; index++)
        sigaction(ignored[index], &ignore, &guard.ignored_before[index]);
    sigprocmask(SIG_UNBLOCK, &watch, NULL);
    setitimer(ITIMER_REAL, &timer, &guard.timer);
}

void clinux_guard_fail(const char *message, int code)
{
    guard.code = code;
    guard.failure = message;
}

void clinux_guard_remove(int dirfd, const char *name)
{
    guard.dirfd = dirfd;
    guard.name = name;
}

void clinux_guard_disarm(void)
{
    if (!guard.armed) return;
    guard.armed = 0;
    setitimer(ITIMER_REAL, &guard.timer, NULL);
    for (int index = 0; index < COUNT; index++)
        sigaction(watched[index], &guard.before[index], NULL);
    for (int index = 0; index < IGNORED; index++)
        sigaction(ignored[index], &guard.ignored_before[index], NULL);
    sigprocmask(SIG_SETMASK, &guard.mask, NULL);
}
