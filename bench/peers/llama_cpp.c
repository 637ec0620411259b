/* llama_cpp.c - what crossflow's forward pass and decoding take in llama.cpp: the picture through the vision tower, rows
 * through the decoder with logits of the last one only, then tokens one by one.
 *
 *     llama_cpp TEXT.gguf VISION.gguf FOLDER [--threads N] [--repeats N] [--tokens N] [--ubatch ROWS] [--flash 0|1]
 *               [--profile 0|1]
 *
 * FOLDER has the prompt as a crossflow program has left it (embedded.f32: its rows) and the picture in 8 bits
 * (picture.rgb). Prints its version and one line of seconds a quantity, repeat by repeat, and leaves logits and features in
 * FOLDER for the caller (llama_cpp.py) to compare: it does not judge. --profile adds a line for each kind of operation,
 * measured in passes of their own, because llama.cpp then computes operation by operation.
 *
 * No part of crossflow's build: llama_cpp.py compiles it against a built llama.cpp (llama.h, mtmd.h). */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ggml-backend.h"
#include "llama.h"
#include "mtmd.h"

enum { SIDE = 336, MAX_REPEATS = 64, N_KINDS = 9 };

typedef struct series {
    double values[MAX_REPEATS];
    int n;
} series;

_Noreturn static void end(const char *what, const char *which)
{
    (void)fprintf(stderr, "llama_cpp: %s: %s\n", what, which);
    exit(EXIT_FAILURE);
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add(series *s, double seconds)
{
    if (s->n < MAX_REPEATS)
        s->values[s->n++] = seconds;
}

static void print(const char *name, const series *s)
{
    (void)printf("%s", name);
    for (int i = 0; i < s->n; i++)
        (void)printf(",%.6f", s->values[i]);
    (void)printf("\n");
}

/* ---- files ---- */

static void *read_whole(const char *folder, const char *name, size_t *bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "rb");
    if (!in || fseek(in, 0, SEEK_END) != 0)
        end("could not be read", path);
    const long size = ftell(in);
    void *all = size > 0 ? malloc((size_t)size) : NULL;
    rewind(in);
    if (!all || fread(all, 1, (size_t)size, in) != (size_t)size)
        end("could not be read", path);
    (void)fclose(in);
    *bytes = (size_t)size;
    return all;
}

static void write_whole(const char *folder, const char *name, const void *values, size_t bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(values, 1, bytes, out) != bytes || fclose(out) != 0)
        end("could not be written", path);
}

/* ---- where the time goes ---- */

/* The kinds of bench/meter.h, as far as llama.cpp's graph has them. */
static const char *const kind_names[N_KINDS] = {"products q k v o",
                                                "products gate up",
                                                "product down",
                                                "product head",
                                                "attention",
                                                "kv put",
                                                "norms",
                                                "rope",
                                                "activation and the rest"};

typedef struct profile {
    double seconds[N_KINDS], since;
} profile;

static int kind_of(const struct ggml_tensor *t)
{
    const char *weight = t->src[0] ? t->src[0]->name : "";
    if (t->op == GGML_OP_MUL_MAT && strncmp(weight, "blk.", 4) == 0)
        return strstr(weight, "ffn_down") ? 2 : strstr(weight, "ffn_") ? 1 : 0;
    if (t->op == GGML_OP_MUL_MAT && strcmp(weight, "output.weight") == 0)
        return 3;
    switch (t->op) {
    case GGML_OP_MUL_MAT:
    case GGML_OP_SOFT_MAX:
    case GGML_OP_FLASH_ATTN_EXT:
    case GGML_OP_CONT:
        return 4;
    case GGML_OP_SET_ROWS:
    case GGML_OP_CPY:
        return 5;
    case GGML_OP_RMS_NORM:
    case GGML_OP_MUL: /* by the norm's weight */
        return 6;
    case GGML_OP_ROPE:
        return 7;
    default:
        return 8;
    }
}

