/* fuzz_torch_zip.c - any bytes as a torch archive: refused, or every byte of every tensor may be read.
 *
 * Input: after '!' a whole archive; else the pickle of one that has three storages, 0, 1 and 2, of 0, 4 and 64 bytes. From the
 * source root:
 *
 *   clang -std=c17 -g -D_GNU_SOURCE -Isrc -Itests/checkpoint -I/usr/include/cjson -fsanitize=fuzzer,address,undefined \
 *       tests/fuzz/fuzz_torch_zip.c tests/checkpoint/zip_writer.c \
 *       src/checkpoint/{pickle,pickle_names,torch_zip,weight_file,zip}.c src/base/{error,file,memory,str}.c \
 *       -o /tmp/fuzz_torch_zip
 *   /tmp/fuzz_torch_zip -max_total_time=60 /tmp/corpus tests/fuzz/seeds/torch_zip */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/torch_zip.h"
#include "zip_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void parse(const unsigned char *file, size_t n)
{
    cf_weight_file f = {0};
    cf_error err = {0};
    if (cf_torch_zip_parse(&f, file, n, "fuzz", &err) != CF_OK)
        return;
    volatile unsigned sum = 0; /* so that the reads stay */
    for (size_t i = 0; i < f.n; i++) {
        const cf_stored_tensor *t = &f.tensors[i];
        for (size_t b = 0; b < t->n_bytes; b++)
            sum += t->data[b];
        if (cf_weight_file_find(&f, t->name) != t || !t->dtype_name || t->count < 0 ||
            (t->readable && t->n_bytes != (size_t)t->count * (t->dtype == CF_F32 ? 4 : 2)))
            abort();
    }
    (void)sum;
    cf_weight_file_deinit(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char zeros[64];
    if (n && data[0] == '!') {
        parse(data + 1, n - 1);
        return 0;
    }
    const zip_item items[] = {{.name = "x/data.pkl", .data = data, .n = n},
                              {.name = "x/data/0", .data = zeros, .n = 0},
                              {.name = "x/data/1", .data = zeros, .n = 4},
                              {.name = "x/data/2", .data = zeros, .n = 64}};
    size_t n_file = 0;
    unsigned char *file = zip_write(&n_file, items, sizeof items / sizeof *items, (zip_end){.zip64 = true});
    parse(file, n_file);
    free(file);
    return 0;
}
