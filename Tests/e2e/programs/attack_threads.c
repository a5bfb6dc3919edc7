/* attack_threads THREADS GROUPS RUNNING READERS FILE...: so many threads, each in so many
   supplementary groups, which make /proc/<tid>/status long, and of them RUNNING that run; and
   processes that read the files without a pause. Says "ready". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *wait_for_ever(void *argument)
{
    (void)argument;
    for (;;)
        pause();
}

static int closed = 1;

static void *run_for_ever(void *argument)
{
    /* Not before all are there; then all at once, without a lock that goes from one to the next. */
    while (__atomic_load_n(&closed, __ATOMIC_ACQUIRE))
        syscall(SYS_futex, &closed, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    for (volatile unsigned long turns = 0;; turns++) {}
    return argument;
}

static void read_for_ever(char **files)
{
    static char buffer[65536];
    for (;;)
        for (char **file = files; *file; file++) {
            int fd = open(*file, O_RDONLY | O_CLOEXEC);
            if (fd < 0) {
                perror(*file);
                exit(1);
            }
            while (read(fd, buffer, sizeof buffer) > 0) {}
            close(fd);
        }
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    int threads = atoi(argv[1]), groups = atoi(argv[2]);
    int running = atoi(argv[3]), readers = atoi(argv[4]);
    for (int i = 0; i < readers; i++)
        if (fork() == 0)
            read_for_ever(argv + 5);
    if (groups > 0) {
        gid_t *list = malloc(groups * sizeof *list);
        if (!list)
            return 1;
        for (int i = 0; i < groups; i++)
            list[i] = 4294900000U + i;
        if (setgroups(groups, list) < 0) {
            perror("setgroups");
            return 1;
        }
        free(list);
    }
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        int error = pthread_create(
            &thread, &attributes, i < running ? run_for_ever : wait_for_ever, NULL);
        if (error) {
            fprintf(stderr, "thread %d: error %d\n", i, error);
            return 1;
        }
    }
    puts("ready");
    fflush(stdout);
    __atomic_store_n(&closed, 0, __ATOMIC_RELEASE);
    syscall(SYS_futex, &closed, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    wait_for_ever(NULL);
}
