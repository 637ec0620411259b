/* emulated_backend.h - memory, stored keys and attention of the CUDA backend over the emulator, as a cf_backend: so that
 * attention is called here as the engine calls it. */
#ifndef CF_TESTS_CUDA_EMULATED_BACKEND_H
#define CF_TESTS_CUDA_EMULATED_BACKEND_H

#include "backend/backend.h"

/* Ends the program where memory is short; operations not named above are not there. Close with cf_backend_close. */
cf_backend *emulated_backend_open(cf_dtype compute);

#endif
