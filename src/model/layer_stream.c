/* layer_stream.c - see layer_stream.h.
 *
 * The thread does input and output only: it asks the system to read a layer's part of the files, which returns when the
 * reading has been queued or done, and never touches the weights. */
#include "model/layer_stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"

struct cf_layer_stream {
    cf_backend *be;
    cf_tensor *host;
    int64_t first, n_layers;
    int64_t in_slot; /* the layer whose matrices are in the slot; -1: none */
    cf_weight *slot[CF_LAYER_MATRICES];

    pthread_t reader;
    bool has_reader;
    pthread_mutex_t lock; /* of the two below */
    pthread_cond_t wanted_changed;
    int64_t wanted; /* layer to read ahead; -1: none */
    bool quit;
};

static const cf_tensor *matrices_of(const cf_layer_stream *s, int64_t layer)
{
    return s->host + (layer - s->first) * CF_LAYER_MATRICES;
}

/* Advice on the pages that a matrix lies in. That it is not taken costs time, not correctness. */
static void advise(const cf_tensor *matrix, int advice)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)matrix->data / page * page;
    const uintptr_t end = (uintptr_t)matrix->data + (size_t)cf_tensor_count(matrix) * cf_dtype_bytes(matrix->dtype);
    (void)madvise((void *)begin, end - begin, advice); // NOLINT(performance-no-int-to-ptr)
}

static void *read_ahead(void *user)
{
    cf_layer_stream *s = user;
    (void)pthread_mutex_lock(&s->lock);
    while (!s->quit) {
        if (s->wanted < 0) {
            (void)pthread_cond_wait(&s->wanted_changed, &s->lock);
            continue;
        }
        const cf_tensor *matrices = matrices_of(s, s->wanted);
        s->wanted = -1;
        (void)pthread_mutex_unlock(&s->lock);
        for (int i = 0; i < CF_LAYER_MATRICES; i++)
            advise(&matrices[i], MADV_WILLNEED);
        (void)pthread_mutex_lock(&s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void want(cf_layer_stream *s, int64_t layer)
{
    (void)pthread_mutex_lock(&s->lock);
    s->wanted = layer;
    (void)pthread_cond_signal(&s->wanted_changed);
    (void)pthread_mutex_unlock(&s->lock);
}

cf_status cf_layer_stream_create(cf_layer_stream **out, cf_backend *be, const cf_tensor *host, int64_t first,
                                 int64_t n_layers, cf_error *err)
{
    const size_t n = (size_t)(n_layers - first) * CF_LAYER_MATRICES;
    cf_status st = CF_OK;
    void *copy = NULL;
    cf_layer_stream *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "no memory for streamed layers");
    *s = (cf_layer_stream){.be = be, .first = first, .n_layers = n_layers, .in_slot = -1, .wanted = -1};
    (void)pthread_mutex_init(&s->lock, NULL); /* neither can fail with default attributes */
    (void)pthread_cond_init(&s->wanted_changed, NULL);
    CF_TRY(cf_alloc(&copy, n, sizeof *s->host, "streamed layers", err));
    s->host = memcpy(copy, host, n * sizeof *host);
    for (int i = 0; i < CF_LAYER_MATRICES; i++)
        CF_TRY(cf_weight_create(be, &s->slot[i], &s->host[i], err));
    s->in_slot = first;
    if (pthread_create(&s->reader, NULL, read_ahead, s) != 0) {
        st = cf_fail(err, CF_NOMEM, "no thread to read layers ahead");
        goto done;
    }
    s->has_reader = true;
    *out = s;
    s = NULL;
done:
    cf_layer_stream_free(s);
    return st;
}

void cf_layer_stream_free(cf_layer_stream *s)
{
    if (!s)
        return;
    if (s->has_reader) {
        (void)pthread_mutex_lock(&s->lock);
        s->quit = true;
        (void)pthread_cond_signal(&s->wanted_changed);
        (void)pthread_mutex_unlock(&s->lock);
        (void)pthread_join(s->reader, NULL);
    }
    for (int i = 0; i < CF_LAYER_MATRICES; i++)
        cf_weight_free(s->be, s->slot[i]);
    (void)pthread_cond_destroy(&s->wanted_changed);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->host);
    free(s);
}

cf_status cf_layer_stream_get(cf_layer_stream *s, cf_weight *const **out, int64_t layer, cf_error *err)
{
    cf_status st = CF_OK;
    if (s->in_slot != layer) {
        const cf_tensor *matrices = matrices_of(s, layer);
        s->in_slot = -1;
        for (int i = 0; i < CF_LAYER_MATRICES; i++) {
            CF_TRY(cf_weight_fill(s->be, s->slot[i], &matrices[i], err));
            advise(&matrices[i],
                   MADV_DONTNEED); /* the copy serves from here on; the system may keep the pages or not */
        }
        s->in_slot = layer;
    }
    want(s, layer + 1 < s->n_layers ? layer + 1 : s->first); /* a walk follows a walk */
    *out = s->slot;
done:
    return st;
}
