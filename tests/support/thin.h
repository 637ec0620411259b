/* thin.h - sanitizers cost a factor of several: where THIN, tests of many samples and runs take fewer, and say so. */
#ifndef CF_TESTS_THIN_H
#define CF_TESTS_THIN_H

#if defined(__SANITIZE_ADDRESS__)
enum { THIN = 1 };
#elif defined(__has_feature)
enum { THIN = __has_feature(address_sanitizer) };
#else
enum { THIN = 0 };
#endif

#endif
