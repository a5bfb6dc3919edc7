#define _GNU_SOURCE
#include "clinux/hold.h"

#include "result.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* More levels than there are: a loop of mounts must end. */
enum { deepest = 16 };

static int hold(int directory, int depth, int writing, int limit)
{
    DIR *list = fdopendir(directory);
    if (!list) {
        close(directory);
        return 0;
    }
    int held = 0;
    struct dirent *entry;
    while (held < limit && (entry = readdir(list))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (entry->d_type == DT_REG) {
            int access = writing ? O_RDWR : O_RDONLY;
            /* Who has a lease loses it after /proc/sys/fs/lease-break-time. */
            if (openat(dirfd(list), name, access | CLINUX_HOLDING | O_NOFOLLOW | O_CLOEXEC) >= 0)
                held++;
        } else if (entry->d_type == DT_DIR && depth < deepest) {
            int below = openat(dirfd(list), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0)
                held += hold(below, depth + 1, strcmp(name, "pressure") == 0, limit - held);
        }
    }
    closedir(list);
    return held;
}

int clinux_hold_files(const char *path, int limit)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    return hold(directory, 0, 0, limit);
}
