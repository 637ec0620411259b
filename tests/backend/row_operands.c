/* row_operands.c - see row_operands.h. */
#include "row_operands.h"

#include <math.h>
#include <stdlib.h>

const float row_eps = 1e-5f;

const row_op_facts row_ops[N_ROW_OPS] = {
    [RMS_NORM] = {"rms_norm", 1, 0},
    [LAYER_NORM] = {"layer_norm", 1, 0},
    [ROPE] = {"rope", 1, 0},
    [GELU] = {"gelu", 10, CF_UNARY_GELU},
    [GELU_TANH] = {"gelu_tanh", 10, CF_UNARY_GELU_TANH},
    [QUICK_GELU] = {"quick_gelu", 20, CF_UNARY_QUICK_GELU},
    [SILU] = {"silu", 20, CF_UNARY_SILU},
    [SILU_TIMES] = {"silu times", 20, CF_UNARY_SILU},
};

row_operands row_operands_make(int64_t m, int64_t d, float size)
{
    return (row_operands){m,
                          d,
                          random_values(1, m * d, size),
                          random_values(2, m * d, 1),
                          random_values(3, d, 1),
                          random_values(4, d, 1)};
}

void row_operands_free(row_operands *o)
{
    free(o->x);
    free(o->times);
    free(o->gamma);
    free(o->beta);
}

int64_t heads_of(int64_t d)
{
    return d % 6 == 0 ? 3 : d % 2 == 0 ? 1 : 0;
}

bool row_op_applies(row_op op, int64_t d)
{
    return op != ROPE || heads_of(d) > 0;
}

int32_t *row_positions(int64_t begin, int64_t m)
{
    int32_t *pos = malloc((size_t)(m + 1) * sizeof *pos);
    assert_non_null(pos);
    for (int64_t i = 0; i < m; i++)
        pos[i] = (int32_t)((begin + i) * 5 % N_POSITIONS);
    return pos;
}

float *row_values(cf_backend *be, row_op op, const row_operands *o, int64_t begin, int64_t end, cf_dtype out)
{
    return row_values_of(be, op, o, begin, end, CF_F32, out);
}

float *row_values_of(cf_backend *be, row_op op, const row_operands *o, int64_t begin, int64_t end, cf_dtype in,
                     cf_dtype out)
{
    const int64_t m = end - begin, d = o->d;
    cf_tensor x = tensor_make(be, in, m, d, o->x + begin * d), y = tensor_make(be, out, m, d, NULL);
    cf_tensor times = tensor_make(be, in, m, d, o->times + begin * d);
    cf_tensor gamma = tensor_make(be, CF_F32, 1, d, o->gamma), beta = tensor_make(be, CF_F32, 1, d, o->beta);
    if (op == RMS_NORM) {
        OK(cf_rms_norm(be, &y, &x, &gamma, row_eps, &err));
    } else if (op == LAYER_NORM) {
        OK(cf_layer_norm(be, &y, &x, &gamma, &beta, row_eps, &err));
    } else if (op != ROPE) {
        OK(cf_activate(be, &y, &x, op == SILU_TIMES ? &times : NULL, row_ops[op].f, &err));
    } else {
        const int64_t heads = heads_of(d), e = d / heads;
        float *angles = random_values(5, N_POSITIONS * e, 1);
        int32_t *pos = row_positions(begin, m);
        cf_tensor table = tensor_make(be, CF_F32, N_POSITIONS, e, angles);
        OK(cf_rope(be, &x, &table, pos, heads, &err));
        cf_backend_release(be, &table);
        free(pos);
        free(angles);
    }
    float *values = tensor_values(be, op == ROPE ? &x : &y);
    cf_backend_release(be, &x);
    cf_backend_release(be, &y);
    cf_backend_release(be, &times);
    cf_backend_release(be, &gamma);
    cf_backend_release(be, &beta);
    return values;
}

double largest_scale(const row_operands *o)
{
    double largest = 0;
    for (int64_t i = 0; i < o->m; i++) {
        double mean = 0, var = 0;
        for (int64_t j = 0; j < o->d; j++)
            mean += (double)o->x[i * o->d + j] / (double)o->d;
        for (int64_t j = 0; j < o->d; j++)
            var += pow((double)o->x[i * o->d + j] - mean, 2) / (double)o->d;
        largest = fmax(largest, 1 / sqrt(var + (double)row_eps));
    }
    return largest;
}

bounds activation_bounds(row_op op, const row_operands *o, const float *y)
{
    double square_x = 0, square_y = 0;
    for (int64_t i = 0; i < o->m * o->d; i++) {
        square_x += (double)o->x[i] * (double)o->x[i];
        square_y += (double)y[i] * (double)y[i];
    }
    return (bounds){64 * U * U * square_x / square_y, 8 * U * (double)row_ops[op].size};
}

void check_activation(row_op op, const row_operands *o, const float *got, const float *expected)
{
    for (int64_t i = 0; i < o->m * o->d; i++)
        if (fabs((double)got[i] - (double)expected[i]) > 8 * U * fabs((double)o->x[i]))
            fail_msg("%s of %.9g: %.9g, expected %.9g", row_ops[op].name, (double)o->x[i], (double)got[i],
                     (double)expected[i]);
}