/* llama.cpp asks before each operation whether it is to be computed by itself, and tells when it is done. */
static bool take_time(struct ggml_tensor *t, bool ask, void *user)
{
    profile *p = user;
    if (ask)
        p->since = now();
    else
        p->seconds[kind_of(t)] += now() - p->since;
    return true;
}

/* ---- the decoder ---- */

typedef struct run {
    struct llama_model *model;
    struct llama_batch prompt, token;
    int rows, tokens, repeats, threads, ubatch;
    bool flash;
} run;

static struct llama_context *context_of(const run *r, profile *p)
{
    struct llama_context_params c = llama_context_default_params();
    c.n_ctx = (uint32_t)(r->rows + r->tokens);
    c.n_batch = (uint32_t)r->rows;
    c.n_ubatch = (uint32_t)r->ubatch;
    c.n_threads = c.n_threads_batch = r->threads;
    c.flash_attn_type = r->flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    c.no_perf = true;
    if (p) {
        c.cb_eval = take_time;
        c.cb_eval_user_data = p;
    }
    struct llama_context *context = llama_init_from_model(r->model, c);
    if (!context)
        end("no context", "llama_init_from_model");
    return context;
}

static void decode(struct llama_context *c, struct llama_batch b)
{
    if (llama_decode(c, b) != 0)
        end("failed", "llama_decode");
    llama_synchronize(c);
}

/* A batch of n rows or ids for positions from `first` on; logits of the last one only. */
static struct llama_batch batch_of(int n, int d, int first)
{
    struct llama_batch b = llama_batch_init(n, d, 1);
    b.n_tokens = n;
    for (int i = 0; i < n; i++) {
        b.pos[i] = first + i;
        b.n_seq_id[i] = 1;
        b.seq_id[i][0] = 0;
        b.logits[i] = i == n - 1;
    }
    return b;
}

static double prefill(struct llama_context *c, const run *r)
{
    llama_memory_clear(llama_get_memory(c), false);
    const double begin = now();
    decode(c, r->prompt);
    return now() - begin;
}

/* Seconds a token; which tokens they are does not matter. */
static double decode_tokens(struct llama_context *c, run *r)
{
    const double begin = now();
    for (int i = 0; i < r->tokens; i++) {
        r->token.token[0] = 3 + i;
        r->token.pos[0] = r->rows + i;
        decode(c, r->token);
    }
    return (now() - begin) / r->tokens;
}

static void measure_decoder(run *r, const char *folder)
{
    series read = {0}, each = {0};
    struct llama_context *c = context_of(r, NULL);
    (void)prefill(c, r);
    write_whole(folder, "llama-logits.f32", llama_get_logits_ith(c, -1),
                (size_t)llama_vocab_n_tokens(llama_model_get_vocab(r->model)) * sizeof(float));
    (void)decode_tokens(c, r);
    for (int i = 0; i < r->repeats; i++) {
        add(&read, prefill(c, r));
        add(&each, decode_tokens(c, r));
    }
    print("prefill", &read);
    print("token", &each);
    llama_free(c);
}

static void measure_kinds(const run *r)
{
    series all[N_KINDS] = {0};
    profile p = {0};
    struct llama_context *c = context_of(r, &p);
    (void)prefill(c, r);
    for (int i = 0; i < r->repeats; i++) {
        memset(p.seconds, 0, sizeof p.seconds);
        (void)prefill(c, r);
        for (int k = 0; k < N_KINDS; k++)
            add(&all[k], p.seconds[k]);
    }
    for (int k = 0; k < N_KINDS; k++)
        print(kind_names[k], &all[k]);
    llama_free(c);
}

/* ---- the vision tower ---- */

