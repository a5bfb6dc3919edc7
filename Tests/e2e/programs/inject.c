/*
 * inject PID CALL [ARGUMENT...]: has a process that is under attack make a system call, as code that
 * somebody has brought in would, and prints what came of it: "= <value>", the name of the errno, or
 * "killed".
 *
 * CALL is a name, or a number for calls that have no name here. An argument is a number (0x.., -100), s:TEXT, x:HEX or b:SIZE: a text, bytes or room, of which the
 * call gets the address. Of what is in x: and b: afterwards, hexadecimal digits are printed, too.
 *
 * The first thread is stopped with ptrace(2), made to execute the instruction again through which it
 * has entered the kernel, and put back to where it was.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *name;
    long number;
} calls[] = {
#define CALL(name) {#name, SYS_##name}
    CALL(openat), CALL(read), CALL(write), CALL(pread64), CALL(close), CALL(unlinkat), CALL(mkdirat),
    CALL(renameat2), CALL(readlinkat), CALL(ftruncate), CALL(truncate), CALL(fchmod),
    CALL(fchmodat), CALL(fchownat), CALL(utimensat), CALL(setxattr), CALL(linkat),
    CALL(symlinkat), CALL(mknodat), CALL(chroot), CALL(chdir), CALL(name_to_handle_at),
    CALL(open_by_handle_at), CALL(fanotify_init), CALL(memfd_create), CALL(splice),
    CALL(getpid), CALL(kill), CALL(tkill), CALL(tgkill), CALL(rt_sigqueueinfo), CALL(rt_tgsigqueueinfo),
    CALL(pidfd_open), CALL(pidfd_send_signal), CALL(pidfd_getfd), CALL(process_vm_readv),
    CALL(process_vm_writev), CALL(process_madvise), CALL(ptrace), CALL(kcmp), CALL(fcntl),
    CALL(ioctl), CALL(prlimit64), CALL(setpriority), CALL(sched_setaffinity),
    CALL(sched_setscheduler), CALL(ioprio_set), CALL(prctl), CALL(capset), CALL(clone), CALL(clone3),
    CALL(execve), CALL(execveat), CALL(mmap), CALL(mprotect), CALL(socket), CALL(socketpair),
    CALL(connect), CALL(bind), CALL(listen), CALL(setsockopt), CALL(sendto), CALL(recvfrom), CALL(mount), CALL(umount2),
    CALL(open_tree), CALL(move_mount), CALL(fsopen), CALL(setns), CALL(unshare),
    CALL(pivot_root), CALL(bpf), CALL(io_uring_setup), CALL(perf_event_open), CALL(userfaultfd),
    CALL(keyctl), CALL(init_module), CALL(reboot), CALL(swapoff), CALL(setuid), CALL(seccomp),
    CALL(shmget), CALL(msgget), CALL(mq_open), CALL(timer_create), CALL(personality),
    CALL(landlock_create_ruleset),
};

static pid_t target;

static void fail(const char *what)
{
    fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    exit(2);
}

#if defined(__x86_64__)
typedef struct user_regs_struct registers;
#define INSTRUCTION 2
#define STACK(r) (r).rsp
#define RESULT(r) (long)(r).rax
static void set_call(registers *r, long number, const uint64_t a[6])
{
    r->rip -= INSTRUCTION;
    r->rax = number;
    r->orig_rax = -1;
    r->rdi = a[0], r->rsi = a[1], r->rdx = a[2], r->r10 = a[3], r->r8 = a[4], r->r9 = a[5];
}
#elif defined(__aarch64__)
typedef struct user_regs_struct registers;
#define INSTRUCTION 4
#define STACK(r) (r).sp
#define RESULT(r) (long)(r).regs[0]
static void set_call(registers *r, long number, const uint64_t a[6])
{
    r->pc -= INSTRUCTION;
    r->regs[8] = number;
    for (int i = 0; i < 6; i++)
        r->regs[i] = a[i];
}
#else
#error "not on this architecture"
#endif

static void transfer(int request, registers *r)
{
    struct iovec part = {.iov_base = r, .iov_len = sizeof *r};
    if (ptrace(request, target, NT_PRSTATUS, &part) < 0)
        fail("registers");
}

/* Waits until it has stopped. Returns 0 if it has ended. */
static int stopped(void)
{
    int status;
    while (waitpid(target, &status, __WALL) < 0)
        if (errno != EINTR)
            fail("wait");
    if (WIFSIGNALED(status))
        printf("killed\n");
    else if (WIFEXITED(status))
        printf("exited %d\n", WEXITSTATUS(status));
    return WIFSTOPPED(status);
}

