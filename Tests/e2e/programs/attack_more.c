// Further ways of a container to be expensive:
//
//     attack_more nest COUNT FILE...      COUNT pid namespaces of its own, in user namespaces of its
//                                         own; the init of each reads FILEs, twice a second
//     attack_more busy COUNT FILE...      the same, all the time
//     attack_more new COUNT FILE...       COUNT processes that read a FILE in a new pid namespace each time
//     attack_more deep DEPTH COUNT FILE   COUNT processes, DEPTH user and pid namespaces deep
//     attack_more threads COUNT FILE...   COUNT threads that read FILEs in turns, all the time
//     attack_more ways COUNT FILE...      ... processes, in all ways there are: a byte at a time,
//                                         1,024 pieces, splice, copies, far offsets
//     attack_more odd COUNT FILE...       ... by calls that files of procfs do not have
//     attack_more signals COUNT FILE...   ... readers that are interrupted, stopped and killed
//     attack_more vfork COUNT FILE...     ... each read in a process of its own, by vfork(2)
//     attack_more wait COUNT FILE...      ... poll(2), select(2) and epoll(7) on FILEs
//     attack_more seek COUNT DIRECTORY... ... listings that begin anywhere
//     attack_more mounts COUNT FILE...    COUNT mounts in namespaces of its own; then reads FILEs
//                                         ("sysinfo": that call)
//     attack_more faults COUNT FILE...    ... processes that map FILEs and have their pages dropped
//
// They run until they are killed.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char **files;
static int file_count;

static void ready(void)
{
    printf("ready\n");
    fflush(stdout);
}

static _Noreturn void stay(void)
{
    for (;;)
        if (wait(NULL) < 0 && errno == ECHILD)
            pause();
}

static void read_all(const char *path, int flags)
{
    char bytes[1 << 14] __attribute__((aligned(4096)));
    if (!strcmp(path, "sysinfo")) {
        struct sysinfo info;
        sysinfo(&info);
        return;
    }
    int file = open(path, O_RDONLY | flags);
    if (file < 0)
        return;
    while (read(file, bytes, sizeof bytes) > 0)
        continue;
    close(file);
}

static const char *file_of(unsigned long turn) { return files[turn % file_count]; }

static int separate(int more)
{
    if (more != 0 && unshare(more) == 0)
        return 0;
    return unshare(CLONE_NEWUSER | more);
}

static void nest(int count, int pause_after)
{
    for (int number = 0; number < count; number++) {
        pid_t outer = fork();
        if (outer > 0)
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (separate(CLONE_NEWPID) < 0) {
            perror("unshare");
            _exit(1);
        }
        if (fork() > 0)
            stay();
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (unsigned long turn = 0;; turn++) {
            read_all(file_of(turn), 0);
            if (turn % file_count == 0)
                usleep(pause_after);
        }
    }
    ready();
    stay();
}

static void in_new(unsigned long turn)
{
    pid_t outer = fork();
    if (outer == 0) {
        if (separate(CLONE_NEWPID) < 0)
            _exit(1);
        pid_t inner = fork();
        if (inner == 0) {
            read_all(file_of(turn), 0);
            _exit(0);
        }
        waitpid(inner, NULL, 0);
        _exit(0);
    }
    waitpid(outer, NULL, 0);
}

static void deep(int depth, int count)
{
    for (; depth > 0; depth--) {
        if (separate(CLONE_NEWPID) < 0) {
            perror("unshare");
            break;
        }
        if (fork() > 0)
            stay();
    }
    for (int number = 1; number < count; number++)
        if (fork() == 0)
            break;
    ready();
    for (unsigned long turn = 0;; turn++)
        read_all(file_of(turn), 0);
}

static void *reads(void *number)
{
    for (unsigned long turn = (unsigned long)number;; turn++)
        read_all(file_of(turn), 0);
    return NULL;
}

static void threads(int count)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 16);
    for (long number = 0; number < count; number++)
        if (pthread_create(&thread, &attributes, reads, (void *)number) != 0)
            perror("thread");
    ready();
    stay();
}

static void ways(unsigned long turn)
{
    static int trash = -1, pipes[2];
    static char bytes[1 << 17];
    if (trash < 0) {
        trash = open("/tmp", O_RDWR | O_TMPFILE, 0600);
        if (trash < 0 || pipe2(pipes, O_NONBLOCK) < 0)
            _exit(1);
    }
    int file = open(file_of(turn / 8), O_RDONLY);
    if (file < 0)
        return;
    struct iovec pieces[1024];
    off_t place = 0;
    switch (turn % 8) {
    case 0:
        while (pread(file, bytes, 1, place++) == 1)
            continue;
        break;
    case 1:
        for (int i = 0; i < 1024; i++)
            pieces[i] = (struct iovec){bytes + i, 1};
        while (readv(file, pieces, 1024) > 0)
            continue;
        break;
    case 2:
        while (splice(file, &place, pipes[1], NULL, 1 << 16, SPLICE_F_NONBLOCK) > 0)
            if (read(pipes[0], bytes, sizeof bytes) <= 0)
                break;
        break;
    case 3:
        if (copy_file_range(file, &place, trash, &(off_t){0}, 1 << 20, 0) < 0)
            break;
        break;
    case 4:
        for (unsigned i = 0; i < 64; i++)
            if (pread(file, bytes, sizeof bytes, 1UL << i % 63) < 0)
                break;
        break;
    case 5:
        if (preadv2(file, &(struct iovec){bytes, sizeof bytes}, 1, 0, RWF_NOWAIT) < 0)
            break;
        break;
    case 6:
        posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
        readahead(file, 0, 1 << 20);
        break;
    default:
        if (sendfile(trash, file, NULL, 1 << 20) < 0)
            break;
        lseek(trash, 0, SEEK_SET);
    }
    close(file);
}

