#define _GNU_SOURCE
#include "clinux/capability.h"

#include "result.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_no_new_privileges(void) { RESULT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }

int clinux_keep_capabilities(uint64_t keep, uint64_t effective)
{
    /* First what needs CAP_SETPCAP. EINVAL: beyond the last capability of this kernel. */
    for (int number = 0; number < 64; number++) {
        if (keep >> number & 1)
            continue;
        if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) != 1)
            continue;
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
            return -errno;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return -errno;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (int half = 0; half < 2; half++) {
        data[half].permitted &= (uint32_t)(keep >> 32 * half);
        data[half].effective = data[half].permitted & (uint32_t)(effective >> 32 * half);
        data[half].inheritable = 0;
    }
    RESULT(syscall(SYS_capset, &header, data));
}

int clinux_forbid_dumps(void) { RESULT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)); }

int clinux_has_capability(int tid, unsigned capability)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3, .pid = tid};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    return (data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
}

/* Of the calling thread alone. */
static int set_effective(unsigned capability, int on)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0)
        return -errno;
    struct __user_cap_data_struct *half = &data[CAP_TO_INDEX(capability)];
    uint32_t mask = CAP_TO_MASK(capability);
    if (on && !(half->permitted & mask))
        return 0;
    half->effective = on ? half->effective | mask : half->effective & ~mask;
    RESULT(syscall(SYS_capset, &header, data));
}

int clinux_open_raising(int dirfd, const char *path, int flags, unsigned capability)
{
    int result = set_effective(capability, 1);
    if (result < 0)
        return result;
    int fd = openat(dirfd, path, flags | O_CLOEXEC);
    int error = errno;
    result = set_effective(capability, 0);
    if (result < 0) {
        if (fd >= 0)
            close(fd);
        return result;
    }
    return fd >= 0 ? fd : -error;
}
