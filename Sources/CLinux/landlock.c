#define _GNU_SOURCE
#include "clinux/landlock.h"

#include "result.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same on all architectures. */
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446

/* struct landlock_ruleset_attr, and struct landlock_path_beneath_attr, which is packed. */
struct rules {
    uint64_t files, net, scopes;
};
struct __attribute__((packed)) beneath {
    uint64_t access;
    int32_t directory;
};

static int version(void)
{
    /* LANDLOCK_CREATE_RULESET_VERSION */
    RESULT(syscall(CREATE_RULESET, NULL, 0, 1));
}

static uint64_t all_files(int abi)
{
    int count = 13;
    if (abi >= 2)
        count = 14; /* REFER */
    if (abi >= 3)
        count = 15; /* TRUNCATE */
    if (abi >= 5)
        count = 16; /* IOCTL_DEV */
    return ((uint64_t)1 << count) - 1;
}

int clinux_landlock_make(void)
{
    int abi = version();
    if (abi < 0)
        return abi;
    struct rules rules = {.files = all_files(abi)};
    if (abi >= 4)
        rules.net = 3; /* BIND_TCP, CONNECT_TCP */
    if (abi >= 6)
        rules.scopes = 3; /* ABSTRACT_UNIX_SOCKET, SIGNAL */
    /* What a kernel does not know may be there as long as it is 0. */
    RESULT(syscall(CREATE_RULESET, &rules, sizeof rules, 0));
}

int clinux_landlock_allow(int rules, int directory, uint64_t access)
{
    int abi = version();
    if (abi < 0)
        return abi;
    struct beneath beneath = {.access = access & all_files(abi), .directory = directory};
    /* LANDLOCK_RULE_PATH_BENEATH */
    RESULT(syscall(ADD_RULE, rules, 1, &beneath, 0));
}

int clinux_landlock_restrict(int rules) { RESULT(syscall(RESTRICT_SELF, rules, 0)); }