static void measure_vision(const run *r, const char *path, const char *folder)
{
    size_t bytes = 0;
    unsigned char *rgb = read_whole(folder, "picture.rgb", &bytes);
    if (bytes != 3 * SIDE * SIDE)
        end("is no picture of 336 x 336", "picture.rgb");
    struct mtmd_context_params p = mtmd_context_params_default();
    p.use_gpu = false;
    p.print_timings = false;
    p.n_threads = r->threads;
    p.flash_attn_type = r->flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    mtmd_context *c = mtmd_init_from_file(path, r->model, p);
    mtmd_bitmap *picture = mtmd_bitmap_init(SIDE, SIDE, rgb);
    mtmd_input_chunks *chunks = mtmd_input_chunks_init();
    const struct mtmd_input_part part = {.bitmap = picture}, *const parts[] = {&part};
    if (!c || mtmd_tokenize_from_parts(c, chunks, parts, 1, false) != 0 || mtmd_input_chunks_size(chunks) != 1)
        end("takes no picture", path);
    const mtmd_input_chunk *chunk = mtmd_input_chunks_get(chunks, 0);
    series seen = {0};
    for (int i = 0; i < r->repeats + 1; i++) {
        const double begin = now();
        if (mtmd_encode_chunk(c, chunk) != 0)
            end("failed", "mtmd_encode_chunk");
        if (i > 0)
            add(&seen, now() - begin);
    }
    print("vision", &seen);
    write_whole(folder, "llama-features.f32", mtmd_get_output_embd(c),
                (size_t)llama_model_n_embd_inp(r->model) * mtmd_input_chunk_get_n_tokens(chunk) * sizeof(float));
    mtmd_input_chunks_free(chunks);
    mtmd_bitmap_free(picture);
    mtmd_free(c);
    free(rgb);
}

/* ---- */

static int option(int argc, char **argv, const char *name, int otherwise)
{
    int value = otherwise;
    char rest = 0;
    for (int i = 4; i + 1 < argc; i += 2)
        if (strcmp(argv[i], name) == 0 && sscanf(argv[i + 1], "%d%c", &value, &rest) != 1)
            end("is no number", argv[i + 1]);
    return value;
}

static void say_errors(enum ggml_log_level level, const char *text, void *user)
{
    (void)user;
    if (level == GGML_LOG_LEVEL_ERROR)
        (void)fputs(text, stderr);
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc % 2)
        end("expected", "TEXT.gguf VISION.gguf FOLDER [--threads N] [--repeats N] [--tokens N] [--ubatch ROWS] "
                        "[--flash 0|1] [--profile 0|1]");
    llama_log_set(say_errors, NULL);
    mtmd_log_set(say_errors, NULL);
    llama_backend_init();
    struct llama_model_params p = llama_model_default_params();
    p.n_gpu_layers = 0;
    run r = {.model = llama_model_load_from_file(argv[1], p),
             .threads = option(argc, argv, "--threads", 2),
             .repeats = option(argc, argv, "--repeats", 5),
             .tokens = option(argc, argv, "--tokens", 16),
             .flash = option(argc, argv, "--flash", 1) != 0};
    if (!r.model)
        end("is no model", argv[1]);
    size_t bytes = 0;
    float *rows = read_whole(argv[3], "embedded.f32", &bytes);
    const int d = llama_model_n_embd_inp(r.model);
    r.rows = (int)(bytes / sizeof(float)) / d;
    r.ubatch = option(argc, argv, "--ubatch", r.rows);
    r.prompt = batch_of(r.rows, d, 0);
    r.token = batch_of(1, 0, r.rows);
    memcpy(r.prompt.embd, rows, bytes);
    free(rows);
    (void)printf("version,%s\n", llama_version());
    measure_decoder(&r, argv[3]);
    if (option(argc, argv, "--profile", 0))
        measure_kinds(&r);
    measure_vision(&r, argv[2], argv[3]);
    llama_batch_free(r.prompt);
    llama_batch_free(r.token);
    llama_model_free(r.model);
    llama_backend_free();
    return 0;
}
