/* sanitizer.h - AddressSanitizer's marking of memory that must not be touched; nothing in other builds. */
#ifndef CF_TESTS_CUDA_EMULATOR_SANITIZER_H
#define CF_TESTS_CUDA_EMULATOR_SANITIZER_H

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define CF_FORBID(memory, bytes) ASAN_POISON_MEMORY_REGION((memory), (bytes))
#define CF_PERMIT(memory, bytes) ASAN_UNPOISON_MEMORY_REGION((memory), (bytes))
#else
#define CF_FORBID(memory, bytes) ((void)(memory), (void)(bytes))
#define CF_PERMIT(memory, bytes) ((void)(memory), (void)(bytes))
#endif

#endif
