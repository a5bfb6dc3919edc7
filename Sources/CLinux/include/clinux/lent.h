/* What another process has worked for the calling thread. Swift has no variables of a thread's own. */
#ifndef CLINUX_LENT_H
#define CLINUX_LENT_H

#include <stdint.h>

/* In nanoseconds. */
void clinux_add_lent_time(uint64_t time);
uint64_t clinux_lent_time(void);

#endif
