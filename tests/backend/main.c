/* main.c - runs the conformance tests of src/backend: what does not depend on the compute dtype once, the rest on every device in every dtype that it multiplies.
 * CF_TEST_DEVICE=cuda:0 runs them on that device alone, which must then be there. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

static int run(const char *device, cf_dtype compute)
{
    fixture f;
    fixture_open(&f, device, compute);
    (void)printf("%s\n", cf_backend_describe(f.two));
    const int failed = test_products(&f) + test_rows(&f) + test_attention(&f) + test_attention_exact(&f) +
                       test_sequences(&f) + test_accelerator(&f);
    fixture_close(&f);
    return failed;
}

/* Thinned out, for an emulated device, it goes without bf16, which is f16 with other roundings; kernels have tests of their own in it. */
static int run_cuda(const char *device)
{
    return run(device, CF_F32) + run(device, CF_F16) + (getenv("CF_TEST_THIN") ? 0 : run(device, CF_BF16));
}

/* Why the device cannot be used, or nothing. */
static void find_fault(cf_error *why, const char *device)
{
    cf_backend *be = NULL;
    if (cf_backend_open(&be, device, &(cf_backend_options){.compute = CF_F32}, why) == CF_OK)
        why->text[0] = '\0';
    cf_backend_close(be);
}

static int run_everywhere(void)
{
    int failed = test_open() + test_oracle() + test_kernels() + test_plugin() + run("cpu", CF_F32);
    if (cf_backend_has_bf16("cpu"))
        failed += run("cpu", CF_BF16);
    else
        (void)printf("[  SKIPPED ] products, rows, attention in bf16: this processor does not multiply bf16\n");
    cf_error why = {0};
    find_fault(&why, "cuda:0");
    if (why.text[0])
        (void)printf("[  SKIPPED ] products, rows, attention on cuda:0: %s\n", why.text);
    else
        failed += run_cuda("cuda:0");
    return failed;
}

int main(void)
{
    const char *device = getenv("CF_TEST_DEVICE");
    return device ? run_cuda(device) : run_everywhere();
}
