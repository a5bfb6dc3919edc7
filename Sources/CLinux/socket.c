#define _GNU_SOURCE
#include "clinux/socket.h"

#include "result.h"

#include <string.h>
#include <unistd.h>

/* Room for a control message with as many descriptors as there may be. */
typedef union {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE(CLINUX_DESCRIPTORS * sizeof(int))];
} control_room;

ssize_t clinux_send(int socket, const void *data, size_t size, const int *fds, size_t count,
                    const void *address, socklen_t length, int flags)
{
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1,
                             .msg_name = (void *)address, .msg_namelen = length};
    control_room control = {.bytes = {0}};
    if (count > CLINUX_DESCRIPTORS)
        return -EINVAL;
    if (count > 0) {
        message.msg_control = &control;
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
    RESULT(sent);
}

ssize_t clinux_receive(int socket, void *data, size_t size, int *fds, size_t capacity,
                       size_t *count)
{
    struct iovec part = {.iov_base = data, .iov_len = size};
    control_room control = {.bytes = {0}};
    if (capacity > CLINUX_DESCRIPTORS)
        capacity = CLINUX_DESCRIPTORS;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(capacity * sizeof(int))};
    *count = 0;
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (received < 0)
        return -errno;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item != NULL;
         item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
            continue;
        size_t number = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < number; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(item) + i * sizeof(int), sizeof fd);
            /* Alignment may leave room for one more than was asked for. */
            if (*count < capacity)
                fds[(*count)++] = fd;
            else
                close(fd);
        }
    }
    return received;
}
