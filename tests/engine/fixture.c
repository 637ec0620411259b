/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

void fixture_open(fixture *f)
{
    const char *named = getenv("CF_TEST_DEVICE"), *device = named ? named : "cpu";
    *f = (fixture){.demo_f32 = model_open(DEMO_MODEL, device, CF_F32, 2),
                   .bites_f32 = model_open(BITES_MODEL, device, CF_F32, 2),
                   .bites_one_thread = model_open(BITES_MODEL, device, CF_F32, 1),
                   .bites_ref = model_open(BITES_MODEL, "ref", CF_F32, 1)};
    if (cf_backend_has_bf16(device)) {
        f->demo_bf16 = model_open(DEMO_MODEL, device, CF_BF16, 2);
        f->bites_bf16 = model_open(BITES_MODEL, device, CF_BF16, 2);
    }
    samples_open(&f->demo, "demo", "tests/engine/golden/demo.json", "tests/model/golden/demo.safetensors", DEMO_MODEL,
                 f->demo_f32.model, THIN ? 3 : 36);
    samples_open(&f->bites, "bites", "tests/engine/golden/bites.json", "tests/engine/golden/bites.safetensors",
                 BITES_MODEL, f->bites_f32.model, THIN ? 2 : 4);
    flow_golden_open(&f->flows_bites, "bites", "tests/engine/golden/flows_bites.json", BITES_MODEL, f->bites_f32.model,
                     THIN ? 3 : 10);
    flow_golden_open(&f->flows_demo, "demo", "tests/engine/golden/flows_demo.json", DEMO_MODEL, f->demo_f32.model,
                     THIN ? 1 : 10);
    (void)printf("%s; %zu samples of demo, %zu of bites%s\n", cf_backend_describe(f->demo_f32.be), f->demo.n,
                 f->bites.n, THIN ? " (thinned out under sanitizers)" : "");
}

void fixture_close(fixture *f)
{
    samples_close(&f->demo);
    samples_close(&f->bites);
    flow_golden_close(&f->flows_bites);
    flow_golden_close(&f->flows_demo);
    loaded_model *models[] = {&f->demo_f32,  &f->bites_f32, &f->bites_one_thread,
                              &f->bites_ref, &f->demo_bf16, &f->bites_bf16};
    for (size_t i = 0; i < COUNT(models); i++)
        if (models[i]->model)
            model_close(models[i]);
}

bool not_exact_here(const loaded_model *m, const char *what)
{
    if (m->model && model_is_row_invariant(m))
        return false;
    print_message("  NOT TESTED for %s: %s\n", what,
                  m->model ? "products are not row-invariant here" : "this processor does not multiply bf16");
    return true;
}
