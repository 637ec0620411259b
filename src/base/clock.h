/* clock.h - monotonic time. */
#ifndef CF_BASE_CLOCK_H
#define CF_BASE_CLOCK_H

#include <stdint.h>

int64_t cf_clock_ns(void); /* since an arbitrary start; never goes back */

#endif
