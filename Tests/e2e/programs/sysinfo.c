/*
 * Calls for the tests of the seccomp agent, made as programs make them.
 *
 *   pages        sysconf(_SC_PHYS_PAGES) * page size
 *   load         getloadavg(3)
 *   show         the fields of sysinfo(2)
 *   bad          sysinfo(2) with an address that cannot be written: prints errno
 *   places       sysinfo(2) and sched_getaffinity(2) with addresses where the program may and
 *                may not write: for each a name and the two errnos, and "spoilt" if what must
 *                not be written has changed (as sysinfo02 of the Linux Test Project)
 *   threads N M  N threads with M calls each; prints how many answers had the same total
 *   signals N    N calls while a timer interrupts them; prints how many failed
 *   fork N       N processes with one call each; prints how many had the same total
 *   loop N       nanoseconds per call, median of N
 *   spin N S     N threads call for S seconds; prints the number of calls
 *   answers N S  N threads call for S seconds; prints how many answers had the total of the
 *                first call, how many another one, and how many failed
 *   reads N MS   median and 99th percentile of N reads of /proc/meminfo, MS milliseconds
 *                apart, in microseconds
 *   stuck PATH GO  sysinfo(2) with an address in a mapping of PATH, when GO exists
 *   cpus         what sched_getaffinity(2) counts, for the caller by 0, by number, and for
 *                process 1 if that is another
 *   forbidden    how many filesystem types sysfs(2) counts; 0 if it is forbidden
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long calls;
static unsigned long total;
static double end;
static long same, other, failed;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int ask(struct sysinfo *s) { return syscall(SYS_sysinfo, s); }

static void *worker(void *unused)
{
    (void)unused;
    for (long i = 0; i < calls; i++) {
        struct sysinfo s;
        if (ask(&s) == 0 && s.totalram == total)
            __sync_fetch_and_add(&same, 1);
    }
    return NULL;
}

static void *spinner(void *unused)
{
    (void)unused;
    struct sysinfo s;
    while (now() < end)
        if (ask(&s) == 0)
            __sync_fetch_and_add(&same, 1);
    return NULL;
}


static void *answers(void *unused)
{
    (void)unused;
    struct sysinfo s;
    while (now() < end) {
        if (ask(&s) != 0)
            __sync_fetch_and_add(&failed, 1);
        else
            __sync_fetch_and_add(s.totalram == total ? &same : &other, 1);
    }
    return NULL;
}

static void run_threads(int count, void *(*body)(void *))
{
    pthread_t threads[64];
    for (int i = 0; i < count && i < 64; i++)
        pthread_create(&threads[i], NULL, body, NULL);
    for (int i = 0; i < count && i < 64; i++)
        pthread_join(threads[i], NULL);
}

static void on_alarm(int signal) { (void)signal; }

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int cpus(pid_t pid)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(pid, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -errno;
}

/* Of a page of its own: nothing else of the program is beside it. */
static const char constant[4096] __attribute__((aligned(4096))) = {[0 ... 4095] = 0x5a};

static void place(const char *name, void *address)
{
    int info = syscall(SYS_sysinfo, address) == 0 ? 0 : errno;
    /* All of a mask for 1024 CPUs, of which the kernel writes what it has CPUs for. */
    int mask = syscall(SYS_sched_getaffinity, 0, 128, address) > 0 ? 0 : errno;
    printf("%s %d %d\n", name, info, mask);
}

