// Takes memory until the kernel kills for it, and says how much that was beside what the files
// had promised.
//
//   take MOST
//
// MOST: mebibytes at which to stop. Prints "MemAvailable SwapFree TAKEN" in kB, and "killed" or
// "stopped". The one that takes is a child, which the kernel prefers to kill; its count is in a
// page that both share.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP = 64 << 10, PAGE = 4096 };

static long field(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    return line ? atol(line + strlen(name)) : -1;
}

// Pages that neither compress nor equal each other.
static void fill(char *page, unsigned long seed)
{
    unsigned long *words = (unsigned long *)page;
    for (unsigned i = 0; i < PAGE / sizeof *words; i++) {
        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        words[i] = seed;
    }
}

static void take(volatile long *taken, long most)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);
    if (fd < 0 || write(fd, "1000", 4) != 4)
        _exit(2);
    while (*taken < most) {
        char *step = mmap(NULL, STEP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (step == MAP_FAILED)
            _exit(3);
        for (int at = 0; at < STEP; at += PAGE)
            fill(step + at, (unsigned long)*taken + (unsigned long)at);
        *taken += STEP >> 10;
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    long most = argc > 1 ? atol(argv[1]) << 10 : 0;
    volatile long *taken = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (taken == MAP_FAILED)
        return 1;
    *taken = 0;
    static char text[8192];
    int fd = open("/proc/meminfo", O_RDONLY), status = 0;
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return 1;
    pid_t child = fork();
    if (child == 0)
        take(taken, most);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return 1;
    printf("%ld %ld %ld %s\n", field(text, "MemAvailable:"), field(text, "SwapFree:"), *taken,
           WIFSIGNALED(status) ? "killed" : "stopped");
    return 0;
}
