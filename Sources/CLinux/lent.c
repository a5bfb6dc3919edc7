#include "clinux/lent.h"

static _Thread_local uint64_t lent;

void clinux_add_lent_time(uint64_t time) { lent += time; }

uint64_t clinux_lent_time(void) { return lent; }
