/*
 * Loads and stores that other processes see in order (acquire, release), in memory that
 * outlives a process. Swift's Atomic brings storage of its own, whose layout no two versions of
 * a program have to share; here the place is given. None of these fails.
 */
#ifndef CLINUX_MEMORY_H
#define CLINUX_MEMORY_H

#include <stdint.h>

static inline uint32_t clinux_load32(const void *at)
{
    return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}
static inline void clinux_store32(void *at, uint32_t value)
{
    __atomic_store_n((uint32_t *)at, value, __ATOMIC_RELEASE);
}
static inline uint64_t clinux_load64(const void *at)
{
    return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}
static inline void clinux_store64(void *at, uint64_t value)
{
    __atomic_store_n((uint64_t *)at, value, __ATOMIC_RELEASE);
}
static inline uint64_t clinux_add64(void *at, uint64_t value)
{
    return __atomic_fetch_add((uint64_t *)at, value, __ATOMIC_ACQ_REL);
}

#endif
