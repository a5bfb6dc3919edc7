/*
 * What a container, or a client that is root, does to the seccomp agent.
 *
 *   fuse DIR                  mounts a filesystem at DIR whose file `page` is of 16 MB that never
 *                             come; serves until it is killed
 *   into FILE PAGE            sysinfo(2) into page number PAGE of a mapping of FILE
 *   affinity THREADS SECONDS  sched_getaffinity(2) of the caller's own number, in a loop
 *   sysinfo THREADS SECONDS   sysinfo(2) in a loop; both print how many calls
 *   flood SOCKET COUNT EACH SECONDS
 *                             COUNT connections on which a message begins, and EACH notify
 *                             descriptors come along; then as many that say nothing, again and
 *                             again. After SECONDS it ends
 *   idle SOCKET COUNT SECONDS COUNT processes with a connection each, and nothing to say
 *   other SOCKET              getppid(2) has to be answered by the agent: prints the errno
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "listener.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- A filesystem that hangs. --- */

#define PAGES 4096

static void reply(int device, uint64_t unique, int error, const void *data, size_t size)
{
    char out[1024];
    struct fuse_out_header header = {.len = sizeof header + size, .error = error, .unique = unique};
    memcpy(out, &header, sizeof header);
    if (size > 0)
        memcpy(out + sizeof header, data, size);
    if (write(device, out, sizeof header + size) < 0 && errno != ENOENT)
        perror("reply");
}

static struct fuse_attr attributes(uint64_t node)
{
    struct fuse_attr attr = {.ino = node, .nlink = 1, .blksize = 4096};
    attr.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0666;
    attr.size = node == FUSE_ROOT_ID ? 0 : PAGES * 4096;
    return attr;
}

static int serve(const char *directory)
{
    static char in[1 << 17];
    char options[128];
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device < 0 && mknod("/tmp/fuse", S_IFCHR | 0600, 10 << 8 | 229) == 0)
        device = open("/tmp/fuse", O_RDWR | O_CLOEXEC);
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
             device);
    mkdir(directory, 0755);
    if (device < 0 || mount("hanging", directory, "fuse", MS_NOSUID | MS_NODEV, options) < 0) {
        perror(directory);
        return 1;
    }
    for (;;) {
        ssize_t got = read(device, in, sizeof in);
        if (got < (ssize_t)sizeof(struct fuse_in_header)) {
            if (got < 0 && (errno == EINTR || errno == ENOENT))
                continue;
            return 0;
        }
        struct fuse_in_header *header = (void *)in;
        const void *body = header + 1;
        switch (header->opcode) {
        case FUSE_INIT: {
            const struct fuse_init_in *asked = body;
            struct fuse_init_out answer = {.major = FUSE_KERNEL_VERSION,
                                           .minor = FUSE_KERNEL_MINOR_VERSION,
                                           .max_readahead = asked->max_readahead,
                                           .max_write = 4096};
            reply(device, header->unique, 0, &answer, sizeof answer);
            break;
        }
        case FUSE_LOOKUP: {
            struct fuse_entry_out answer = {.nodeid = 2, .attr_valid = 1000, .entry_valid = 1000,
                                            .attr = attributes(2)};
            if (strcmp(body, "page") == 0)
                reply(device, header->unique, 0, &answer, sizeof answer);
            else
                reply(device, header->unique, -ENOENT, NULL, 0);
            break;
        }
        case FUSE_GETATTR: {
            struct fuse_attr_out answer = {.attr_valid = 1000, .attr = attributes(header->nodeid)};
            reply(device, header->unique, 0, &answer, sizeof answer);
            break;
        }
        case FUSE_OPEN: {
            struct fuse_open_out answer = {.open_flags = FOPEN_KEEP_CACHE};
            reply(device, header->unique, 0, &answer, sizeof answer);
            break;
        }
        case FUSE_READ: /* never */
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT:
            break;
        default:
            reply(device, header->unique, -ENOSYS, NULL, 0);
        }
    }
}

static int into(const char *path, long page)
{
    int file = open(path, O_RDWR);
    char *all = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    if (file < 0 || all == MAP_FAILED) {
        perror(path);
        return 1;
    }
    /* Far from each other: reading ahead of one page is not to bring another. */
    return syscall(SYS_sysinfo, all + (page * 64 % PAGES) * 4096) != 0;
}

