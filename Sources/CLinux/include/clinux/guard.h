/* Another program in the place of this one if this one fails. */
#ifndef CLINUX_GUARD_H
#define CLINUX_GUARD_H

/* From now on, a fault of this process (SIGSEGV, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGABRT) and the
 * end of `milliseconds` of time execute `path` with `argv` and the environment, with dispositions
 * of signals, mask and timer as they were before the first call. Until clinux_guard_disarm(),
 * SIGPIPE and SIGXFSZ are ignored: what causes them is an error of write(2). Calling it again sets
 * the time anew. The strings are not copied. */
void clinux_guard_arm(const char *path, char *const argv[], unsigned milliseconds);

/* From now on, they write `message` to standard error and end the process with `code` instead. */
void clinux_guard_fail(const char *message, int code);

/* A file that is to be removed then: `name` in the directory `dirfd`; NULL: none. */
void clinux_guard_remove(int dirfd, const char *name);

/* Dispositions and timer are again what they were. */
void clinux_guard_disarm(void);

#endif
