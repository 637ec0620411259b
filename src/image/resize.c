/* resize.c - Pillow's antialiased bicubic resize for 8 bits a channel (Pillow 13.0.0, src/libImaging/Resample.c), bit
 * for bit.
 *
 * Each output pixel is a weighted sum over the input pixels within the kernel's support of its centre. Weights are
 * computed and normalised in double, then rounded to fixed point with PRECISION_BITS fractional bits. There are two
 * passes, one an axis; between them the picture is rounded and clipped to 8 bits, so their order shows in the bytes.
 * An axis whose size does not change is copied.
 *
 * Only a window of the result is computed: weights exist for its columns and rows alone, and the first pass makes
 * only what the second one reads. */
#include "image/image_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/span.h"
#include "image/preprocess.h"

enum {
    PRECISION_BITS = 32 - 8 - 2, /* 8 bits of picture, 2 bits of headroom for sums that overshoot */
    HALF = 1 << (PRECISION_BITS - 1),
    SUPPORT = 2 /* of the cubic kernel, in pixels of the smaller picture */
};

/* Output pixels [first, first + n) of one axis. */
typedef struct axis {
    int64_t first;
    int32_t n;
    int32_t *fixed;  /* [n, reach] weights; NULL where the size does not change and pixels are copied */
    int32_t *begin;  /* [n] first input pixel; never moves back from one output pixel to the next */
    int32_t *n_taps; /* [n] input pixels, at most reach */
    size_t reach;
} axis;

/* Part of a picture: row y begins at px + y * stride with column x0; rows before y0 are not there. */
typedef struct plane {
    uint8_t *px;
    size_t stride;
    int32_t x0, y0;
} plane;

static uint8_t *plane_at(const plane *p, int32_t x, int32_t y)
{
    return p->px + (size_t)(y - p->y0) * p->stride + (size_t)(x - p->x0) * 3;
}

static void axis_deinit(axis *a)
{
    free(a->fixed);
    free(a->begin);
    free(a->n_taps);
}

