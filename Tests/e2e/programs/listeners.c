/*
 * Hands seccomp notify descriptors to an agent as a runtime does, without a runtime.
 *
 *   listeners SOCKET COUNT SECONDS [CALLS]
 *
 * COUNT processes install a filter for sysinfo(2), send its descriptor to SOCKET and wait for
 * SECONDS. The first also measures: the median of CALLS calls, in nanoseconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "listener.h"

static void hand_over(const char *path, int descriptor)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(s, (struct sockaddr *)&address, sizeof address) < 0) {
        perror(path);
        _exit(1);
    }
    char text[512];
    int length = snprintf(text, sizeof text,
                          "{\"ociVersion\":\"1.0.2\",\"fds\":[\"seccompFd\"],\"pid\":%d,"
                          "\"state\":{\"ociVersion\":\"1.0.2\",\"id\":\"listener-%055d\","
                          "\"status\":\"creating\",\"pid\":%d,\"bundle\":\"/\"}}",
                          getpid(), getpid(), getpid());
    struct iovec part = {text, length};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(item), &descriptor, sizeof(int));
    if (sendmsg(s, &message, 0) != length)
        _exit(1);
    close(s);
    close(descriptor);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(long calls)
{
    double *times = calloc(calls, sizeof *times);
    struct sysinfo s;
    for (long i = 0; i < calls; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        if (syscall(SYS_sysinfo, &s) != 0)
            _exit(1);
        clock_gettime(CLOCK_MONOTONIC, &end);
        times[i] = (end.tv_sec - start.tv_sec) * 1e9 + end.tv_nsec - start.tv_nsec;
    }
    qsort(times, calls, sizeof *times, compare);
    printf("%.0f\n", times[calls / 2]);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int count = atoi(argv[2]), status, failed = 0;
    long calls = argc > 4 ? atol(argv[4]) : 0;
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            int descriptor = install_filter(SYS_sysinfo);
            if (descriptor < 0)
                _exit(1);
            hand_over(argv[1], descriptor);
            if (i == 0 && calls > 0) {
                sleep(1 + count / 1000);
                measure(calls);
            }
            sleep(atoi(argv[3]));
            _exit(0);
        }
    }
    while (wait(&status) > 0)
        failed += status != 0;
    return failed != 0;
}
