// What a container can do with the pages and requests of its files:
//
//     pages flood PROCESSES FILE...       each reads past the page cache, maps, and asks for names and
//                                         attributes, as fast as it can
//     pages locked PROCESSES FILE...      each reads in all ways that keep pages locked; the same with
//                                         threads that only use up the container's quota
//     pages mapped PROCESSES MAPPINGS FILE    each maps the file that often, and reads it
//     pages stale SECONDS FILE            looks at a mapped file, and says for how long it has not
//                                         changed at most, in microseconds
//
// All but the last run until they are killed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char room[1 << 17] __attribute__((aligned(4096)));
static int trash;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void read_all(const char *path, int flags) {
    int file = open(path, O_RDONLY | flags);
    if (file < 0) return;
    while (read(file, room, sizeof room) > 0) continue;
    close(file);
}

static void send_all(const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0) return;
    while (sendfile(trash, file, NULL, 1 << 16) > 0) continue;
    close(file);
}

static void map_once(const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0) return;
    const volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) {
        (void)page[0];
        munmap((void *)page, 4096);
    }
    close(file);
}

static void flood(int number, char **files, int count) {
    char name[4096];
    struct statx facts;
    for (unsigned turn = number;; turn++) {
        const char *path = files[turn % count];
        switch (turn / count % 4) {
        case 0: read_all(path, O_DIRECT); break;
        case 1: statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_ALL, &facts); break;
        case 2:
            snprintf(name, sizeof name, "%s/none%u", path, turn);
            if (access(name, F_OK) == 0) exit(1);
            break;
        default: read_all(path, 0);
        }
    }
}

static void locked(int number, char **files, int count) {
    if (number % 4 == 3)
        for (;;) continue;
    for (unsigned turn = number;; turn++) {
        const char *path = files[turn / 3 % count];
        switch (turn % 3) {
        case 0: send_all(path); break;
        case 1: map_once(path); break;
        default: read_all(path, O_DIRECT);
        }
    }
}

static void mapped(long mappings, const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0) exit(1);
    const volatile char *last = NULL;
    for (long i = 0; i < mappings; i++) {
        void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
        if (page == MAP_FAILED) break;
        last = page;
    }
    if (last == NULL) exit(1);
    for (;;) {
        (void)last[0];
        read_all(path, 0);
        usleep(5000);
    }
}

// A page of a mapped file is there as long as its content is shown; what is longer than the file says
// nothing. The first line of uptime changes every 10 ms.
static int stale(double seconds, const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0) return 1;
    const volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) return 1;
    char former[32] = "", text[32];
    double start = now(), changed = start, longest = 0;
    size_t changes = 0;
    while (now() < start + seconds * 1e6) {
        for (size_t i = 0; i < sizeof text; i++) text[i] = page[i];
        double time = now();
        if (memcmp(text, former, sizeof text) != 0) {
            memcpy(former, text, sizeof text);
            if (changes > 0 && time - changed > longest) longest = time - changed;
            changed = time;
            changes++;
        }
        usleep(1000);
    }
    if (now() - changed > longest) longest = now() - changed;
    printf("stale %.0f changes %zu\n", longest, changes);
    return 0;
}

int main(int count, char **words) {
    if (count < 4) return 2;
    const char *what = words[1];
    if (strcmp(what, "stale") == 0) return stale(atof(words[2]), words[3]);
    trash = open("/dev/null", O_WRONLY);
    int processes = atoi(words[2]);
    for (int number = 0; number < processes; number++) {
        if (fork() != 0) continue;
        if (strcmp(what, "flood") == 0) flood(number, words + 3, count - 3);
        if (strcmp(what, "locked") == 0) locked(number, words + 3, count - 3);
        if (strcmp(what, "mapped") == 0 && count > 4) mapped(atol(words[3]), words[4]);
        _exit(2);
    }
    while (wait(NULL) > 0 || errno == EINTR) continue;
    return 1;
}
