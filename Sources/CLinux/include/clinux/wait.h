/*
 * Descriptors to wait on, all close-on-exec. <sys/eventfd.h>, <sys/timerfd.h>, <sys/signalfd.h>
 * and <sys/epoll.h> are not in the Glibc module.
 */
#ifndef CLINUX_WAIT_H
#define CLINUX_WAIT_H

#include <stdint.h>

int clinux_eventfd(void);

/* On CLOCK_MONOTONIC; time in nanoseconds. */
int clinux_timerfd(void);
int clinux_timerfd_set(int fd, uint64_t time);

/* Blocks the signals in the calling thread, too. */
int clinux_signalfd(const int *signals, int count);
/* One signal number, or -EAGAIN. */
int clinux_signalfd_read(int fd);

int clinux_epoll_create(void);
/* Reports as long as `fd` is readable (EPOLLIN). */
int clinux_epoll_add(int epfd, int fd, uint64_t token);
/* The same for EPOLLPRI alone: pressure triggers. */
int clinux_epoll_add_priority(int epfd, int fd, uint64_t token);
/* Reports once (EPOLLONESHOT) that `fd` is readable or hung up, until it is rearmed. */
int clinux_epoll_add_once(int epfd, int fd, uint64_t token);
int clinux_epoll_rearm(int epfd, int fd, uint64_t token);
int clinux_epoll_remove(int epfd, int fd);
/* Waits for one event. Returns 1, its token and whether EPOLLIN and EPOLLHUP were reported, or
   0 on time-out. */
int clinux_epoll_wait(int epfd, uint64_t *token, int *readable, int *hung_up, int timeout_ms);

#endif
