/* cuda.c - the cuda backend: devices, opening and closing, tensors, the table of operations, and the plug-in's one
 * exported symbol. Products are in cuda_product.c, operations on rows in cuda_rows.c and rows.cu, attention in
 * cuda_attention.c, attention_plan.c and attention.cu. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/cuda/cublaslt_load.h"
#include "backend/cuda/cuda_internal.h"
#include "backend/plugin.h"

enum { LEAST_CAPABILITY = 80, MAX_COPY_THREADS = 16 }; /* more threads than this do not copy faster */

/* CUDA's own form of a version: 12040 is 12.4. */
static int major_of(int version)
{
    return version / 1000;
}

static int minor_of(int version)
{
    return version % 1000 / 10;
}

cf_status cf_cuda_check(cf_error *err, cudaError_t code, const char *what)
{
    int ordinal = 0;
    if (code == cudaSuccess)
        return CF_OK;
    (void)cudaGetDevice(&ordinal);
    return cf_fail(err, code == cudaErrorMemoryAllocation ? CF_NOMEM : CF_DEVICE, "cuda:%d: %s: %s (%s)", ordinal, what,
                   cudaGetErrorString(code), cudaGetErrorName(code));
}

/* ---- devices ---- */

static cf_status count_devices(int *n, cf_error *err)
{
    int driver = 0, runtime = 0;
    const cudaError_t code = cudaGetDeviceCount(n);
    if (code == cudaSuccess && *n > 0)
        return CF_OK;
    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    if (code == cudaSuccess || code == cudaErrorNoDevice)
        return cf_fail(err, CF_DEVICE, "cuda: the driver sees no device (it may use those in CUDA_VISIBLE_DEVICES)");
    if (code == cudaErrorInsufficientDriver && driver == 0)
        return cf_fail(err, CF_DEVICE, "cuda: there is no NVIDIA driver on this machine (libcuda.so.1)");
    if (code == cudaErrorInsufficientDriver)
        return cf_fail(err, CF_DEVICE,
                       "cuda: the NVIDIA driver is too old: it is made for CUDA %d.%d, this build for %d.%d",
                       major_of(driver), minor_of(driver), major_of(runtime), minor_of(runtime));
    return cf_fail(err, CF_DEVICE, "cuda: devices cannot be counted: %s (%s)", cudaGetErrorString(code),
                   cudaGetErrorName(code));
}

static cf_status find_device(struct cudaDeviceProp *out, int ordinal, cf_error *err)
{
    int n = 0;
    cf_status st = count_devices(&n, err);
    if (st != CF_OK)
        return st;
    if (ordinal >= n)
        return cf_fail(err, CF_DEVICE, "cuda:%d: no such device: there %s %d, numbered from 0", ordinal,
                       n == 1 ? "is" : "are", n);
    st = cf_cuda_check(err, cudaGetDeviceProperties(out, ordinal), "a device's properties");
    if (st == CF_OK && out->major * 10 + out->minor < LEAST_CAPABILITY)
        st = cf_fail(err, CF_UNSUPPORTED, "cuda:%d: %s has compute capability %d.%d: expected %d.%d or more", ordinal,
                     out->name, out->major, out->minor, LEAST_CAPABILITY / 10, LEAST_CAPABILITY % 10);
    return st;
}

static cf_status memory(int64_t *bytes, int ordinal, cf_error *err)
{
    struct cudaDeviceProp p;
    const cf_status st = find_device(&p, ordinal, err);
    if (st == CF_OK)
        *bytes = (int64_t)p.totalGlobalMem;
    return st;
}