/* --- Loops. --- */

static double end;
static long calls;
static int own_mask;

static void *spin(void *unused)
{
    (void)unused;
    cpu_set_t set;
    struct sysinfo info;
    pid_t self = gettid();
    while (now() < end) {
        long result = own_mask ? syscall(SYS_sched_getaffinity, self, sizeof set, &set)
                               : syscall(SYS_sysinfo, &info);
        if (result >= 0)
            __sync_fetch_and_add(&calls, 1);
    }
    return NULL;
}

static int spin_all(int threads, double seconds)
{
    pthread_t all[64];
    end = now() + seconds;
    for (int i = 0; i < threads && i < 64; i++)
        pthread_create(&all[i], NULL, spin, NULL);
    for (int i = 0; i < threads && i < 64; i++)
        pthread_join(all[i], NULL);
    printf("%ld\n", calls);
    return 0;
}

/* --- The socket. --- */

static int connected(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_usec = 100000};
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (s >= 0 && connect(s, (struct sockaddr *)&address, sizeof address) < 0) {
        close(s);
        return -1;
    }
    return s;
}

static int give(int socket, const char *text, int descriptor, int count)
{
    struct iovec part = {(void *)text, strlen(text)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(250 * sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (int i = 0; i < count; i++)
        memcpy(CMSG_DATA(item) + i * sizeof(int), &descriptor, sizeof(int));
    return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static int flood(const char *path, int count, int each, double seconds)
{
    int listener = install_filter(SYS_sysinfo);
    end = now() + seconds;
    for (int i = 0; i < count; i++) {
        int s = connected(path);
        for (int rest = each; s >= 0 && rest > 0; rest -= 250)
            if (!give(s, "{\"ociVersion\":", listener, rest < 250 ? rest : 250))
                break;
    }
    while (now() < end) {
        int last[64];
        for (int i = 0; i < 64; i++)
            last[i] = connected(path);
        for (int i = 0; i < 64; i++) {
            if (last[i] < 0)
                continue;
            if (i % 2)
                give(last[i], "}", 0, 1);
            close(last[i]);
        }
        usleep(10000);
    }
    return 0;
}

static int idle(const char *path, int count, double seconds)
{
    for (int i = 0; i < count; i++) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            end = now() + seconds;
            while (now() < end) {
                int s = connected(path);
                char byte;
                if (s >= 0 && read(s, &byte, 1) >= 0)
                    close(s);
                /* CPU time of the attacker itself is not what this is about. */
                usleep(100000);
            }
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}

static int other(const char *path)
{
    char text[512];
    int s = connected(path), listener = install_filter(SYS_getppid);
    snprintf(text, sizeof text,
             "{\"ociVersion\":\"1\",\"fds\":[\"seccompFd\"],\"pid\":%d,\"state\":"
             "{\"ociVersion\":\"1\",\"id\":\"other\",\"status\":\"creating\",\"pid\":%d,"
             "\"bundle\":\"/\"}}",
             getpid(), getpid());
    if (s < 0 || !give(s, text, listener, 1))
        return 1;
    close(listener);
    printf("%d\n", syscall(SYS_getppid) < 0 ? errno : 0);
    return 0;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    struct rlimit many;
    getrlimit(RLIMIT_NOFILE, &many);
    many.rlim_cur = many.rlim_max;
    setrlimit(RLIMIT_NOFILE, &many);
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(mode, "fuse") && argc == 3)
        return serve(argv[2]);
    if (!strcmp(mode, "into") && argc == 4)
        return into(argv[2], atol(argv[3]));
    own_mask = !strcmp(mode, "affinity");
    if ((own_mask || !strcmp(mode, "sysinfo")) && argc == 4)
        return spin_all(atoi(argv[2]), atof(argv[3]));
    if (!strcmp(mode, "flood") && argc == 6)
        return flood(argv[2], atoi(argv[3]), atoi(argv[4]), atof(argv[5]));
    if (!strcmp(mode, "idle") && argc == 5)
        return idle(argv[2], atoi(argv[3]), atof(argv[4]));
    if (!strcmp(mode, "other") && argc == 3)
        return other(argv[2]);
    return 2;
}
