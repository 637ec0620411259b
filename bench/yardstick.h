/* yardstick.h - what the processor can do at most, measured: the loops that every other figure is held against.
 *
 * Of the cpu. Arithmetic: chains of fused multiply-adds on registers, as many at a time as hide the latency; memory is not touched.
 * Memory: one pass over an array that no cache holds. Both check what they have computed, to the bit.
 * Of an accelerator: the largest product that is worth while, by its own library, and a copy inside its memory. */
#ifndef CF_BENCH_YARDSTICK_H
#define CF_BENCH_YARDSTICK_H

#include <stdbool.h>

#include "backend/backend.h"
#include "measure.h"

typedef enum peak_loop { PEAK_AVX2_F32, PEAK_AVX512_F32, PEAK_AVX512_BF16, N_PEAK_LOOPS } peak_loop;

const char *peak_name(peak_loop loop);
bool peak_exists(peak_loop loop); /* whether this processor has the instructions */

/* Adds one measurement of a tenth of a second or so: operations (a multiply-add is two) per second, in 1e9. */
void peak_measure(series *out, peak_loop loop, int threads);
/* The same of reading memory: bytes per second, in 1e9. `array` is of array_bytes. */
typedef struct stream_array stream_array;
stream_array *stream_open(int threads);
void stream_measure(series *out, const stream_array *array, int threads);
void stream_close(stream_array *array);

/* The loop that bounds products of a dtype here. Ends the program where there is none. */
peak_loop peak_for(cf_dtype compute);

/* Both together, for programs that hold other figures against them: taken in turn with what is measured. Of the
 * arithmetic the best of all counts: what the machine can do, not what it did on average. Of the memory the median counts:
 * machines that share a host share its memory, whose best moment is nobody's to plan with. */
typedef struct yardstick {
    peak_loop loop;
    int threads;
    stream_array *array;
    series flops, bytes; /* per second, in 1e9 */
    cf_backend *be;      /* NULL: the cpu is measured */
    cf_weight *w;        /* of an accelerator's product, */
    cf_tensor x, y;      /* its operands, */
    cf_tensor from, to;  /* and what is copied */
} yardstick;

yardstick yardstick_open(cf_dtype compute, int threads);
/* Of the device that the backend computes on. */
yardstick yardstick_open_on(cf_backend *be, const char *device);
void yardstick_take(yardstick *y); /* one measurement of each; 0.05 s or so */
double yardstick_gflops(const yardstick *y);
double yardstick_gbytes(const yardstick *y);
void yardstick_close(yardstick *y);

#endif
