/* machine.c - see machine.h. Owns the threads' stacks (kept from launch to launch) and the shared memory of the block that runs. */
#include "cuda/emulator/machine.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cuda/emulator/fiber.h"
#include "cuda/emulator/sanitizer.h"

enum {
    MAX_THREADS = 1024, /* a block, CUDA C++ Programming Guide, technical specifications per compute capability */
    MAX_Z = 64,
    MAX_GRID_YZ = 65535,
    GUARD_PAGE = 4096,
    STACK_BYTES = 128 * 1024 + GUARD_PAGE,
    MAX_SITES = 32,
    GUARD_WORDS = 64 /* behind each shared variable */
};
static const uint16_t guard_word = 0xffa5; /* NaN in f16, bf16 and, twice, in f32; no write leaves it by chance */

typedef enum thread_state { READY, AT_BARRIER, AT_WARP, ENDED } thread_state;

typedef struct thread {
    cf_fiber fiber;
    thread_state state;
    uint3 index;
    const char *file; /* where it waits */
    int line;
    unsigned int mask; /* at a warp operation */
    void *operands;
    cf_emulator_complete *complete;
} thread;

/* A shared variable of the running block. */
typedef struct shared_variable {
    const void *site;
    unsigned char *memory;
    size_t bytes;
} shared_variable;

uint3 cf_emulator_thread_idx, cf_emulator_block_idx;
dim3 cf_emulator_block_dim, cf_emulator_grid_dim;

/* The processor: there is one, as there is one set of threadIdx, blockIdx, blockDim and gridDim. */
static struct {
    thread threads[MAX_THREADS];
    unsigned char *stacks;
    unsigned int n_threads, running;
    uint32_t at_warp[MAX_THREADS / CF_EMULATOR_WARP]; /* lanes that wait for their warp */
    cf_fiber scheduler;
    void (*body)(void *arguments);
    void *arguments;
    shared_variable shared[MAX_SITES]; /* the first is the dynamic one */
    unsigned int n_shared;
    size_t shared_limit;
    cf_emulator_order order;
    uint64_t random;
    bool faulty;
    char fault[512];
} machine;

void cf_emulator_set_order(cf_emulator_order order, uint64_t seed)
{
    machine.order = order;
    machine.random = seed;
}

const char *cf_emulator_fault(void)
{
    return machine.fault;
}

/* Appends to the report. */
static void report(const char *format, ...)
{
    const size_t used = strlen(machine.fault);
    va_list list;
    va_start(list, format);
    (void)vsnprintf(machine.fault + used, sizeof machine.fault - used, format, list);
    va_end(list);
}

static void begin_report(void)
{
    machine.faulty = true;
    machine.fault[0] = '\0';
    report("block (%u, %u, %u): ", cf_emulator_block_idx.x, cf_emulator_block_idx.y, cf_emulator_block_idx.z);
}

/* ---- shared memory ---- */

