/* fiber.h - a thread of control that runs until it hands over to another by name. Owns the switch, not the stacks.
 *
 * A kernel's emulated threads switch at every shuffle, millions of times a test, and ucontext asks the operating system each time: on x86-64 the switch is therefore
 * written out (System V ABI: the callee-saved registers and the stack pointer are the whole state); elsewhere it is ucontext. AddressSanitizer is told of every switch, so
 * that it knows whose stack is whose. */
#ifndef CF_TESTS_CUDA_EMULATOR_FIBER_H
#define CF_TESTS_CUDA_EMULATOR_FIBER_H

#include <stddef.h>

#ifndef __x86_64__
#include <ucontext.h>
#endif

typedef struct cf_fiber {
#ifdef __x86_64__
    void *sp;
#else
    ucontext_t context;
#endif
    const void *stack; /* bounds, for AddressSanitizer */
    size_t stack_bytes;
    void *fake_stack; /* AddressSanitizer's own */
} cf_fiber;

/* Makes a fiber that runs entry() on this stack when first switched to. entry must never return: it ends by a last switch away. */
void cf_fiber_init(cf_fiber *fiber, void *stack, size_t stack_bytes, void (*entry)(void));
/* Saves the caller as `from` and goes on as `to`. */
void cf_fiber_switch(cf_fiber *from, cf_fiber *to);
/* The first thing that entry() does: `from` is the fiber it was switched to from. */
void cf_fiber_entered(cf_fiber *from);

#endif
