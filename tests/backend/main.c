/* main.c - runs the conformance tests of src/backend: what does not depend on the compute dtype once, the rest in f32 and in bf16. */
#include "fixture.h"

#include <stdio.h>

int main(void)
{
    int failed = test_open() + test_oracle() + test_kernels();
    static const cf_dtype computes[] = {CF_F32, CF_BF16};
    for (int64_t i = 0; i < COUNT(computes); i++) {
        if (computes[i] == CF_BF16 && !cf_backend_has_bf16("cpu")) {
            (void)printf("[  SKIPPED ] products, rows, attention in bf16: this processor does not multiply bf16\n");
            continue;
        }
        fixture f;
        fixture_open(&f, computes[i]);
        (void)printf("%s\n", cf_backend_describe(f.two));
        failed += test_products(&f) + test_rows(&f) + test_attention(&f) + test_attention_exact(&f);
        fixture_close(&f);
    }
    return failed;
}
