// Reads one file over and over as `cat` does - open, read to the end, close - and says how
// long that takes.
//
//   reader [-s SECONDS] [-n READS] [-i INTERVAL_US] [-t THREADS] [-w WARMUP] [-c PID]
//          [-j PID] FILE
//
// Ends after SECONDS (default 1) or READS per thread, whichever comes first. With -i each
// read begins INTERVAL_US after the one before. -w reads so often first, unmeasured
// (default 20). -j reads in the pid namespace of a process. Prints on one line: reads, p50 and p99 in ns, reads per second, and the CPU
// time in ns that process PID (-c; all its threads) spent meanwhile.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *path;
static double seconds = 1;
static long limit = 1 << 22;
static long interval_us, warmup = 20;

struct thread {
    pthread_t id;
    uint32_t *ns;
    long count;
};

static void die(const char *what, const char *name)
{
    fprintf(stderr, "reader: %s %s: %s\n", what, name, strerror(errno));
    exit(1);
}

static uint64_t now(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) die("read the clock of", path);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// CPU time of the daemon. A process in another pid namespace cannot see it, so this one stays
// outside and is asked through a pair of pipes.
static int ask[2] = {-1, -1}, answer[2] = {-1, -1};

static uint64_t daemon_cpu(void)
{
    uint64_t value = 0;
    if (ask[1] < 0) return 0;
    if (write(ask[1], "", 1) != 1 || read(answer[0], &value, sizeof value) != sizeof value)
        die("ask", "the parent");
    return value;
}

static int answer_child(pid_t child, pid_t daemon)
{
    clockid_t clock = 0;
    char byte;
    if (daemon > 0 && (errno = clock_getcpuclockid(daemon, &clock)) != 0)
        die("find the CPU clock of", "the daemon");
    while (read(ask[0], &byte, 1) == 1) {
        uint64_t value = daemon > 0 ? now(clock) : 0;
        if (write(answer[1], &value, sizeof value) != sizeof value) die("answer", "the child");
    }
    int status;
    if (waitpid(child, &status, 0) != child) die("wait for", "the child");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void start_child(pid_t namespace, pid_t daemon)
{
    char name[64];
    if (namespace > 0) {
        snprintf(name, sizeof name, "/proc/%d/ns/pid", (int)namespace);
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWPID) != 0) die("enter", name);
        close(fd);
    }
    if (pipe(ask) != 0 || pipe(answer) != 0) die("make", "pipes");
    pid_t child = fork();
    if (child < 0) die("start", "the child");
    if (child == 0) {
        close(ask[0]);
        close(answer[1]);
        return;
    }
    close(ask[1]);
    close(answer[0]);
    exit(answer_child(child, daemon));
}

static void read_once(void)
{
    static __thread char buffer[131072];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) die("open", path);
    long total = 0;
    for (;;) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got < 0) die("read", path);
        if (got == 0) break;
        total += got;
    }
    // A daemon that answers with nothing would be fast. (Only swaps may be short.)
    if (total == 0) {
        fprintf(stderr, "reader: %s is empty\n", path);
        exit(1);
    }
    close(fd);
}

static void *run(void *argument)
{
    struct thread *self = argument;
    uint64_t start = now(CLOCK_MONOTONIC), end = start + (uint64_t)(seconds * 1e9);
    uint64_t next = start;
    while (self->count < limit) {
        if (interval_us > 0) {
            next += (uint64_t)interval_us * 1000;
            struct timespec t = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
            while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
        }
        uint64_t before = now(CLOCK_MONOTONIC);
        if (before >= end) break;
        read_once();
        self->ns[self->count++] = (uint32_t)(now(CLOCK_MONOTONIC) - before);
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    int threads = 1, option;
    pid_t daemon = 0, namespace = 0;
    while ((option = getopt(argc, argv, "s:n:i:t:w:c:j:")) != -1) {
        switch (option) {
        case 's': seconds = atof(optarg); break;
        case 'n': limit = atol(optarg); break;
        case 'i': interval_us = atol(optarg); break;
        case 't': threads = atoi(optarg); break;
        case 'w': warmup = atol(optarg); break;
        case 'c': daemon = (pid_t)atoi(optarg); break;
        case 'j': namespace = (pid_t)atoi(optarg); break;
        default: return 2;
        }
    }
    if (optind + 1 != argc || threads < 1 || threads > 64 || limit < 1) return 2;
    path = argv[optind];

    start_child(namespace, daemon);
    for (long i = 0; i < warmup; i++) read_once();

    struct thread all[64] = {0};
    for (int i = 0; i < threads; i++) {
        all[i].ns = malloc((size_t)limit * sizeof(uint32_t));
        if (!all[i].ns) die("allocate for", path);
    }
    // What the warm-up left in the page cache must not count as the first spaced read.
    if (interval_us > 0) usleep((useconds_t)interval_us);
    uint64_t cpu = daemon_cpu();
    uint64_t start = now(CLOCK_MONOTONIC);
    for (int i = 0; i < threads; i++)
        if ((errno = pthread_create(&all[i].id, NULL, run, &all[i])) != 0) die("start", "thread");
    for (int i = 0; i < threads; i++) pthread_join(all[i].id, NULL);
    uint64_t wall = now(CLOCK_MONOTONIC) - start;
    // What the last read left to do, such as dropping pages, belongs to it.
    if (interval_us > 0) usleep((useconds_t)interval_us);
    cpu = daemon_cpu() - cpu;

    long count = 0;
    for (int i = 0; i < threads; i++) count += all[i].count;
    if (count == 0) {
        fprintf(stderr, "reader: no time to read %s\n", path);
        return 1;
    }
    uint32_t *merged = malloc((size_t)count * sizeof(uint32_t));
    if (!merged) die("allocate for", path);
    long filled = 0;
    for (int i = 0; i < threads; i++) {
        memcpy(merged + filled, all[i].ns, (size_t)all[i].count * sizeof(uint32_t));
        filled += all[i].count;
    }
    qsort(merged, (size_t)count, sizeof(uint32_t), compare);
    printf("%ld %u %u %.0f %llu\n", count, merged[count / 2], merged[count * 99 / 100],
           (double)count * 1e9 / (double)wall, (unsigned long long)cpu);
    return 0;
}
