/* fuzz_safetensors.c - any bytes as a safetensors file: refused, or every byte of every tensor may be read.
 *
 * Input: the JSON header, then a line feed, then the data bytes; the length prefix is made here, except that an input that
 * begins with '!' is taken as a whole file. From the source root:
 *
 *   clang -std=c17 -g -D_GNU_SOURCE -Isrc -I/usr/include/cjson -fsanitize=fuzzer,address,undefined \
 *       tests/fuzz/fuzz_safetensors.c src/checkpoint/{alias,safetensors,weight_file}.c \
 *       src/base/{error,file,json,memory,str}.c \
 *       -lcjson -lm -o /tmp/fuzz_safetensors
 *   /tmp/fuzz_safetensors -max_total_time=60 /tmp/corpus tests/fuzz/seeds/safetensors */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/alias.h"
#include "checkpoint/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void parse(const unsigned char *file, size_t n)
{
    cf_safetensors s = {0};
    cf_error err = {0};
    if (cf_safetensors_parse(&s, file, n, "fuzz", &err) != CF_OK)
        return;
    volatile unsigned sum = 0; /* so that the reads stay */
    for (size_t i = 0; i < s.n; i++) {
        for (size_t b = 0; b < s.tensors[i].n_bytes; b++)
            sum += s.tensors[i].data[b];
        char *name = NULL;
        if (cf_safetensors_find(&s, s.tensors[i].name) != &s.tensors[i] ||
            cf_alias_canonical(&name, s.tensors[i].name, &err) != CF_OK)
            abort();
        for (size_t part = 0; part < cf_alias_n_parts(name); part++) {
            static const cf_text_config text = {.n_heads = 2, .n_kv_heads = 1, .head_dim = 4, .intermediate_size = 12};
            char *of_part = NULL;
            cf_rows rows = {0};
            if (cf_alias_part(&of_part, &rows, name, part, &text, &err) != CF_OK || rows.begin + rows.n > rows.of)
                abort();
            free(of_part);
        }
        free(name);
    }
    (void)sum;
    cf_safetensors_deinit(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n && data[0] == '!') {
        parse(data + 1, n - 1);
        return 0;
    }
    const uint8_t *line = n ? memchr(data, '\n', n) : NULL;
    const size_t n_header = line ? (size_t)(line - data) : n, n_data = line ? n - n_header - 1 : 0;
    unsigned char *file = malloc(8 + n_header + n_data);
    if (!file)
        return 0;
    for (int i = 0; i < 8; i++)
        file[i] = (unsigned char)((uint64_t)n_header >> 8 * i);
    if (n_header)
        memcpy(file + 8, data, n_header);
    if (n_data)
        memcpy(file + 8 + n_header, line + 1, n_data);
    parse(file, 8 + n_header + n_data);
    free(file);
    return 0;
}
