#define _GNU_SOURCE
#include "clinux/seccomp.h"

#include "result.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOTIFICATION_START offsetof(clinux_notification, id)
#define NOTIFICATION_ROOM (sizeof(clinux_notification) - NOTIFICATION_START)
#define SAME_PLACE(ours, kernels)                                               \
    _Static_assert(offsetof(clinux_notification, ours) - NOTIFICATION_START ==  \
                       offsetof(struct seccomp_notif, kernels),                 \
                   "the kernel's layout")
SAME_PLACE(pid, pid);
SAME_PLACE(number, data.nr);
SAME_PLACE(arch, data.arch);
SAME_PLACE(arguments, data.args);
_Static_assert(sizeof(clinux_notification) % 64 == 0, "slots must not share a cache line");

int clinux_seccomp_check_sizes(void)
{
    struct seccomp_notif_sizes sizes;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        return -errno;
    return sizes.seccomp_notif <= NOTIFICATION_ROOM &&
                   sizes.seccomp_notif >= sizeof(struct seccomp_notif) &&
                   sizes.seccomp_notif_resp >= sizeof(struct seccomp_notif_resp)
               ? 0
               : -EOVERFLOW;
}

int clinux_seccomp_receive(int fd, clinux_notification *out)
{
    /* The kernel insists on zeroes. */
    unsigned char *start = (unsigned char *)out + NOTIFICATION_START;
    memset(start, 0, NOTIFICATION_ROOM);
    RESULT(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, start));
}

int clinux_seccomp_is_valid(int fd, uint64_t id)
{
    RESULT(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id));
}

static int respond(int fd, struct seccomp_notif_resp response)
{
    RESULT(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response));
}

int clinux_seccomp_return(int fd, uint64_t id, int64_t value)
{
    return respond(fd, (struct seccomp_notif_resp){.id = id, .val = value});
}

int clinux_seccomp_refuse(int fd, uint64_t id, int error)
{
    return respond(fd, (struct seccomp_notif_resp){.id = id, .error = -error});
}

int clinux_seccomp_continue(int fd, uint64_t id)
{
    return respond(fd, (struct seccomp_notif_resp){
                           .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

int clinux_seccomp_wake_here(int fd)
{
    /* SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP. */
    RESULT(ioctl(fd, _IOW('!', 4, uint64_t), 1UL));
}

clinux_call clinux_seccomp_call(uint32_t arch, int32_t number)
{
    /* From arch/<arch>/.../syscall.tbl and include/uapi/asm-generic/unistd.h. */
    static const struct {
        uint32_t arch;
        int32_t sysinfo, affinity;
        int is_32bit;
    } table[] = {
        {AUDIT_ARCH_X86_64, 99, 204, 0},
        {AUDIT_ARCH_I386, 116, 242, 1},
        {AUDIT_ARCH_AARCH64, 179, 123, 0},
        {AUDIT_ARCH_ARM, 116, 242, 1},
        {AUDIT_ARCH_RISCV64, 179, 123, 0},
        {AUDIT_ARCH_PPC64LE, 116, 223, 0},
        {AUDIT_ARCH_PPC64, 116, 223, 0},
        {AUDIT_ARCH_PPC, 116, 223, 1},
        {AUDIT_ARCH_S390X, 116, 240, 0},
        {AUDIT_ARCH_S390, 116, 240, 1},
        {0xc0000102 /* LOONGARCH64 */, 179, 123, 0},
    };
    clinux_call result = {.call = CLINUX_CALL_OTHER};
    /* x32 is x86_64 with a bit in the number; its `long` in structures has 64 bits. */
    if (arch == AUDIT_ARCH_X86_64 && number > 0)
        number &= ~0x40000000;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].arch != arch)
            continue;
        result.is_32bit = table[i].is_32bit;
        if (number == table[i].sysinfo)
            result.call = CLINUX_CALL_SYSINFO;
        if (number == table[i].affinity)
            result.call = CLINUX_CALL_SCHED_GETAFFINITY;
    }
    return result;
}
