/* Holds huge pages until it is killed:
 *
 *   hugepages transparent MIB    transparent ones (madvise)
 *   hugepages reserved MIB       of those that the administrator has reserved (MAP_HUGETLB)
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE = 2 << 20 };

int main(int argc, char **argv)
{
    if (argc != 3)
        errx(2, "usage: hugepages transparent|reserved MIB");
    size_t size = (size_t)atoi(argv[2]) << 20;
    int reserved = strcmp(argv[1], "reserved") == 0;
    char *memory = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (reserved ? MAP_HUGETLB : 0),
                        -1, 0);
    if (memory == MAP_FAILED)
        err(1, "mmap");
    if (!reserved) {
        memory = (char *)(((uintptr_t)memory + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
        if (madvise(memory, size, MADV_HUGEPAGE) != 0)
            err(1, "madvise");
    }
    memset(memory, 1, size);
    pause();
    return 0;
}
