/* DPDK's environment abstraction layer, without devices and huge pages. Prints its lcores. */
#define _GNU_SOURCE
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <stdio.h>

static int cpus[RTE_MAX_LCORE];

static int note(void *unused) {
    (void)unused;
    cpus[rte_lcore_id()] = sched_getcpu();
    return 0;
}

int main(int argc, char **argv) {
    unsigned int lcore;
    if (rte_eal_init(argc, argv) < 0)
        return 1;
    rte_eal_mp_remote_launch(note, NULL, CALL_MAIN);
    rte_eal_mp_wait_lcore();
    printf("lcores");
    RTE_LCORE_FOREACH(lcore) printf(" %u@%d", lcore, cpus[lcore]);
    printf("\n");
    return rte_eal_cleanup() < 0;
}