static void odd(unsigned long turn)
{
    char bytes[4096];
    struct statfs space;
    const char *path = file_of(turn / 8);
    int file = open(path, O_RDONLY | O_NONBLOCK);
    if (file < 0)
        return;
    switch (turn % 8) {
    case 0: statfs(path, &space); break;
    case 1: ioctl(file, _IOR('f', turn, char[64]), bytes); break;
    case 2: listxattr(path, bytes, sizeof bytes); break;
    case 3: getxattr(path, "security.capability", bytes, sizeof bytes); break;
    case 4: fsync(file); break;
    case 5: lseek(file, turn, SEEK_DATA); break;
    case 6: flock(file, LOCK_SH | LOCK_NB); break;
    default: faccessat(AT_FDCWD, path, W_OK, AT_EACCESS);
    }
    close(file);
}

static void nothing(int number) { (void)number; }

static void signals(void)
{
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGUSR1, &action, NULL);
    pid_t children[16];
    for (int i = 0; i < 16; i++) children[i] = -1;
    for (unsigned long turn = 0;; turn++) {
        pid_t *child = &children[turn % 16];
        if (*child < 0) {
            *child = fork();
            if (*child == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (unsigned long next = turn;; next++)
                    read_all(file_of(next), next % 2 ? O_DIRECT : 0);
            }
        }
        switch (turn / 16 % 8) {
        case 6: kill(*child, SIGSTOP); break;
        case 7:
            kill(*child, SIGKILL);
            waitpid(*child, NULL, 0);
            *child = -1;
            break;
        default: kill(*child, SIGUSR1);
        }
        if (turn % 16 == 15)
            usleep(200);
    }
}

static void in_vfork(unsigned long turn)
{
    pid_t child = vfork();
    if (child == 0) {
        read_all(file_of(turn), 0);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void wait_for_events(void)
{
    int events = epoll_create1(0), opened[64], count = 0;
    for (int i = 0; i < 64; i++) {
        int file = open(file_of(i), O_RDONLY);
        if (file < 0)
            break;
        opened[count++] = file;
        struct epoll_event event = {.events = EPOLLPRI | EPOLLIN};
        epoll_ctl(events, EPOLL_CTL_ADD, file, &event);
    }
    for (;;) {
        struct epoll_event found[64];
        struct pollfd asked[64];
        epoll_wait(events, found, 64, 1);
        for (int i = 0; i < count; i++)
            asked[i] = (struct pollfd){.fd = opened[i], .events = POLLPRI};
        poll(asked, count, 1);
    }
}

static void seek(unsigned long turn)
{
    DIR *directory = opendir(file_of(turn));
    if (directory == NULL)
        return;
    for (unsigned i = 0; i < 16; i++) {
        seekdir(directory, (long)(turn * 7919 + i) << (turn % 48));
        readdir(directory);
    }
    closedir(directory);
}

static void faults(unsigned long turn)
{
    int file = open(file_of(turn), O_RDONLY);
    if (file < 0)
        return;
    const volatile char *page = mmap(NULL, 1 << 16, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) {
        for (int i = 0; i < 16; i++) {
            (void)page[0];
            madvise((void *)page, 1 << 16, i % 2 ? MADV_DONTNEED : MADV_PAGEOUT);
        }
        munmap((void *)page, 1 << 16);
    }
    close(file);
}

static void mounts(int count)
{
    if (separate(CLONE_NEWNS) < 0)
        perror("unshare");
    mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL);
    int made = 0;
    for (; made < count; made++)
        if (mount("/tmp", "/tmp", NULL, MS_BIND, NULL) < 0)
            break;
    printf("mounts %d: %s\n", made, strerror(errno));
    for (int number = 1; number < 8; number++)
        if (fork() == 0)
            break;
    ready();
    for (unsigned long turn = 0;; turn++)
        read_all(file_of(turn), 0);
}

int main(int count, char **words)
{
    if (count < 4)
        return 2;
    const char *what = words[1];
    int number = atoi(words[2]), first = !strcmp(what, "deep") ? 4 : 3;
    files = words + first;
    file_count = count - first;
    if (!strcmp(what, "nest"))
        nest(number, 500000);
    if (!strcmp(what, "busy"))
        nest(number, 0);
    if (!strcmp(what, "deep"))
        deep(number, atoi(words[3]));
    if (!strcmp(what, "threads"))
        threads(number);
    if (!strcmp(what, "mounts"))
        mounts(number);
    unsigned long turn = 0;
    for (int process = 1; process < number; process++)
        if (fork() == 0) {
            turn = process * 7;
            break;
        }
    ready();
    for (;; turn++) {
        if (!strcmp(what, "ways"))
            ways(turn);
        else if (!strcmp(what, "odd"))
            odd(turn);
        else if (!strcmp(what, "signals"))
            signals();
        else if (!strcmp(what, "vfork"))
            in_vfork(turn);
        else if (!strcmp(what, "new"))
            in_new(turn);
        else if (!strcmp(what, "wait"))
            wait_for_events();
        else if (!strcmp(what, "seek"))
            seek(turn);
        else if (!strcmp(what, "faults"))
            faults(turn);
        else
            return 2;
    }
}