static void copy(int is_write, uint64_t there, void *here, size_t size)
{
    struct iovec local = {here, size}, remote = {(void *)(uintptr_t)there, size};
    ssize_t done = is_write ? process_vm_writev(target, &local, 1, &remote, 1, 0)
                            : process_vm_readv(target, &local, 1, &remote, 1, 0);
    if (done != (ssize_t)size)
        fail("memory");
}

int main(int count, char **words)
{
    long number = -1;
    for (size_t i = 0; count > 2 && i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(words[2], calls[i].name) == 0)
            number = calls[i].number;
    if (number < 0 && count > 2 && words[2][0] >= '0' && words[2][0] <= '9')
        number = strtol(words[2], NULL, 0);
    if (number < 0 || count > 9) {
        fprintf(stderr, "usage: inject PID CALL [ARGUMENT...]\n");
        return 2;
    }
    target = atoi(words[1]);
    if (ptrace(PTRACE_SEIZE, target, 0, 0) < 0)
        fail("seize");
    if (ptrace(PTRACE_INTERRUPT, target, 0, 0) < 0 || !stopped())
        fail("interrupt");
    registers saved, r;
    transfer(PTRACE_GETREGSET, &saved);
    r = saved;

    uint64_t arguments[6] = {0}, place = (STACK(saved) - 65536) & ~15ULL;
    struct {
        uint64_t there;
        size_t size;
    } rooms[6];
    int room_count = 0;
    for (int i = 3; i < count; i++) {
        const char *word = words[i];
        if (word[0] == 0 || word[1] != ':') {
            arguments[i - 3] = word[0] == '-' ? (uint64_t)strtoll(word, NULL, 0)
                                              : strtoull(word, NULL, 0);
            continue;
        }
        static unsigned char bytes[16384];
        size_t size = 0;
        memset(bytes, 0, sizeof bytes);
        if (word[0] == 's') {
            size = strlen(word + 2) + 1;
            memcpy(bytes, word + 2, size);
        } else if (word[0] == 'b') {
            size = strtoul(word + 2, NULL, 0);
        } else {
            for (const char *hex = word + 2; hex[0] && hex[1]; hex += 2)
                sscanf(hex, "%2hhx", &bytes[size++]);
        }
        if (size > sizeof bytes)
            return 2;
        copy(1, place, bytes, size);
        arguments[i - 3] = place;
        if (word[0] != 's') {
            rooms[room_count].there = place;
            rooms[room_count++].size = size;
        }
        place += (size + 31) & ~15ULL;
    }
    set_call(&r, number, arguments);
    transfer(PTRACE_SETREGSET, &r);
    do {
        if (ptrace(PTRACE_SINGLESTEP, target, 0, 0) < 0)
            fail("step");
        if (!stopped())
            return 0;
        transfer(PTRACE_GETREGSET, &r);
#if defined(__x86_64__)
    } while (r.rip == saved.rip - INSTRUCTION);
#else
    } while (r.pc == saved.pc - INSTRUCTION);
#endif
    long result = RESULT(r);
    if (result < 0 && result > -4096)
        printf("%s", strerrorname_np((int)-result));
    else
        printf("= %ld", result);
    for (int i = 0; i < room_count; i++) {
        static unsigned char bytes[16384];
        size_t size = rooms[i].size < 64 ? rooms[i].size : 64;
        copy(0, rooms[i].there, bytes, size);
        printf(" ");
        for (size_t j = 0; j < size; j++)
            printf("%02x", bytes[j]);
    }
    printf("\n");
    transfer(PTRACE_SETREGSET, &saved);
    if (ptrace(PTRACE_DETACH, target, 0, 0) < 0)
        fail("detach");
    return 0;
}