static void places(void)
{
    const size_t page = 4096;
    char *all = mmap(NULL, 5 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(all, 0x5a, 4 * page);
    mprotect(all, page, PROT_READ);
    mmap(all + 2 * page, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    mprotect(all + 3 * page, page, PROT_NONE);
    munmap(all + 4 * page, page);
    char *shared = mmap(NULL, page, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
    if (ftruncate(sealed, page) < 0 || fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW) < 0)
        perror("sealed memory");
    char *sealing = mmap(NULL, page, PROT_READ, MAP_SHARED, sealed, 0);
    char *locked = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    /* mseal(2), Linux 6.10: nobody can make it writable any more. */
    syscall(462, locked, page, 0);
    int file = open("/proc/self/exe", O_RDONLY);
    char *mapped = mmap(NULL, page, PROT_READ, MAP_PRIVATE, file, 0);
    char before[64], code[64];
    memcpy(before, mapped, sizeof before);
    memcpy(code, (void *)places, sizeof code);

    place("writable", all + page);
    place("two-writable", all + 2 * page - 4);
    place("readable", all);
    place("readable-shared", shared);
    place("readable-file", mapped);
    place("sealed-file", sealing);
    place("sealed-mapping", locked);
    place("constant", (void *)constant);
    place("code", (void *)places);
    place("none", all + 3 * page);
    place("unmapped", all + 4 * page);
    place("kernel", (void *)-page);
    place("null", NULL);
    /* The first bytes of the answer would fit. */
    place("into-none", all + 3 * page - 4);
    memset(all + page, 0x5a, page);
    mprotect(all + page, page, PROT_READ);
    mprotect(all, page, PROT_READ | PROT_WRITE);
    place("into-readable", all + page - 4);

    int spoilt = memcmp(before, mapped, sizeof before) != 0 ||
                 memcmp(code, (void *)places, sizeof code) != 0;
    mprotect(all + 3 * page, page, PROT_READ);
    for (size_t i = 0; i < page; i++)
        spoilt |= constant[i] != 0x5a || all[page + i] != 0x5a || all[3 * page + i] != 0x5a ||
                  sealing[i] != 0 || locked[i] != 0;
    printf("%s\n", spoilt ? "spoilt" : "whole");
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long first = argc > 2 ? atol(argv[2]) : 0, second = argc > 3 ? atol(argv[3]) : 0;
    struct sysinfo s;
    if (!strcmp(mode, "reads") && first > 0) {
        double *times = calloc(first, sizeof *times);
        char text[16384];
        for (long i = 0; i < first; i++) {
            usleep(second * 1000);
            double start = now();
            int fd = open("/proc/meminfo", O_RDONLY);
            if (read(fd, text, sizeof text) < 100)
                return 1;
            close(fd);
            times[i] = now() - start;
        }
        qsort(times, first, sizeof times[0], compare);
        printf("%.1f %.1f\n", times[first / 2] / 1e3, times[first * 99 / 100] / 1e3);
        return 0;
    }
    if (!strcmp(mode, "places")) {
        places();
        return 0;
    }
    if (!strcmp(mode, "cpus")) {
        printf("%d %d %d\n", cpus(0), cpus(getpid()), getpid() == 1 ? 0 : cpus(1));
        return 0;
    }
    if (!strcmp(mode, "stuck") && argc > 3) {
        int fd = open(argv[2], O_RDONLY);
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        if (page == MAP_FAILED) {
            perror(argv[2]);
            return 1;
        }
        while (access(argv[3], F_OK) != 0)
            usleep(20000);
        return ask(page) != 0;
    }
    if (!strcmp(mode, "forbidden")) {
        long count = syscall(SYS_sysfs, 3);
        printf("%ld\n", count < 0 ? 0 : count);
        return 0;
    }
    if (ask(&s) != 0) {
        perror("sysinfo");
        return 1;
    }
    total = s.totalram;
    if (!strcmp(mode, "pages")) {
        printf("%ld\n", sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
    } else if (!strcmp(mode, "load")) {
        double load[3];
        if (getloadavg(load, 3) != 3)
            return 1;
        printf("%.2f %.2f %.2f\n", load[0], load[1], load[2]);
    } else if (!strcmp(mode, "show")) {
        printf("uptime=%ld totalram=%lu freeram=%lu sharedram=%lu bufferram=%lu totalswap=%lu "
               "freeswap=%lu procs=%u totalhigh=%lu mem_unit=%u\n",
               s.uptime, s.totalram, s.freeram, s.sharedram, s.bufferram, s.totalswap,
               s.freeswap, s.procs, s.totalhigh, s.mem_unit);
    } else if (!strcmp(mode, "bad")) {
        int nowhere = ask((struct sysinfo *)16) == 0 ? 0 : errno;
        void *constant = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int readonly = ask(constant) == 0 ? 0 : errno;
        printf("%d %d\n", nowhere, readonly);
    } else if (!strcmp(mode, "threads")) {
        calls = second;
        run_threads(first, worker);
        printf("%ld\n", same);
    } else if (!strcmp(mode, "answers")) {
        end = now() + second * 1e9;
        run_threads(first, answers);
        printf("right=%ld other=%ld failed=%ld\n", same, other, failed);
    } else if (!strcmp(mode, "signals")) {
        struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        struct itimerval timer = {{0, 500}, {0, 500}};
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &timer, NULL);
        for (int i = 0; i < first; i++)
            failed += ask(&s) != 0 || s.totalram != total;
        printf("%ld\n", failed);
    } else if (!strcmp(mode, "fork")) {
        for (int i = 0; i < first; i++) {
            pid_t child = fork();
            if (child == 0)
                _exit(ask(&s) == 0 && s.totalram == total ? 0 : 1);
            int status;
            waitpid(child, &status, 0);
            same += status == 0;
        }
        printf("%ld\n", same);
    } else if (!strcmp(mode, "loop") && first > 0) {
        double *times = calloc(first, sizeof *times);
        for (long i = 0; i < first; i++) {
            double start = now();
            ask(&s);
            times[i] = now() - start;
        }
        qsort(times, first, sizeof *times, compare);
        printf("%.0f\n", times[first / 2]);
    } else if (!strcmp(mode, "spin")) {
        end = now() + second * 1e9;
        run_threads(first, spinner);
        printf("%ld\n", same);
    } else {
        return 2;
    }
    return 0;
}
