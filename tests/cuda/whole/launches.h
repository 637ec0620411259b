/* launches.h - stands before each file of the plug-in's host code in its emulated build: a kernel runs when it is launched, so what stands before it in its stream is done first. */
#ifndef CF_TESTS_CUDA_WHOLE_LAUNCHES_H
#define CF_TESTS_CUDA_WHOLE_LAUNCHES_H

#include "backend/cuda/attention.h"
#include "backend/cuda/rows.h"
#include "cuda/whole/cuda_runtime_api.h"

#define CF_WHOLE(launch, stream, ...) (cf_whole_run(stream), launch(stream, __VA_ARGS__))
#define cf_cuda_gather(stream, ...) CF_WHOLE(cf_cuda_gather, stream, __VA_ARGS__)
#define cf_cuda_scatter(stream, ...) CF_WHOLE(cf_cuda_scatter, stream, __VA_ARGS__)
#define cf_cuda_rms_norm(stream, ...) CF_WHOLE(cf_cuda_rms_norm, stream, __VA_ARGS__)
#define cf_cuda_layer_norm(stream, ...) CF_WHOLE(cf_cuda_layer_norm, stream, __VA_ARGS__)
#define cf_cuda_rope(stream, ...) CF_WHOLE(cf_cuda_rope, stream, __VA_ARGS__)
#define cf_cuda_activate(stream, ...) CF_WHOLE(cf_cuda_activate, stream, __VA_ARGS__)
#define cf_cuda_convert(stream, ...) CF_WHOLE(cf_cuda_convert, stream, __VA_ARGS__)
#define cf_cuda_kv_put(stream, ...) CF_WHOLE(cf_cuda_kv_put, stream, __VA_ARGS__)
#define cf_cuda_attend(stream, ...) CF_WHOLE(cf_cuda_attend, stream, __VA_ARGS__)

#endif