/* ", driver 13.0, runtime 13.0, cuBLASLt 130000", or why there is no cuBLASLt. */
static cf_status add_versions(cf_str *out, cf_error *err)
{
    int driver = 0, runtime = 0;
    cf_lt_api lt;
    cf_error why = {0};
    cf_status st = CF_OK;
    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    CF_TRY(cf_str_addf(out, err, ", driver for CUDA %d.%d, runtime %d.%d", major_of(driver), minor_of(driver),
                       major_of(runtime), minor_of(runtime)));
    if (cf_lt_load(&lt, &why) == CF_OK)
        CF_TRY(cf_str_addf(out, err, ", cuBLASLt %zu", lt.GetVersion()));
    else
        CF_TRY(cf_str_addf(out, err, "; %s", why.text));
done:
    return st;
}

static cf_status list(cf_str *out, cf_error *err)
{
    int n = 0;
    cf_status st = CF_OK;
    CF_TRY(count_devices(&n, err));
    for (int i = 0; i < n; i++) {
        struct cudaDeviceProp p;
        char name[32];
        cf_error why = {0};
        (void)snprintf(name, sizeof name, "cuda:%d", i);
        if (find_device(&p, i, &why) != CF_OK) {
            CF_TRY(cf_str_addf(out, err, "%-10s cannot be used: %s\n", name, why.text));
            continue;
        }
        CF_TRY(cf_str_addf(out, err, "%-10s products in f32, f16 and bf16; %s, %.0f MiB, compute capability %d.%d",
                           name, p.name, (double)p.totalGlobalMem / (1024 * 1024), p.major, p.minor));
        CF_TRY(add_versions(out, err));
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
done:
    return st;
}

/* ---- the backend ---- */

static bool multiplies(cf_dtype compute)
{
    return compute == CF_F32 || compute == CF_F16 || compute == CF_BF16;
}

static bool takes_values(const cf_backend *be, cf_dtype dtype)
{
    return dtype == CF_F32 || dtype == be->compute;
}

static void cuda_close(cf_backend *be)
{
    cf_cuda *cuda = (cf_cuda *)be;
    (void)cudaSetDevice(cuda->ordinal);
    cf_cuda_attention_close(cuda);
    cf_cuda_products_close(cuda->products);
    cf_cuda_rings_close(cuda);
    if (cuda->copy)
        (void)cudaStreamDestroy(cuda->copy);
    if (cuda->work)
        (void)cudaStreamDestroy(cuda->work);
    free(cuda);
}

static cf_status cuda_open(cf_backend **out, const cf_backend_options *options, cf_error *err)
{
    struct cudaDeviceProp p;
    int driver = 0, runtime = 0;
    cf_status st = find_device(&p, options->ordinal, err);
    if (st != CF_OK)
        return st;
    cf_cuda *cuda = calloc(1, sizeof *cuda);
    if (!cuda)
        return cf_fail(err, CF_NOMEM, "no memory for the cuda backend");
    const int most = omp_get_num_procs() < MAX_COPY_THREADS ? omp_get_num_procs() : MAX_COPY_THREADS;
    cuda->base.ops = &cf_backend_cuda;
    cuda->base.compute = options->compute;
    cuda->base.n_threads = options->n_threads > 0 && options->n_threads < most ? options->n_threads : most;
    cuda->ordinal = options->ordinal;
    cuda->last = "opening the device";
    CF_TRY(cf_cuda_check(err, cudaSetDevice(cuda->ordinal), "the device"));
    CF_TRY(cf_cuda_check(err, cudaStreamCreateWithFlags(&cuda->work, cudaStreamNonBlocking), "a stream"));
    CF_TRY(cf_cuda_check(err, cudaStreamCreateWithFlags(&cuda->copy, cudaStreamNonBlocking), "a stream"));
    CF_TRY(cf_cuda_rings_open(cuda, err));
    CF_TRY(cf_cuda_products_open(&cuda->products, cuda, err));
    CF_TRY(cf_cuda_attention_open(&cuda->attention, err));
    (void)cudaDriverGetVersion(&driver);
    (void)cudaRuntimeGetVersion(&runtime);
    (void)snprintf(cuda->base.describe, sizeof cuda->base.describe,
                   "cuda:%d, %.40s (sm_%d%d), driver for CUDA %d.%d, runtime %d.%d, cuBLASLt %zu, %s products",
                   cuda->ordinal, p.name, p.major, p.minor, major_of(driver), minor_of(driver), major_of(runtime),
                   minor_of(runtime), cf_cuda_products_version(cuda->products), cf_dtype_name(options->compute));
    *out = &cuda->base;
    cuda = NULL;
done:
    if (cuda)
        cuda_close(&cuda->base);
    return st;
}

cf_status cf_cuda_enter(cf_cuda **out, cf_backend *be, const char *what, cf_error *err)
{
    cf_cuda *cuda = (cf_cuda *)be;
    const cf_status st = cf_cuda_check(err, cudaSetDevice(cuda->ordinal), "the device");
    if (st != CF_OK)
        return st;
    cf_cuda_stage_begin(cuda);
    if (what)
        cuda->last = what;
    *out = cuda;
    return CF_OK;
}

/* ---- tensors ---- */

static cf_status alloc(cf_backend *be, cf_tensor *out, cf_dtype dtype, int64_t rows, int64_t cols, cf_error *err)
{
    cf_cuda *cuda = NULL;
    void *data = NULL;
    cf_status st = CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, NULL, err));
    CF_TRY(cf_cuda_malloc(cuda, &data, (size_t)rows * (size_t)cols * cf_dtype_bytes(dtype), "a tensor", err));
    *out = cf_tensor_2d(data, dtype, rows, cols);
