/* For the files of this directory alone. */
#ifndef CLINUX_RESULT_H
#define CLINUX_RESULT_H

#include <errno.h>

/* Returns from the function: the result of a call that reports through errno, or -errno. */
#define RESULT(call)                             \
    do {                                         \
        long result_ = (call);                   \
        return result_ < 0 ? -errno : result_;   \
    } while (0)

#endif
