// A number of containers that read their files at a fixed rate.
//
//   fleet -n CONTAINERS -r READS_PER_SECOND -s SECONDS -c DAEMON_PID [-k CONTROL_SOCKET]
//         -p PATTERN CGROUP_DIRECTORY... -- FILE...
//
// Each container is one process: init of a pid namespace of its own, in a cgroup of its own
// (<directory>/<number>, which must exist) below each directory. With -k it is registered
// with lxcfsd under the id of its number. FILE is read as PATTERN has it: "%s" stands for the
// number. The files are read in turn, through descriptors that were opened with O_PATH, for
// that is what a bind mount is: no name is looked up.
//
// Prints on one line: reads done, seconds, CPU time in ns of the daemon while they read, and
// in as many seconds before in which nobody read, then RSS in kB before and after.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
    volatile int ready, failed;
    volatile uint64_t reads;
};

static struct shared *shared;
static long containers = 100;
static double rate = 10, seconds = 5;
static pid_t daemon_pid;
static const char *control, *pattern = "%s";

// Nobody polls while it waits: a thousand that do are a load of their own. The end of a stage
// is the end of the file of its pipe.
static int stages[2][2];

static void wait_for_stage(int stage)
{
    char byte;
    close(stages[stage][1]);
    while (read(stages[stage][0], &byte, 1) < 0 && errno == EINTR) {}
}

static void die(const char *what, const char *name)
{
    fprintf(stderr, "fleet: %s %s: %s\n", what, name, strerror(errno));
    if (shared) shared->failed = 1;
    exit(1);
}

static uint64_t now(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) die("read", "the clock");
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void until(uint64_t when)
{
    struct timespec t = {(time_t)(when / 1000000000u), (long)(when % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}

static void enter(const char *directory, long number)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%ld/cgroup.procs", directory, number);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1) die("enter", path);
    close(fd);
}

static void read_once(const char *path)
{
    char buffer[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) die("open", path);
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {}
    if (got < 0) die("read", path);
    close(fd);
}

static void child(long number, char **files, int file_count)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    __sync_fetch_and_add(&shared->ready, 1);
    wait_for_stage(0);
    char links[16][32];
    char name[32];
    snprintf(name, sizeof name, "%ld", number);
    for (int i = 0; i < file_count; i++) {
        char path[1024], file[512];
        snprintf(file, sizeof file, "%s", files[i]);
        // PATTERN has one %s at most; see main.
        int used = snprintf(path, sizeof path, pattern, name);
        snprintf(path + used, sizeof path - (size_t)used, "/%s", file);
        int fd = open(path, O_PATH | O_CLOEXEC);
        if (fd < 0) die("open", path);
        snprintf(links[i], sizeof links[i], "/proc/self/fd/%d", fd);
    }
    for (int i = 0; i < file_count; i++) read_once(links[i]);
    __sync_fetch_and_add(&shared->ready, 1);
    wait_for_stage(1);
    srand((unsigned)number);
    uint64_t step = (uint64_t)(1e9 / rate);
    uint64_t next = now(CLOCK_MONOTONIC) + (uint64_t)rand() % step;
    for (int turn = (int)(number % file_count); 1; turn = (turn + 1) % file_count) {
        until(next);
        read_once(links[turn]);
        __sync_fetch_and_add(&shared->reads, 1);
        // No reads are made up for: a slow daemon is asked less.
        next += step;
        uint64_t time = now(CLOCK_MONOTONIC);
        if (next < time) next = time;
    }
}

static void enroll(long number, pid_t pid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", control);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect to", control);
    char line[512];
    int size = snprintf(line, sizeof line, "{\"op\":\"register\",\"id\":\"%ld\",\"pid\":%d}\n",
                        number, (int)pid);
    if (write(fd, line, (size_t)size) != size) die("write to", control);
    ssize_t got = read(fd, line, sizeof line - 1);
    if (got <= 0) die("read from", control);
    line[got] = 0;
    if (strstr(line, "\"error\"")) {
        errno = EPROTO;
        die("register:", line);
    }
    close(fd);
}

static long rss(void)
{
    char path[64], line[256];
    long kilobytes = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)daemon_pid);
    FILE *file = fopen(path, "re");
    if (!file) die("open", path);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kilobytes) == 1) break;
    fclose(file);
    return kilobytes;
}

static void wait_for(int count)
{
    while (shared->ready < count) {
        if (shared->failed) exit(1);
        usleep(10000);
    }
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "+n:r:s:c:k:p:")) != -1) {
        switch (option) {
        case 'n': containers = atol(optarg); break;
        case 'r': rate = atof(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'c': daemon_pid = (pid_t)atoi(optarg); break;
        case 'k': control = optarg; break;
        case 'p': pattern = optarg; break;
        default: return 2;
        }
    }
    char *percent = strchr(pattern, '%');
    if (percent && (percent[1] != 's' || strchr(percent + 1, '%'))) return 2;
    int split = optind;
    while (split < argc && strcmp(argv[split], "--") != 0) split++;
    int file_count = argc - split - 1;
    if (file_count < 1 || file_count > 16 || containers < 1 || rate <= 0 || daemon_pid <= 0)
        return 2;

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) { shared = NULL; die("map", "memory"); }
    clockid_t clock;
    if ((errno = clock_getcpuclockid(daemon_pid, &clock)) != 0) die("find", "the CPU clock");
    long before = rss();

    if (pipe(stages[0]) != 0 || pipe(stages[1]) != 0) die("make", "pipes");
    pid_t *pids = calloc((size_t)containers, sizeof *pids);
    if (!pids) die("allocate", "memory");
    for (long i = 0; i < containers; i++) {
        pids[i] = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pids[i] < 0) die("start", "container");
        if (pids[i] == 0) {
            for (int d = optind; d < split; d++) enter(argv[d], i);
            child(i, argv + split + 1, file_count);
        }
    }
    wait_for((int)containers);
    if (control)
        for (long i = 0; i < containers; i++) enroll(i, pids[i]);
    close(stages[0][1]);
    wait_for((int)containers * 2);
    sleep(1);

    uint64_t idle = now(clock), start = now(CLOCK_MONOTONIC);
    until(start + (uint64_t)(seconds * 1e9));
    idle = now(clock) - idle;

    close(stages[1][1]);
    sleep(1);
    uint64_t reads = shared->reads, cpu = now(clock);
    start = now(CLOCK_MONOTONIC);
    until(start + (uint64_t)(seconds * 1e9));
    reads = shared->reads - reads;
    cpu = now(clock) - cpu;
    double took = (double)(now(CLOCK_MONOTONIC) - start) / 1e9;
    long after = rss();
    int failed = shared->failed;
    for (long i = 0; i < containers; i++) kill(pids[i], SIGKILL);
    while (wait(NULL) > 0) {}
    printf("%llu %.2f %llu %llu %ld %ld\n", (unsigned long long)reads, took,
           (unsigned long long)cpu, (unsigned long long)idle, before, after);
    return failed;
}
