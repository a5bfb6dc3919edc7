#define _GNU_SOURCE
#include "clinux/wait.h"

#include "result.h"

#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

int clinux_eventfd(void) { RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int clinux_timerfd(void) { RESULT(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)); }

int clinux_timerfd_set(int fd, uint64_t time)
{
    struct itimerspec when = {.it_value = {time / 1000000000, time % 1000000000}};
    RESULT(timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL));
}

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

static int control(int epfd, int operation, int fd, uint32_t events, uint64_t token)
{
    struct epoll_event event = {.events = events, .data.u64 = token};
    RESULT(epoll_ctl(epfd, operation, fd, &event));
}

int clinux_epoll_add(int epfd, int fd, uint64_t token)
{
    return control(epfd, EPOLL_CTL_ADD, fd, EPOLLIN, token);
}

int clinux_epoll_add_priority(int epfd, int fd, uint64_t token)
{
    return control(epfd, EPOLL_CTL_ADD, fd, EPOLLPRI, token);
}

int clinux_epoll_add_once(int epfd, int fd, uint64_t token)
{
    return control(epfd, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, token);
}

int clinux_epoll_rearm(int epfd, int fd, uint64_t token)
{
    return control(epfd, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLONESHOT, token);
}

int clinux_epoll_remove(int epfd, int fd)
{
    RESULT(epoll_ctl(epfd, EPOLL_CTL_DEL, fd, NULL));
}

int clinux_epoll_wait(int epfd, uint64_t *token, int *readable, int *hung_up, int timeout_ms)
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
