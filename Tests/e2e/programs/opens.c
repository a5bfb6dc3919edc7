// What a container can have the daemon hold, or do:
//
//     opens hold FILE...       opens the files in turns, until that fails, and holds all
//     opens nest COUNT FILE    the same in COUNT pid namespaces of its own, one in another
//     opens trigger FILE       opens a pressure file and writes a trigger, until that fails
//     opens flood COUNT FILE...   COUNT processes that open, read and close in turns
//     opens reread COUNT FILE     ... that read an open file from its start
//     opens write COUNT FILE      ... that write to an open pressure file what is refused
//     opens grouped COUNT FILE    ... that open for writing, with 65,536 supplementary groups
//     opens names COUNT DIRECTORY ... that look for names that do not exist
//     opens list COUNT DIRECTORY  ... that list
//     opens look COUNT FILE       ... that ask for attributes, whatever the kernel knows
//     opens link COUNT LINK       ... that read a link
//     opens fork COUNT FILE       ... that open in a process of its own each time
//
// The first three say "held N: ERROR" and stay; the others run until they are killed.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// Shared with all children.
static volatile int *held;

static int open_one(const char *path, int with_trigger) {
    int file = open(path, with_trigger ? O_RDWR : O_RDONLY);
    if (file < 0 || !with_trigger) return file;
    static const char text[] = "some 100000 2000000";
    if (write(file, text, sizeof text - 1) < 0) {
        int error = errno;
        close(file);
        errno = error;
        return -1;
    }
    return file;
}

// Opens until that fails for another reason than this process's own limit.
static int hold(int count, char **paths, int with_trigger) {
    while (1) {
        int error = 0, opened = 0;
        while (error == 0) {
            if (open_one(paths[opened % count], with_trigger) < 0) {
                error = errno;
            } else {
                opened++;
                __sync_fetch_and_add(held, 1);
            }
        }
        // Is it the limit of this process?
        int own = error == EMFILE ? dup(0) : 0;
        if (own >= 0) return error;
        pid_t child = fork();
        if (child < 0) return errno;
        if (child != 0) {
            for (;;) pause();
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        // Of what has been copied nothing is needed here.
        close_range(3, ~0U, 0);
    }
}

static void say_and_stay(int error) {
    printf("held %d: %s\n", *held, error == EMFILE ? "EMFILE" : strerror(error));
    fflush(stdout);
    for (;;) pause();
}

static int nest(int depth, char **paths) {
    if (depth == 0) say_and_stay(hold(1, paths, 0));
    if (unshare(CLONE_NEWPID) < 0) {
        printf("unshare: %s\n", strerror(errno));
        return 1;
    }
    pid_t child = fork();
    if (child == 0) return nest(depth - 1, paths);
    waitpid(child, NULL, 0);
    return 0;
}

static void read_all(int file) {
    static char bytes[1 << 16];
    while (read(file, bytes, sizeof bytes) > 0) {}
}

static void act(const char *what, int count, char **paths, unsigned long number) {
    const char *path = paths[number % (unsigned long)count];
    static int open_file = -1;
    if (strcmp(what, "flood") == 0) {
        int file = open(path, O_RDONLY);
        if (file < 0) return;
        read_all(file);
        close(file);
    } else if (strcmp(what, "reread") == 0) {
        if (open_file < 0) open_file = open(path, O_RDONLY);
        lseek(open_file, 0, SEEK_SET);
        read_all(open_file);
    } else if (strcmp(what, "write") == 0) {
        if (open_file < 0) open_file = open(path, O_RDWR);
        if (write(open_file, "nonsense", 8) >= 0) abort();
    } else if (strcmp(what, "grouped") == 0) {
        int file = open(path, O_RDWR);
        if (file >= 0) close(file);
    } else if (strcmp(what, "names") == 0) {
        char name[4096];
        struct stat info;
        snprintf(name, sizeof name, "%s/%d-%lu", path, getpid(), number);
        stat(name, &info);
    } else if (strcmp(what, "list") == 0) {
        DIR *directory = opendir(path);
        if (directory == NULL) return;
        while (readdir(directory) != NULL) {}
        closedir(directory);
    } else if (strcmp(what, "look") == 0) {
        struct statx info;
        statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_ALL, &info);
    } else if (strcmp(what, "link") == 0) {
        char target[4096];
        if (readlink(path, target, sizeof target) < 0) return;
    } else if (strcmp(what, "fork") == 0) {
        pid_t child = fork();
        if (child == 0) {
            int file = open(path, O_RDONLY);
            if (file >= 0) read_all(file);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}

static void act_for_ever(const char *what, int processes, int count, char **paths) {
    if (strcmp(what, "grouped") == 0) {
        static gid_t groups[65536];
        for (int index = 0; index < 65536; index++) groups[index] = 1000000 + index;
        if (setgroups(65536, groups) < 0) perror("setgroups");
    }
    for (int index = 1; index < processes; index++) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            break;
        }
    }
    for (unsigned long number = 0;; number++) {
        act(what, count, paths, number);
        __sync_fetch_and_add(held, 1);
    }
}

int main(int count, char **words) {
    if (count < 3) return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    held = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (held == MAP_FAILED) return 1;
    if (strcmp(words[1], "hold") == 0) say_and_stay(hold(count - 2, words + 2, 0));
    if (strcmp(words[1], "trigger") == 0) say_and_stay(hold(count - 2, words + 2, 1));
    if (count < 4) return 2;
    if (strcmp(words[1], "nest") == 0) return nest(atoi(words[2]), words + 3);
    // How much of it is done in a second, said by the first process.
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        act_for_ever(words[1], atoi(words[2]), count - 3, words + 3);
    }
    for (int before = 0;; before = *held) {
        sleep(1);
        printf("%d a second\n", *held - before);
    }
}