static void *shared_add(const void *site, size_t bytes)
{
    enum { ALIGNMENT = 128 };
    const size_t guard = GUARD_WORDS * sizeof guard_word, odd = bytes % 2;
    const size_t room = (bytes + odd + guard + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    unsigned char *memory = machine.n_shared < MAX_SITES ? aligned_alloc(ALIGNMENT, room) : NULL;
    if (!memory)
        return NULL;
    memset(memory, 0xff, bytes + odd);
    for (size_t i = 0; i < GUARD_WORDS; i++)
        memcpy(memory + bytes + odd + i * sizeof guard_word, &guard_word, sizeof guard_word);
    machine.shared[machine.n_shared++] = (shared_variable){site, memory, bytes};
    return memory;
}

static void shared_begin_block(void)
{
    for (unsigned int i = 0; i < machine.n_shared; i++)
        memset(machine.shared[i].memory, 0xff, machine.shared[i].bytes);
}

static void shared_end_block(void)
{
    for (unsigned int i = 0; i < machine.n_shared && !machine.faulty; i++) {
        const shared_variable *s = &machine.shared[i];
        for (size_t g = 0; g < GUARD_WORDS; g++)
            if (memcmp(s->memory + s->bytes + s->bytes % 2 + g * sizeof guard_word, &guard_word, sizeof guard_word) !=
                0) {
                begin_report();
                report("a write behind the %zu bytes of %s", s->bytes,
                       i ? "a shared variable" : "dynamic shared memory");
                break;
            }
    }
}

static void shared_free(void)
{
    for (unsigned int i = 0; i < machine.n_shared; i++)
        free(machine.shared[i].memory);
    machine.n_shared = 0;
}

void *cf_emulator_shared(const void *site, size_t bytes)
{
    size_t used = bytes;
    for (unsigned int i = 0; i < machine.n_shared; i++) {
        if (machine.shared[i].site == site)
            return machine.shared[i].memory;
        used += machine.shared[i].bytes;
    }
    void *memory = used <= machine.shared_limit ? shared_add(site, bytes) : NULL;
    if (!memory)
        cf_emulator_trap("more shared memory than a block has", __FILE__, __LINE__);
    return memory;
}

void *cf_emulator_dynamic_shared(void)
{
    return machine.shared[0].memory;
}

/* ---- threads ---- */

static uint64_t draw(void) /* splitmix64 */
{
    uint64_t z = (machine.random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z >> 32;
}

/* The order of the next turns of n lanes or warps. */
static void order_turns(unsigned int *turn, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++)
        turn[i] = machine.order == CF_EMULATOR_BACKWARD ? n - 1 - i : i;
    for (unsigned int i = n; machine.order == CF_EMULATOR_RANDOM && i > 1; i--) { /* Fisher-Yates */
        const unsigned int j = (unsigned int)(draw() % i), other = turn[j];
        turn[j] = turn[i - 1];
        turn[i - 1] = other;
    }
}

/* Leaves the running thread, for the scheduler; returns when it has its turn again. */
static void hand_over(thread_state state, const char *file, int line)
{
    thread *self = &machine.threads[machine.running];
    self->state = state;
    self->file = file;
    self->line = line;
    cf_fiber_switch(&self->fiber, &machine.scheduler);
}

static void thread_entry(void)
{
    cf_fiber_entered(&machine.scheduler);
    machine.body(machine.arguments);
    hand_over(ENDED, "", 0);
    abort(); /* an ended thread has no turn */
}

void cf_emulator_trap(const char *what, const char *file, int line)
{
    begin_report();
    report("thread %u: %s at %s:%d", machine.running, what, file, line);
    hand_over(ENDED, file, line);
}

void cf_emulator_barrier(const char *file, int line)
{
    hand_over(AT_BARRIER, file, line);
}

unsigned int cf_emulator_lane(void)
{
    return machine.running % CF_EMULATOR_WARP;
}

static bool same_place(const thread *a, const thread *b)
{
    return a->line == b->line && (a->file == b->file || strcmp(a->file, b->file) == 0);
}

/* The operands of the lanes that self waits for. False where one of them has not come, or waits in another operation. */
static bool gather_operands(void **all, const thread *self, const thread *warp, uint32_t waiting)
{
    if ((waiting & self->mask) != self->mask)
        return false;
    for (unsigned int i = 0; i < CF_EMULATOR_WARP; i++) {
        const thread *lane = &warp[i];
        if (!(self->mask >> i & 1))
            continue;
        if (lane->mask != self->mask || lane->complete != self->complete || !same_place(lane, self))
            return false;
        all[i] = lane->operands;
    }
    return true;
}

void cf_emulator_warp(unsigned int mask, void *operands, cf_emulator_complete *complete, const char *file, int line)
{
    const unsigned int lane = cf_emulator_lane(), first = machine.running - lane;
    uint32_t *waiting = &machine.at_warp[first / CF_EMULATOR_WARP];
    thread *self = &machine.threads[machine.running], *warp = &machine.threads[first];
    if (!(mask >> lane & 1))
        cf_emulator_trap("a warp operation by a lane that its own mask leaves out", file, line);
    self->mask = mask;
    self->operands = operands;
    self->complete = complete;
    self->file = file;
    self->line = line;
    *waiting |= 1u << lane;
    void *all[CF_EMULATOR_WARP] = {NULL};
    if (!gather_operands(all, self, warp, *waiting)) {
        hand_over(AT_WARP, file, line); /* the last to come completes it */
        return;
    }
    complete(all, mask);
    *waiting &= ~mask;
    for (unsigned int i = 0; i < CF_EMULATOR_WARP; i++)
        if (mask >> i & 1)
            warp[i].state = READY;
    hand_over(READY, file, line); /* so that who came last is not always first: the order decides */
}

/* Nobody can run, not all have ended: either all are at one barrier, which opens, or this is where the block would hang. */
static void release_barrier(void)
{
    const thread *first = &machine.threads[0];
    bool complete = true;
    for (unsigned int i = 0; i < machine.n_threads; i++)
        complete = complete && machine.threads[i].state == AT_BARRIER && same_place(&machine.threads[i], first);
    for (unsigned int i = 0; complete && i < machine.n_threads; i++)
        machine.threads[i].state = READY;
    if (complete)
        return;
    begin_report();
    bool told[MAX_THREADS] = {false};
    for (unsigned int i = 0; i < machine.n_threads; i++) { /* threads in the same state and place, together */
        const thread *t = &machine.threads[i];
        unsigned int n = 0;
        for (unsigned int j = i; !told[i] && j < machine.n_threads; j++)
            if (machine.threads[j].state == t->state && same_place(&machine.threads[j], t) &&
                (t->state != AT_WARP || machine.threads[j].mask == t->mask)) {
                n++;
                told[j] = j > i;
            }
        if (n && t->state == ENDED)
            report("%u threads, the first %u, have ended; ", n, i);
        else if (n && t->state == AT_BARRIER)
            report("%u threads, the first %u, wait at the barrier of %s:%d; ", n, i, t->file, t->line);
        else if (n)
            report("%u threads, the first %u, wait for lanes %08x of their warp at %s:%d; ", n, i, t->mask, t->file,
                   t->line);
    }
    report("they would wait for ever");
}

static void begin_block(void)
{
    const dim3 b = cf_emulator_block_dim;
    memset(machine.at_warp, 0, sizeof machine.at_warp);
    for (unsigned int i = 0; i < machine.n_threads; i++) {
        thread *t = &machine.threads[i];
        unsigned char *stack = machine.stacks + (size_t)i * STACK_BYTES + GUARD_PAGE;
        CF_PERMIT(stack, STACK_BYTES - GUARD_PAGE); /* frames of an ended thread */
        cf_fiber_init(&t->fiber, stack, STACK_BYTES - GUARD_PAGE, thread_entry);
        t->state = READY;
        t->index = (uint3){i % b.x, i / b.x % b.y, i / b.x / b.y};
    }
    shared_begin_block();
}

/* Gives each lane of a warp that can run a turn. False where there was none. */
static bool run_lanes(unsigned int warp)
{
    const unsigned int first = warp * CF_EMULATOR_WARP, left = machine.n_threads - first;
    const unsigned int n = left < CF_EMULATOR_WARP ? left : CF_EMULATOR_WARP;
    unsigned int turn[CF_EMULATOR_WARP];
    bool ran = false;
    order_turns(turn, n);
    for (unsigned int i = 0; i < n && !machine.faulty; i++) {
        thread *t = &machine.threads[first + turn[i]];
        if (t->state != READY)
            continue;
        ran = true;
        machine.running = first + turn[i];
        cf_emulator_thread_idx = t->index;
        cf_fiber_switch(&machine.scheduler, &t->fiber);
    }
    return ran;
}

/* Gives the warps their turns. False where no thread can run. A warp goes as far as it can before the next one begins: if some of the block may run ahead of the rest, it does. */
static bool run_warps(void)
{
    enum { MOST_RANDOM_TURNS = 32 };
    const unsigned int n = (machine.n_threads + CF_EMULATOR_WARP - 1) / CF_EMULATOR_WARP;
    unsigned int turn[MAX_THREADS / CF_EMULATOR_WARP];
    bool ran = false;
    order_turns(turn, n);
    for (unsigned int i = 0; i < n; i++) {
        uint64_t most = machine.order == CF_EMULATOR_RANDOM ? draw() % MOST_RANDOM_TURNS + 1 : UINT64_MAX;
        for (; most > 0 && run_lanes(turn[i]); most--)
            ran = true;
    }
    return ran;
}

static bool all_ended(void)
{
    for (unsigned int i = 0; i < machine.n_threads; i++)
        if (machine.threads[i].state != ENDED)
            return false;
    return true;
}

static void run_block(void)
{
    begin_block();
    while (!machine.faulty) {
        if (run_warps())
            continue;
        if (all_ended())
            break;
        release_barrier();
    }
    if (!machine.faulty)
        shared_end_block();
}

/* Stacks for all threads that a block can have, each above a page that must not be touched. Pages cost nothing until used. */
static bool have_stacks(void)
{
    if (machine.stacks)
        return true;
    void *memory = mmap(NULL, (size_t)MAX_THREADS * STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    machine.stacks = memory;
    for (size_t i = 0; i < MAX_THREADS; i++)
        (void)mprotect(machine.stacks + i * STACK_BYTES, GUARD_PAGE, PROT_NONE);
    return true;
}

static bool valid(dim3 grid, dim3 block, size_t shared_bytes)
{
    const size_t n = (size_t)block.x * block.y * block.z;
    return n >= 1 && block.x <= MAX_THREADS && block.y <= MAX_THREADS && block.z <= MAX_Z && n <= MAX_THREADS &&
           grid.x >= 1 && grid.x <= INT32_MAX && grid.y >= 1 && grid.y <= MAX_GRID_YZ && grid.z >= 1 &&
           grid.z <= MAX_GRID_YZ && shared_bytes <= machine.shared_limit;
}

cudaError_t cf_emulator_launch(const void *kernel, void (*body)(void *arguments), void *arguments, dim3 grid,
                               dim3 block, size_t shared_bytes)
{
    machine.shared_limit = cf_emulator_shared_limit(kernel);
    if (!valid(grid, block, shared_bytes))
        return cudaErrorInvalidConfiguration;
    if (!have_stacks() || !shared_add(NULL, shared_bytes))
        return cudaErrorMemoryAllocation;
    machine.n_threads = block.x * block.y * block.z;
    machine.body = body;
    machine.arguments = arguments;
    machine.faulty = false;
    cf_emulator_grid_dim = grid;
    cf_emulator_block_dim = block;
    for (unsigned int z = 0; z < grid.z; z++)
        for (unsigned int y = 0; y < grid.y; y++)
            for (unsigned int x = 0; x < grid.x && !machine.faulty; x++) {
                cf_emulator_block_idx = (uint3){x, y, z};
                run_block();
            }
    shared_free();
    return machine.faulty ? cudaErrorLaunchFailure : cudaSuccess;
}
