/* Writing into the memory of a thread that waits for the answer to a system call. */
#ifndef CLINUX_WAITING_H
#define CLINUX_WAITING_H

#include <stddef.h>
#include <stdint.h>

/*
 * Whether the thread waits at this moment in sysinfo(2) or sched_getaffinity(2), and has asked for
 * (at least) `size` bytes at `address`: 1 or 0. -EAGAIN: it is not asleep yet.
 *
 * `file` is its /proc/<tid>/syscall (proc_pid_syscall(5)).
 */
int clinux_waits_for(int file, uint64_t address, size_t size);

/* process_vm_writev(2): only where the process itself may write. -EFAULT if not all of it can be
   written. glibc's function is not in the Glibc module. */
int clinux_write_memory(int32_t tid, uint64_t address, const void *data, size_t size);

#endif
