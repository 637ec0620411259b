/* cublaslt_load.h - cuBLASLt at run time: the library is part of a CUDA installation, not of crossflow. */
#ifndef CF_BACKEND_CUDA_CUBLASLT_LOAD_H
#define CF_BACKEND_CUDA_CUBLASLT_LOAD_H

#include "backend/cuda/cublaslt_api.h"
#include "base/error.h"

/* Loads libcublasLt.so.13 or .12, wherever the system's loader finds one (LD_LIBRARY_PATH included), and every function
 * of the table. It stays loaded. CF_UNSUPPORTED where there is none, CF_MISMATCH where a function is missing. */
CF_MUST_USE cf_status cf_lt_load(cf_lt_api *out, cf_error *err);

#endif
