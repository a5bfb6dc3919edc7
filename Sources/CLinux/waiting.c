#define _GNU_SOURCE
#include "clinux/waiting.h"

#include "clinux/seccomp.h"
#include "result.h"

#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* As long as the kernel's. */
#define SYSINFO_SIZE 112
#define SYSINFO_SIZE_32 64

/* Which calls a number means. A program of the narrower architecture has its stack where 32 bits
   reach; a wider one that has, too, is refused. */
static uint32_t arch_of(int number, unsigned long long stack)
{
    int is_low = stack < (1ULL << 32);
#if defined(__x86_64__)
    /* x32 is marked in the number. */
    return is_low && !(number & 0x40000000) ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    return is_low ? AUDIT_ARCH_ARM : AUDIT_ARCH_AARCH64;
#elif defined(__s390x__)
    return is_low ? AUDIT_ARCH_S390 : AUDIT_ARCH_S390X;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
    return is_low ? AUDIT_ARCH_PPC : AUDIT_ARCH_PPC64LE;
#elif defined(__powerpc64__)
    return is_low ? AUDIT_ARCH_PPC : AUDIT_ARCH_PPC64;
#elif defined(__riscv) && __riscv_xlen == 64
    return AUDIT_ARCH_RISCV64;
#elif defined(__i386__)
    return AUDIT_ARCH_I386;
#elif defined(__arm__)
    return AUDIT_ARCH_ARM;
#else
    return 0; /* Nothing is answered there. */
#endif
}

int clinux_waits_for(int file, uint64_t address, size_t size)
{
    char text[256];
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    if (length < 0)
        return -errno;
    text[length] = 0;
    if (strncmp(text, "running", 7) == 0)
        return -EAGAIN;
    int number;
    unsigned long long arguments[3], stack;
    if (sscanf(text, "%d %llx %llx %llx %*x %*x %*x %llx", &number, &arguments[0],
               &arguments[1], &arguments[2], &stack) != 5)
        return 0;
    if (number < 0)
        return 0;
    clinux_call call = clinux_seccomp_call(arch_of(number, stack), number);
    switch (call.call) {
    case CLINUX_CALL_SYSINFO:
        return arguments[0] == address &&
               size <= (call.is_32bit ? SYSINFO_SIZE_32 : SYSINFO_SIZE);
    case CLINUX_CALL_SCHED_GETAFFINITY:
        return arguments[2] == address && size <= (unsigned)arguments[1];
    default:
        return 0;
    }
}

int clinux_write_memory(int32_t tid, uint64_t address, const void *data, size_t size)
{
    struct iovec from = {.iov_base = (void *)data, .iov_len = size};
    struct iovec to = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
    ssize_t written = process_vm_writev(tid, &from, 1, &to, 1, 0);
    if (written < 0)
        return -errno;
    return (size_t)written == size ? 0 : -EFAULT;
}
