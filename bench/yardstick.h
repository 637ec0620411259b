/* yardstick.h - what the processor can do at most, measured: the loops that every other figure is held against.
 *
 * Arithmetic: chains of fused multiply-adds on registers, as many at a time as hide the latency; memory is not touched.
 * Memory: one pass over an array that no cache holds. Both check what they have computed, to the bit. */
#ifndef CF_BENCH_YARDSTICK_H
#define CF_BENCH_YARDSTICK_H

#include <stdbool.h>

#include "measure.h"
#include "tensor/tensor.h"

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
/* The best of ten measurements, in operations and bytes per second, for programs that need the one number: a yardstick is
 * what the machine can do, not what it did on average. */
double peak_flops(cf_dtype compute, int threads);
double stream_bytes(int threads);

#endif