done:
    return st;
}

static void release(cf_backend *be, cf_tensor *t)
{
    cf_cuda_free((cf_cuda *)be, t->data);
}

static cf_status upload(cf_backend *be, cf_tensor *dst, const void *src, cf_error *err)
{
    cf_cuda *cuda = NULL;
    const size_t bytes = (size_t)cf_tensor_count(dst) * cf_dtype_bytes(dst->dtype);
    const cf_status st = cf_cuda_enter(&cuda, be, NULL, err);
    return st == CF_OK ? cf_cuda_send_bytes(cuda, cuda->work, dst->data, src, bytes, err) : st;
}

static cf_status download(cf_backend *be, void *dst, const cf_tensor *src, cf_error *err)
{
    cf_cuda *cuda = NULL;
    const size_t bytes = (size_t)cf_tensor_count(src) * cf_dtype_bytes(src->dtype);
    const cf_status st = cf_cuda_enter(&cuda, be, NULL, err);
    return st == CF_OK ? cf_cuda_receive(cuda, dst, src->data, bytes, err) : st;
}

const cf_backend_ops cf_backend_cuda = {
    .name = "cuda",
    .multiplies = multiplies,
    .takes_values = takes_values,
    .open = cuda_open,
    .close = cuda_close,
    .alloc = alloc,
    .release = release,
    .upload = upload,
    .download = download,
    .weight_create = cf_cuda_weight_create,
    .weight_fill = cf_cuda_weight_fill,
    .weight_free = cf_cuda_weight_free,
    .weight_shape = cf_cuda_weight_shape,
    .kv_create = cf_cuda_op_kv_create,
    .kv_free = cf_cuda_op_kv_free,
    .linear = cf_cuda_linear,
    .gather = cf_cuda_op_gather,
    .scatter = cf_cuda_op_scatter,
    .rms_norm = cf_cuda_op_rms_norm,
    .layer_norm = cf_cuda_op_layer_norm,
    .rope = cf_cuda_op_rope,
    .activate = cf_cuda_op_activate,
    .kv_put = cf_cuda_op_kv_put,
    .kv_copy = cf_cuda_op_kv_copy,
    .attention = cf_cuda_op_attention,
};

__attribute__((visibility("default"))) extern const cf_plugin cf_plugin_cuda;
const cf_plugin cf_plugin_cuda = {
    .ops_bytes = sizeof(cf_backend_ops),
    .backend_bytes = sizeof(cf_backend),
    .version = CF_PLUGIN_VERSION,
    .ops = &cf_backend_cuda,
    .memory = memory,
    .list = list,
};
