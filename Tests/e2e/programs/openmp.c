/* A parallel region. Prints how many threads it has, how many processors and places the runtime
 * counts, and on which CPUs its threads are. */
#define _GNU_SOURCE
#include <omp.h>
#include <sched.h>
#include <stdio.h>

#define MOST 1024

int main(void) {
    static int cpus[MOST];
    int threads = 0;
#pragma omp parallel
    {
        int self = omp_get_thread_num();
        if (self < MOST)
            cpus[self] = sched_getcpu();
#pragma omp single
        threads = omp_get_num_threads();
    }
    printf("threads %d procs %d places %d cpus", threads, omp_get_num_procs(),
           omp_get_num_places());
    for (int i = 0; i < threads && i < MOST; i++)
        printf(" %d", cpus[i]);
    printf("\n");
    return 0;
}
