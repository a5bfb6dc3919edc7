/*
 * Messages with descriptors (SCM_RIGHTS, unix(7)). Control messages are made and taken apart
 * by macros with arguments (CMSG_FIRSTHDR and others, cmsg(3)).
 */
#ifndef CLINUX_SOCKET_H
#define CLINUX_SOCKET_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The most descriptors that go with one message. */
enum { CLINUX_DESCRIPTORS = 16 };

/* sendmsg(2), again if a signal interrupts it and without SIGPIPE; to `address` or, if that is
   NULL, to the other end of the connection. -EINVAL for too many descriptors. */
ssize_t clinux_send(int socket, const void *data, size_t size, const int *fds, size_t count,
                    const void *address, socklen_t length, int flags);
/* recvmsg(2) that also takes up to `capacity` descriptors (at most CLINUX_DESCRIPTORS),
   close-on-exec, into `fds`; their number goes to `count`. More than that are closed. 0 is the
   end. */
ssize_t clinux_receive(int socket, void *data, size_t size, int *fds, size_t capacity,
                       size_t *count);

#endif
