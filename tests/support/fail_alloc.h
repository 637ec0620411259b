/* fail_alloc.h - makes one chosen allocation of a test program fail.
 *
 * Works through the linker's --wrap (support.cmake, target cf_fail_alloc): it sees malloc, calloc, realloc and aligned_alloc
 * of everything linked statically, crossflow and the test itself; shared libraries keep their own. Single-threaded tests only.
 *
 *     for (int64_t n = 1;; n++) {
 *         fail_alloc_at(n);
 *         st = cf_thing_open(&thing, ...);
 *         if (!fail_alloc_off())
 *             break;                       // allocation n was never reached: st is the result without a fault
 *         assert_int_equal(st, CF_NOMEM);
 *     } */
#ifndef CF_TESTS_FAIL_ALLOC_H
#define CF_TESTS_FAIL_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

/* The nth allocation from now on returns NULL (1: the next), once. */
void fail_alloc_at(int64_t nth);
/* No more failures; true where one has happened since fail_alloc_at. */
bool fail_alloc_off(void);

#endif
