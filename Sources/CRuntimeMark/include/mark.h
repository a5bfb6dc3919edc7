/* Linking this target marks a program as lxcfs-runtime, see mark.c. */
#ifndef LXCFS_RUNTIME_MARK_H
#define LXCFS_RUNTIME_MARK_H

/* Does nothing. A call keeps the linker from leaving the mark out. */
void lxcfs_runtime_mark(void);

#endif
