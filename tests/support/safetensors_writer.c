/* safetensors_writer.c - see safetensors_writer.h. */
#include "support/safetensors_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

uint16_t safetensors_f32_to_f16(float f)
{
    const uint16_t sign = signbit(f) ? 0x8000 : 0;
    const double a = fabs((double)f);
    if (isnan(f))
        return (uint16_t)(sign | 0x7e00);
    if (a >= 65520.0) /* half way from the largest f16 to 2^16 */
        return (uint16_t)(sign | 0x7c00);
    if (a == 0)
        return sign;
    int exponent = 0;
    (void)frexp(a, &exponent); /* a = m * 2^exponent, m in [0.5, 1) */
    if (exponent < -13)
        exponent = -13; /* subnormal spacing */
    /* In units of the last place a is below 2^11, exact in a double; nearbyint rounds ties to even. A carry into 2^11 moves
     * into the exponent by plain addition. */
    const double units = nearbyint(ldexp(a, 11 - exponent));
    return (uint16_t)(sign + (uint32_t)((exponent + 13) * 1024) + (uint32_t)units);
}

static int64_t count_of(const safetensors_item *item)
{
    int64_t n = 1;
    for (int32_t i = 0; i < item->rank; i++)
        n *= item->shape[i];
    return n;
}

static cf_status add_values(cf_str *s, const safetensors_item *item, cf_dtype dtype, cf_error *err)
{
    const int64_t n = count_of(item);
    for (int64_t i = 0; i < n; i++) {
        const float f = item->data ? item->data[i] : 0.0F;
        uint32_t bits;
        memcpy(&bits, &f, sizeof bits);
        if (dtype != CF_F32)
            bits = dtype == CF_F16 ? safetensors_f32_to_f16(f) : cf_f32_to_bf16(f);
        char bytes[4];
        for (int b = 0; b < 4; b++)
            bytes[b] = (char)(bits >> 8 * b);
        const cf_status st = cf_str_add(s, (cf_slice){bytes, cf_dtype_bytes(dtype)}, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

static cf_status add_entry(cf_str *s, const safetensors_item *item, cf_dtype dtype, size_t *offset, cf_error *err)
{
    static const char *const names[] = {[CF_F32] = "F32", [CF_F16] = "F16", [CF_BF16] = "BF16"};
    cf_status st = CF_OK;
    const size_t end = *offset + (size_t)count_of(item) * cf_dtype_bytes(dtype);
    CF_TRY(
        cf_str_addf(s, err, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", s->n > 1 ? "," : "", item->name, names[dtype]));
    for (int32_t i = 0; i < item->rank; i++)
        CF_TRY(cf_str_addf(s, err, "%s%" PRId64, i ? "," : "", item->shape[i]));
    CF_TRY(cf_str_addf(s, err, "],\"data_offsets\":[%zu,%zu]}", *offset, end));
    *offset = end;
done:
    return st;
}

/* Items first, first + step, first + 2 step, ... */
static cf_status write_some(const char *path, const safetensors_item *items, size_t n, size_t first, size_t step,
                            cf_dtype dtype, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str header = {0}, file = {0};
    size_t offset = 0;
    CF_TRY(cf_str_add_text(&header, "{", err));
    for (size_t i = first; i < n; i += step)
        CF_TRY(add_entry(&header, &items[i], dtype, &offset, err));
    CF_TRY(cf_str_add_text(&header, "}", err));
    while (header.n % 8)
        CF_TRY(cf_str_add_text(&header, " ", err));
    for (int b = 0; b < 8; b++) {
        const char byte = (char)((uint64_t)header.n >> 8 * b);
        CF_TRY(cf_str_add(&file, (cf_slice){&byte, 1}, err));
    }
    CF_TRY(cf_str_add(&file, cf_str_slice(&header), err));
    for (size_t i = first; i < n; i += step)
        CF_TRY(add_values(&file, &items[i], dtype, err));
    CF_TRY(cf_file_write(path, cf_str_slice(&file), err));
done:
    cf_str_deinit(&file);
    cf_str_deinit(&header);
    return st;
}

cf_status safetensors_write(const char *path, const safetensors_item *items, size_t n, cf_dtype dtype, cf_error *err)
{
    return write_some(path, items, n, 0, 1, dtype, err);
}

static cf_status write_in(const char *dir, const char *name, cf_slice text, cf_error *err)
{
    char *path = NULL;
    cf_status st = cf_path_join(&path, dir, name, err);
    if (st == CF_OK)
        st = cf_file_write(path, text, err);
    free(path);
    return st;
}

cf_status safetensors_write_shards(const char *dir, const safetensors_item *items, size_t n, cf_dtype dtype,
                                   size_t n_shards, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str index = {0};
    char name[64];
    char *path = NULL;
    CF_TRY(cf_str_add_text(&index, "{\"metadata\":{},\"weight_map\":{", err));
    for (size_t k = 0; k < n_shards; k++) {
        (void)snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", k + 1, n_shards);
        CF_TRY(cf_path_join(&path, dir, name, err));
        CF_TRY(write_some(path, items, n, k, n_shards, dtype, err));
        free(path);
        path = NULL;
        for (size_t i = k; i < n; i += n_shards)
            CF_TRY(cf_str_addf(&index, err, "%s\"%s\":\"%s\"", i == 0 ? "" : ",", items[i].name, name));
    }
    CF_TRY(cf_str_add_text(&index, "}}", err));
    CF_TRY(write_in(dir, "model.safetensors.index.json", cf_str_slice(&index), err));
done:
    free(path);
    cf_str_deinit(&index);
    return st;
}
