/* What the allocator holds. */
#ifndef CLINUX_ALLOCATOR_H
#define CLINUX_ALLOCATOR_H

/* malloc_trim(3): gives back what is not in use. <malloc.h> is not in the Glibc module. */
void clinux_trim_memory(void);

#endif
