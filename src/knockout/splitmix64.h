/* splitmix64.h - a 64-bit generator and its output function (Steele, Lea and Flood, OOPSLA 2014): random controls draw
 * from it, tables are keyed by it. */
#ifndef CF_KNOCKOUT_SPLITMIX64_H
#define CF_KNOCKOUT_SPLITMIX64_H

#include <stdint.h>

static inline uint64_t cf_splitmix64_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The first number from the state x. */
static inline uint64_t cf_splitmix64_mix(uint64_t x)
{
    return cf_splitmix64_next(&x);
}

#endif
