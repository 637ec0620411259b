/* streams.c - streams and events for the whole plug-in over the emulated device.
 *
 * A device may do what stands in a stream at any moment until something waits for it. Here it is done at the last: when the host waits, when a kernel is launched on the stream,
 * or when another stream waits for an event in it. A transfer thus reads the host's memory as late as CUDA allows, and one that is not ordered before its reader has not
 * happened yet. Whoever writes pinned memory too early, forgets an event or frees what is still to be used gets wrong numbers, or is stopped here. */
#include "cuda/whole/cuda_runtime_api.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef cudaMalloc
#undef cudaFree

enum { FREE_BYTES_TOTAL = 1 << 30 };

typedef enum kind { COPY, SET, RECORD, WAIT } kind;

typedef struct task {
    kind kind;
    void *to;
    const void *from;
    int value;
    size_t bytes;
    cudaEvent_t event;
    uint64_t ticket;
    struct task *next;
} task;

struct CUstream_st {
    task *first, **end;
    struct CUstream_st *next; /* of all streams */
};

struct CUevent_st {
    cudaStream_t stream;       /* that it was recorded in last */
    uint64_t recorded, passed; /* how often */
};

static cudaStream_t streams;

static void stop(const char *why)
{
    (void)fprintf(stderr, "emulated streams: %s\n", why);
    abort();
}

static void *need(size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p)
        stop("no memory");
    return p;
}

static void push(cudaStream_t s, task t)
{
    task *own = need(sizeof *own);
    *own = t;
    own->next = NULL;
    *s->end = own;
    s->end = &own->next;
}

static void run_until(cudaStream_t s, const struct CUevent_st *event, uint64_t ticket);

static void run_one(cudaStream_t s)
{
    task *t = s->first;
    s->first = t->next;
    if (!s->first)
        s->end = &s->first;
    if (t->kind == COPY)
        memcpy(t->to, t->from, t->bytes);
    else if (t->kind == SET)
        memset(t->to, t->value, t->bytes);
    else if (t->kind == RECORD)
        t->event->passed = t->ticket;
    else
        run_until(t->event->stream, t->event, t->ticket);
    free(t);
}

/* Does the stream's work until the event has passed; all of it where there is no event. */
static void run_until(cudaStream_t s, const struct CUevent_st *event, uint64_t ticket)
{
    while (s->first && (!event || event->passed < ticket))
        run_one(s);
    if (event && event->passed < ticket)
        stop("an event that nothing records is waited for");
}

void cf_whole_run(cudaStream_t stream)
{
    run_until(stream, NULL, 0);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned int flags)
{
    (void)flags;
    cudaStream_t s = need(sizeof *s);
    s->end = &s->first;
    s->next = streams;
    streams = s;
    *stream = s;
    return cudaSuccess;
}

cudaError_t cf_whole_stream_destroy(cudaStream_t stream)
{
    run_until(stream, NULL, 0);
    for (cudaStream_t *at = &streams; *at; at = &(*at)->next)
        if (*at == stream) {
            *at = stream->next;
            break;
        }
    free(stream);
    return cudaSuccess;
}

cudaError_t cf_whole_stream_synchronize(cudaStream_t stream)
{
    run_until(stream, NULL, 0);
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags)
{
    (void)flags;
    if (event->recorded && event->stream != stream) /* in its own stream it has passed by then */
        push(stream, (task){.kind = WAIT, .event = event, .ticket = event->recorded});
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned int flags)
{
    (void)flags;
    *event = need(sizeof **event);
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    for (cudaStream_t s = streams; s; s = s->next)
        for (const task *t = s->first; t; t = t->next)
            if (t->event == event)
                stop("an event is destroyed that is still to be used");
    free(event);
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    if (event->stream && event->stream != stream && event->passed < event->recorded)
        run_until(event->stream, event, event->recorded); /* allowed, but nothing here wants to rely on it */
    event->stream = stream;
    push(stream, (task){.kind = RECORD, .event = event, .ticket = ++event->recorded});
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    if (event->recorded > event->passed)
        run_until(event->stream, event, event->recorded);
    return cudaSuccess;
}

/* ---- memory ---- */

/* Whether a task would still touch the allocation: the plug-in waits for both streams before it frees. */
static int is_wanted(const void *memory)
{
    for (cudaStream_t s = streams; s; s = s->next)
        for (const task *t = s->first; t; t = t->next)
            if (t->to == memory || t->from == memory)
                return 1;
    return 0;
}

cudaError_t cf_whole_malloc(void **memory, size_t bytes)
{
    return bytes > FREE_BYTES_TOTAL ? cudaErrorMemoryAllocation : cudaMalloc(memory, bytes);
}

cudaError_t cf_whole_free(void *memory)
{
    if (memory && is_wanted(memory))
        stop("memory is freed that is still to be used");
    return cudaFree(memory);
}

cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned int flags)
{
    (void)flags;
    *memory = need(bytes);
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *memory)
{
    if (memory && is_wanted(memory))
        stop("pinned memory is freed that is still to be used");
    free(memory);
    return cudaSuccess;
}

cudaError_t cf_whole_memcpy_async(void *to, const void *from, size_t bytes, enum cudaMemcpyKind direction,
                                  cudaStream_t stream)
{
    (void)direction;
    push(stream, (task){.kind = COPY, .to = to, .from = from, .bytes = bytes});
    return cudaSuccess;
}

cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                              size_t height, enum cudaMemcpyKind direction, cudaStream_t stream)
{
    for (size_t i = 0; i < height; i++)
        (void)cf_whole_memcpy_async((char *)to + i * to_pitch, (const char *)from + i * from_pitch, width, direction,
                                    stream);
    return cudaSuccess;
}

cudaError_t cf_whole_memset_async(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    push(stream, (task){.kind = SET, .to = memory, .value = value, .bytes = bytes});
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
    *available = *total = FREE_BYTES_TOTAL;
    return cudaSuccess;
}

/* ---- the device ---- */

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties, int device)
{
    (void)device;
    *properties = (struct cudaDeviceProp){.name = "emulated device", .totalGlobalMem = FREE_BYTES_TOTAL, .major = 9};
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = 13000;
    return cudaSuccess;
}
