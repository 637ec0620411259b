/* peak.c - what can this processor do at most? Operations per second of a loop of fused multiply-adds, for each instruction
 * set that the engine uses, and bytes per second of reading memory, for one thread and for all. Every other figure is
 * held against these. */
#include <omp.h>

#include "yardstick.h"

enum { REPEATS = 20 };

static void measure(int threads)
{
    series s[N_PEAK_LOOPS] = {0}, read = {0};
    stream_array *array = stream_open(threads);
    for (int i = -1; i < REPEATS; i++) { /* the first warms up */
        if (i == 0)
            read.n = 0;
        for (int l = 0; l < N_PEAK_LOOPS; l++) {
            if (i == 0)
                s[l].n = 0;
            if (peak_exists((peak_loop)l))
                peak_measure(&s[l], (peak_loop)l, threads);
        }
        stream_measure(&read, array, threads);
    }
    stream_close(array);
    for (int l = 0; l < N_PEAK_LOOPS; l++)
        if (s[l].n)
            print_row("peak", peak_name((peak_loop)l), "GFLOP/s", &s[l], (yardstick_row){0}, threads);
    print_row("peak", "memory read", "GB/s", &read, (yardstick_row){0}, threads);
}

int main(int argc, char **argv)
{
    const int all = (int)option(argc, argv, "--threads", omp_get_num_procs());
    print_head();
    measure(1);
    if (all > 1)
        measure(all);
    return 0;
}
