/* fiber.c - see fiber.h. */
#include "cuda/emulator/fiber.h"

#include <stdint.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define SWITCH_BEGINS(from, to) __sanitizer_start_switch_fiber(&(from)->fake_stack, (to)->stack, (to)->stack_bytes)
#define SWITCH_ENDED(self, old, bytes) __sanitizer_finish_switch_fiber((self), (old), (bytes))
#else
#define SWITCH_BEGINS(from, to) ((void)0)
#define SWITCH_ENDED(self, old, bytes) ((void)0)
#endif

#ifdef __x86_64__

/* Pushes what a callee must keep, changes stacks, pops the same of the other fiber and returns into it. */
void cf_fiber_swap(void **save_sp, void *load_sp);
__asm__(".text\n"
        ".globl cf_fiber_swap\n"
        ".type cf_fiber_swap,@function\n"
        "cf_fiber_swap:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size cf_fiber_swap,.-cf_fiber_swap\n");

static void prepare(cf_fiber *fiber, void *stack, size_t stack_bytes, void (*entry)(void))
{
    enum { KEPT = 6 };
    uintptr_t top = ((uintptr_t)stack + stack_bytes) & ~(uintptr_t)15;
    void **sp = (void **)top - (KEPT + 2); /* six registers, entry as the return address, and none for entry's own */
    memset(sp, 0, (KEPT + 2) * sizeof *sp);
    sp[KEPT] = (void *)(uintptr_t)entry;
    fiber->sp = sp;
}

static void swap(cf_fiber *from, cf_fiber *to)
{
    cf_fiber_swap(&from->sp, to->sp);
}

#else

static void prepare(cf_fiber *fiber, void *stack, size_t stack_bytes, void (*entry)(void))
{
    (void)getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack;
    fiber->context.uc_stack.ss_size = stack_bytes;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, entry, 0);
}

static void swap(cf_fiber *from, cf_fiber *to)
{
    (void)swapcontext(&from->context, &to->context);
}

#endif

void cf_fiber_init(cf_fiber *fiber, void *stack, size_t stack_bytes, void (*entry)(void))
{
    fiber->stack = stack;
    fiber->stack_bytes = stack_bytes;
    fiber->fake_stack = NULL;
    prepare(fiber, stack, stack_bytes, entry);
}

void cf_fiber_switch(cf_fiber *from, cf_fiber *to)
{
    SWITCH_BEGINS(from, to);
    swap(from, to);
    SWITCH_ENDED(from->fake_stack, NULL, NULL);
}

void cf_fiber_entered(cf_fiber *from)
{
    (void)from;
    SWITCH_ENDED(NULL, &from->stack, &from->stack_bytes);
}