/* Keys' cubic convolution kernel, a = -0.5. */
static double bicubic(double x)
{
    const double a = -0.5;
    if (x < 0.0)
        x = -x;
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

/* Half away from zero, as Pillow rounds weights. */
static int32_t to_fixed(double weight)
{
    return (int32_t)(weight * (1 << PRECISION_BITS) + (weight < 0 ? -0.5 : 0.5));
}

static void fill_weights(axis *a, double *weight, int32_t in_size, double scale, double stretch)
{
    const double support = SUPPORT * stretch, per_pixel = 1.0 / stretch;
    for (int32_t i = 0; i < a->n; i++) {
        const double centre = ((double)(a->first + i) + 0.5) * scale;
        const double low = centre - support + 0.5, high = centre + support + 0.5;
        const int32_t from = low < 0 ? 0 : (int32_t)low;
        const int32_t to = high > in_size ? in_size : (int32_t)high;
        int32_t *fixed = a->fixed + (size_t)i * a->reach;
        double sum = 0.0;
        for (int32_t t = 0; t < to - from; t++) {
            weight[t] = bicubic((from + t - centre + 0.5) * per_pixel);
            sum += weight[t];
        }
        for (int32_t t = 0; t < to - from; t++)
            fixed[t] = to_fixed(sum != 0.0 ? weight[t] / sum : weight[t]);
        a->begin[i] = from;
        a->n_taps[i] = to - from;
    }
}

static cf_status axis_init(axis *a, int32_t in_size, int64_t out_size, int64_t first, int32_t n, cf_error *err)
{
    a->first = first;
    a->n = n;
    if (out_size == in_size)
        return CF_OK;
    cf_status st = CF_OK;
    void *fixed = NULL, *begin = NULL, *n_taps = NULL, *line = NULL;
    const double scale = (double)in_size / (double)out_size;
    const double stretch = scale < 1.0 ? 1.0 : scale; /* shrinking widens the kernel: that is the antialiasing */
    a->reach = (size_t)ceil(SUPPORT * stretch) * 2 + 1;
    size_t n_weights = 0;
    CF_TRY(cf_mul_size(&n_weights, (size_t)n, a->reach, err));
    CF_TRY(cf_alloc(&fixed, n_weights, sizeof(int32_t), "resize weights", err));
    CF_TRY(cf_alloc(&begin, (size_t)n, sizeof(int32_t), "resize weights", err));
    CF_TRY(cf_alloc(&n_taps, (size_t)n, sizeof(int32_t), "resize weights", err));
    CF_TRY(cf_alloc(&line, a->reach, sizeof(double), "resize weights", err));
    a->fixed = fixed;
    a->begin = begin;
    a->n_taps = n_taps;
    fixed = begin = n_taps = NULL;
    fill_weights(a, line, in_size, scale, stretch);
done:
    free(fixed);
    free(begin);
    free(n_taps);
    free(line);
    return st;
}

/* The input pixels that the axis reads. */
static cf_span axis_reads(const axis *a)
{
    if (!a->fixed)
        return (cf_span){(int32_t)a->first, (int32_t)a->first + a->n};
    return (cf_span){a->begin[0], a->begin[a->n - 1] + a->n_taps[a->n - 1]};
}

static uint8_t clip(int32_t sum)
{
    const int32_t v = sum >> PRECISION_BITS; /* arithmetic shift, as in Pillow: gcc and clang define it so */
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* Columns 0.. of `out` from the columns that `a` reads, for the given rows, whose numbers do not change. */
static void pass_across(const plane *out, const plane *in, const axis *a, cf_span rows)
{
    for (int32_t y = rows.begin; y < rows.end; y++) {
        uint8_t *to = plane_at(out, 0, y);
        if (!a->fixed) {
            memcpy(to, plane_at(in, (int32_t)a->first, y), (size_t)a->n * 3);
            continue;
        }
        for (int32_t i = 0; i < a->n; i++, to += 3) {
            const uint8_t *px = plane_at(in, a->begin[i], y);
            const int32_t *weight = a->fixed + (size_t)i * a->reach;
            int32_t r = HALF, g = HALF, b = HALF;
            for (int32_t t = 0; t < a->n_taps[i]; t++, px += 3) {
                r += px[0] * weight[t];
                g += px[1] * weight[t];
                b += px[2] * weight[t];
            }
            to[0] = clip(r);
            to[1] = clip(g);
            to[2] = clip(b);
        }
    }
}

/* Rows 0.. of `out` from the rows that `a` reads, for the given columns, whose numbers do not change; sums is scratch
 * for three numbers a column. */
static void pass_down(const plane *out, const plane *in, const axis *a, cf_span cols, int32_t *sums)
{
    const size_t n_bytes = (size_t)(cols.end - cols.begin) * 3;
    for (int32_t i = 0; i < a->n; i++) {
        uint8_t *to = plane_at(out, cols.begin, i);
        if (!a->fixed) {
            memcpy(to, plane_at(in, cols.begin, (int32_t)a->first + i), n_bytes);
            continue;
        }
        const int32_t *weight = a->fixed + (size_t)i * a->reach;
        for (size_t k = 0; k < n_bytes; k++)
            sums[k] = HALF;
        for (int32_t t = 0; t < a->n_taps[i]; t++) {
            const uint8_t *px = plane_at(in, cols.begin, a->begin[i] + t);
            for (size_t k = 0; k < n_bytes; k++)
                sums[k] += px[k] * weight[t];
        }
        for (size_t k = 0; k < n_bytes; k++)
            to[k] = clip(sums[k]);
    }
}

/* Pillow since 13.0: rows first where the height shrinks by more than twice what the width does. Earlier versions
 * always take columns first; with the aspect ratio kept, pictures more than twice as tall as wide come out
 * differently. */
static bool rows_go_first(const cf_image *in, int64_t width, int64_t height)
{
    return height < in->height && in->height - height > 2 * (in->width - width);
}

cf_status cf_image_resize_window(cf_image *out, int32_t at_x, int32_t at_y, const cf_image *in, int64_t width,
                                 int64_t height, cf_window window, cf_error *err)
{
    assert(window.width > 0 && window.x >= 0 && window.x + window.width <= width && at_x >= 0 &&
           at_x <= out->width - window.width);
    assert(window.height > 0 && window.y >= 0 && window.y + window.height <= height && at_y >= 0 &&
           at_y <= out->height - window.height);
    cf_status st = CF_OK;
    axis across = {0}, down = {0};
    void *between = NULL, *sums = NULL;
    CF_TRY(axis_init(&across, in->width, width, window.x, window.width, err));
    CF_TRY(axis_init(&down, in->height, height, window.y, window.height, err));
    const bool rows_first = rows_go_first(in, width, height);
    const cf_span out_cols = {0, window.width}, out_rows = {0, window.height};
    const cf_span cols = rows_first ? axis_reads(&across) : out_cols;
    const cf_span rows = rows_first ? out_rows : axis_reads(&down);
    const size_t n_cols = (size_t)(cols.end - cols.begin), n_rows = (size_t)(rows.end - rows.begin);
    CF_TRY(cf_alloc(&between, n_rows, n_cols * 3, "half-resized image", err));
    CF_TRY(cf_alloc(&sums, n_cols * 3, sizeof(int32_t), "resize sums", err));
    const plane whole = {.px = in->rgb, .stride = (size_t)in->width * 3};
    const plane half = {.px = between, .stride = n_cols * 3, .x0 = cols.begin, .y0 = rows.begin};
    const plane fitted = {.px = out->rgb, .stride = (size_t)out->width * 3, .x0 = -at_x, .y0 = -at_y};
    if (rows_first) {
        pass_down(&half, &whole, &down, cols, sums);
        pass_across(&fitted, &half, &across, rows);
    } else {
        pass_across(&half, &whole, &across, rows);
        pass_down(&fitted, &half, &down, cols, sums);
    }
done:
    axis_deinit(&across);
    axis_deinit(&down);
    free(between);
    free(sums);
    return st;
}

cf_status cf_image_resize(cf_image *out, const cf_image *in, int32_t width, int32_t height, cf_error *err)
{
    cf_status st = CF_OK;
    cf_image resized = {0};
    CF_TRY(cf_image_create_named(&resized, width, height, "resized image", err));
    CF_TRY(cf_image_resize_window(&resized, 0, 0, in, width, height, (cf_window){0, 0, width, height}, err));
    *out = resized;
    resized = (cf_image){0};
done:
    cf_image_deinit(&resized);
    return st;
}
