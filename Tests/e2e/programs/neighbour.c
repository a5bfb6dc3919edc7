// Reads files as a program would that looks at its container all the time, and says how long each
// read took, in microseconds:
//
//     neighbour SECONDS FILE...
//
// One file a millisecond, in turns. Beside each it reads /proc/version, which the kernel answers: how
// long that took at most tells what the machine's load alone costs (kernel_longest).
// A read is open, read to the end, close; with "sysinfo" for FILE it is the system call.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

// 0, or an errno; EIO stands for a file without content.
static int look(const char *path) {
    static char bytes[1 << 16];
    ssize_t got, all = 0;
    if (strcmp(path, "sysinfo") == 0) {
        struct sysinfo info;
        return sysinfo(&info) == 0 ? 0 : errno;
    }
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    while ((got = read(file, bytes, sizeof bytes)) > 0) all += got;
    int error = got < 0 ? errno : all == 0 ? EIO : 0;
    close(file);
    return error;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **words) {
    if (count < 3) return 2;
    double end = now() + atof(words[1]) * 1e6, kernel_longest = 0, before;
    size_t room = (size_t)(atof(words[1]) * 2000) + 1000, reads = 0, failed = 0;
    double *took = calloc(room, sizeof *took);
    if (took == NULL) return 1;
    int first_error = 0;
    const char *slowest = "-";
    double longest = 0;
    while (now() < end && reads < room) {
        const char *path = words[2 + reads % (size_t)(count - 2)];
        before = now();
        int error = look(path);
        took[reads] = now() - before;
        if (error != 0) {
            failed++;
            if (first_error == 0) first_error = error;
        }
        if (took[reads] > longest) longest = took[reads], slowest = path;
        reads++;
        before = now();
        look("/proc/version");
        double kernel = now() - before;
        if (kernel > kernel_longest) kernel_longest = kernel;
        usleep(1000);
    }
    qsort(took, reads, sizeof *took, ascending);
    printf("reads %zu failed %zu p50 %.0f p99 %.0f p999 %.0f longest %.0f kernel_longest %.0f "
           "slowest %s error %s\n",
           reads, failed, took[reads / 2], took[reads * 99 / 100], took[reads * 999 / 1000],
           longest, kernel_longest, slowest, first_error == 0 ? "-" : strerror(first_error));
    return 0;
}
