/* row_operands.h - row-wise operations by name, their operands, and their values by any backend: what the conformance of the operations and that of the device's kernels share. */
#ifndef CF_TESTS_BACKEND_ROW_OPERANDS_H
#define CF_TESTS_BACKEND_ROW_OPERANDS_H

#include "fixture.h"

typedef enum row_op { RMS_NORM, LAYER_NORM, ROPE, GELU, GELU_TANH, QUICK_GELU, SILU, SILU_TIMES, N_ROW_OPS } row_op;

typedef struct row_op_facts {
    const char *name;
    float size; /* inputs are uniform in [-size, size) */
    cf_unary f; /* of the activations */
} row_op_facts;
extern const row_op_facts row_ops[N_ROW_OPS];

/* x [m, d], and a second row-wise input; two vectors of d. */
typedef struct row_operands {
    int64_t m, d;
    float *x, *times, *gamma, *beta;
} row_operands;

enum { N_POSITIONS = 11 };
extern const float row_eps;

row_operands row_operands_make(int64_t m, int64_t d, float size);
void row_operands_free(row_operands *o);

/* Heads of a row of d elements: 3 where they divide it into even halves, else 1; 0 where not even that. */
int64_t heads_of(int64_t d);
/* Whether the operation takes rows of d elements. */
bool row_op_applies(row_op op, int64_t d);
/* Heap positions of rows begin .. begin + m - 1: row i has (5 i) mod N_POSITIONS, wherever it stands. */
int32_t *row_positions(int64_t begin, int64_t m);

/* op on rows [begin, end) by a backend's operation, as heap values. ROPE is in place: its dtype is that of its input. */
float *row_values(cf_backend *be, row_op op, const row_operands *o, int64_t begin, int64_t end, cf_dtype out);
/* The same with x and times in a dtype of values; norms have none but f32. */
float *row_values_of(cf_backend *be, row_op op, const row_operands *o, int64_t begin, int64_t end, cf_dtype in,
                     cf_dtype out);

/* The largest 1 / sqrt(var + eps) of any row: what the mean's error is enlarged by in layer_norm. */
double largest_scale(const row_operands *o);
/* Of an activation, whose errors are relative to x: 8 u in the mean square and at most; y is the result. */
bounds activation_bounds(row_op op, const row_operands *o, const float *y);
/* Fails where an activation is off by more than 8 u |x|. */
void check_activation(row_op op, const row_operands *o, const float *got, const float *expected);

#endif
