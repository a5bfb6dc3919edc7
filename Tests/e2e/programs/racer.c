/*
 * racer ROOT HOST: what a hostile container may do while the hook attaches to it. Below ROOT it
 * replaces the places that files are mounted on, without end and in a random order: by symbolic
 * links and plain files, by bind mounts of HOST (a directory that the container shares with the
 * machine, with its peer group), by other file systems, by moving mounts away.
 *
 * Every change is taken back before the next one. SIGUSR1 makes it stop itself (SIGSTOP) at such
 * a moment, so that whatever is mounted then where it must not be is the hook's doing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FUSE_SUPER_MAGIC 0x65735546

static volatile sig_atomic_t settle;
static const char *root, *host;
static uint64_t state = 88172645463325252u;

static const char *const files[] = {"meminfo", "stat", "uptime", "pressure/cpu"};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void on_signal(int number)
{
    (void)number;
    settle = 1;
}

static unsigned random_below(unsigned bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % bound);
}

/* Path number `slot` of those in use: `base` below ROOT or HOST. */
static const char *at(int slot, const char *base, const char *name)
{
    static char paths[4][4096];
    snprintf(paths[slot], sizeof paths[slot], "%s/%s", base, name);
    return paths[slot];
}

static const char *below(const char *name) { return at(0, root, name); }

/* Some time for the hook, of different length. */
static void linger(void)
{
    unsigned pause = random_below(4);
    if (pause == 0) return;
    if (pause == 3) {
        usleep(random_below(300));
        return;
    }
    for (volatile unsigned i = 0; i < pause * random_below(20000); i++) {}
}

static void make_file(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    if (fd >= 0) close(fd);
}

static int is_fuse(const char *path)
{
    struct statfs found;
    return statfs(path, &found) == 0 && found.f_type == FUSE_SUPER_MAGIC;
}

/*
 * Takes back a mount of our own. What the hook has put on it, it has a moment to take back; then
 * it stays, to be found, and nothing else happens until then.
 */
static void uncover(const char *place)
{
    for (int i = 0; i < 100 && is_fuse(place); i++) usleep(100);
    if (is_fuse(place)) raise(SIGSTOP);
    if (!is_fuse(place)) umount2(place, MNT_DETACH);
}

/* A file of HOST over one of procfs. */
static void cover_file(void)
{
    const char *place = at(1, at(2, root, "proc"), files[random_below(COUNT(files))]);
    if (mount(at(3, host, "victim"), place, NULL, MS_BIND, NULL)) return;
    linger();
    uncover(place);
}

/* The mount that the hook made, moved to another place and back. */
static void move_file(void)
{
    const char *place = at(1, at(2, root, "proc"), files[random_below(COUNT(files))]);
    const char *stash = at(3, root, "stash-file");
    if (!is_fuse(place)) return;
    if (mount(place, stash, NULL, MS_MOVE, NULL)) return;
    linger();
    if (mount(stash, place, NULL, MS_MOVE, NULL)) umount2(stash, MNT_DETACH);
}

/* /proc itself: the mount is put aside, and something else takes the name. */
static void replace_proc(void)
{
    if (mount(at(1, root, "proc"), at(2, root, "stash"), NULL, MS_MOVE, NULL)) return;
    switch (random_below(3)) {
    case 0: /* a symbolic link to a directory with such files */
        if (rmdir(at(1, root, "proc")) == 0 && symlink(host, at(1, root, "proc")) == 0) {
            linger();
            unlink(at(1, root, "proc"));
        }
        mkdir(at(1, root, "proc"), 0755);
        break;
    case 1: /* a symbolic link and a directory in turns */
        for (int i = 0; i < 4; i++) {
            renameat2(AT_FDCWD, at(1, root, "proc"), AT_FDCWD, at(3, root, "link"),
                RENAME_EXCHANGE);
            linger();
        }
        break;
    default: /* an ordinary directory with such files */
        renameat2(AT_FDCWD, at(1, root, "proc"), AT_FDCWD, at(3, root, "plain"),
            RENAME_EXCHANGE);
        linger();
        renameat2(AT_FDCWD, at(1, root, "proc"), AT_FDCWD, at(3, root, "plain"),
            RENAME_EXCHANGE);
    }
    if (mount(at(2, root, "stash"), at(1, root, "proc"), NULL, MS_MOVE, NULL)) {
        perror("racer: move /proc back");
        exit(1);
    }
}

/* Something over /proc: directories of HOST, of procfs, or a tmpfs with links and files. */
static void cover_proc(void)
{
    const char *place = at(1, root, "proc");
    int failed;
    switch (random_below(3)) {
    case 0: failed = mount(host, place, NULL, MS_BIND, NULL); break;
    case 1: failed = mount(at(2, root, "proc/1"), place, NULL, MS_BIND, NULL); break;
    default: failed = mount("tmpfs", place, "tmpfs", 0, NULL);
        if (!failed) {
            (void)!symlink(at(3, host, "victim"), at(2, place, "meminfo"));
            make_file(at(2, place, "stat"));
            (void)!symlink("stat", at(2, place, "uptime"));
            (void)!symlink(host, at(2, place, "pressure"));
        }
    }
    if (failed) return;
    linger();
    umount2(place, MNT_DETACH);
}

/* The directory of CPUs, and the one above it. */
static void cover_cpus(void)
{
    const char *place = at(1, root, "sys/devices/system");
    if (random_below(2)) {
        place = at(1, root, "sys/devices/system/cpu");
        if (mount(host, place, NULL, MS_BIND, NULL)) return;
    } else {
        if (mount("tmpfs", place, "tmpfs", 0, NULL)) return;
        if (random_below(2)) {
            mkdir(at(2, place, "cpu"), 0755);
        } else {
            (void)!symlink(host, at(2, place, "cpu"));
        }
    }
    linger();
    uncover(place);
}

/* Takes everything away that lies on the places. */
static void clear(void)
{
    for (unsigned i = 0; i < COUNT(files); i++) {
        while (umount2(at(1, at(2, root, "proc"), files[i]), MNT_DETACH) == 0) {}
    }
    while (umount2(at(1, root, "sys/devices/system/cpu"), MNT_DETACH) == 0) {}
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: racer ROOT HOST\n");
        return 2;
    }
    root = argv[1];
    host = argv[2];
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);

    mkdir(below("stash"), 0755);
    mkdir(below("plain"), 0755);
    make_file(below("stash-file"));
    for (unsigned i = 0; i < 3; i++) make_file(at(1, below("plain"), files[i]));
    if (symlink(host, below("link")) && errno != EEXIST) {
        perror("racer: link");
        return 1;
    }
    make_file(below("ready"));

    static void (*const changes[])(void) = {
        cover_file, cover_file, cover_file, move_file, replace_proc, cover_proc, cover_cpus,
    };
    for (;;) {
        if (settle) {
            settle = 0;
            raise(SIGSTOP);
            if (random_below(2)) clear();
        }
        changes[random_below(COUNT(changes))]();
    }
}
