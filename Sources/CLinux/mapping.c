#define _GNU_SOURCE
#include "clinux/mapping.h"

#include "result.h"

#include <sys/ioctl.h>

/* struct procmap_query of include/uapi/linux/fs.h, Linux 6.11. */
struct query {
    uint64_t size;
    uint64_t flags;
    uint64_t address;
    uint64_t start;
    uint64_t end;
    uint64_t vma_flags;
    uint64_t page_size;
    uint64_t offset;
    uint64_t inode;
    uint32_t major;
    uint32_t minor;
    uint32_t name_size;
    uint32_t build_id_size;
    uint64_t name;
    uint64_t build_id;
};
_Static_assert(sizeof(struct query) == 104, "the kernel's layout");

#define PROCMAP_QUERY _IOWR('f', 17, struct query)
#define PROCMAP_QUERY_VMA_WRITABLE 0x02

int clinux_mapping_at(int maps, uint64_t address, uint64_t *end)
{
    /* Without flags: exactly the mapping that has the address. */
    struct query query = {.size = sizeof query, .address = address};
    if (ioctl(maps, PROCMAP_QUERY, &query) < 0)
        return -errno;
    *end = query.end;
    return (query.vma_flags & PROCMAP_QUERY_VMA_WRITABLE) != 0;
}
