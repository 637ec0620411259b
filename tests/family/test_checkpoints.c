/* test_checkpoints.c - LLaVA-1.5 and LLaVA-NeXT with decoders as Llama 2's, Llama 3's and Mistral's: every stage against
 * transformers, for pictures of 1 x 1, 37 x 1000, 1000 x 37, 672 x 336 and one of the demo. */
#include <stdio.h>

#include "family_check.h"

static void check_family(const char *family, int n_layers)
{
    static const char *const devices[] = {"cpu", "ref"};
    for (int i = 1; i <= 3; i++)
        for (size_t d = 0; d < (i == 1 ? COUNT(devices) : 1); d++) { /* ref, slow and simple: one of each */
            char name[64], folder[128];
            family_found f;
            (void)snprintf(name, sizeof name, "%s-%d", family, i);
            (void)snprintf(folder, sizeof folder, FAMILY "/%s", name);
            family_check(&f, &(family_case){.golden = name, .folder = folder, .device = devices[d]});
            print_message(
                "  %s on %s: picture %.1e, hidden states %.1e, logits %.1e of the largest; %lld probabilities "
                "%.1e\n",
                name, devices[d], f.features, f.hidden, f.logits, (long long)f.n_probabilities, f.probability);
            assert_int_equal(f.n_samples, 5);
            assert_int_equal(f.n_recomputed, d == 0 ? 0 : 5 * N_FLOWS);
            assert_int_equal(f.ids + f.pixels + f.layout + f.groups + f.answers, 0);
            assert_true(family_holds(&f));
            n_layers -= d == 0 ? (int)(f.n_probabilities / (5 * N_FLOWS)) : 0;
        }
    assert_int_equal(n_layers, 0); /* every flow of every sample at every centre */
}

static void llava_with_llama_2_agrees(void **state)
{
    (void)state;
    check_family("llava-llama2", 3 + 4 + 3);
}

static void llava_with_llama_3_agrees(void **state)
{
    (void)state;
    check_family("llava-llama3", 3 + 4 + 2);
}

static void llava_next_with_llama_2_agrees(void **state)
{
    (void)state;
    check_family("next-llama2", 3 + 4 + 3);
}

static void llava_next_with_llama_3_agrees(void **state)
{
    (void)state;
    check_family("next-llama3", 3 + 4 + 2);
}

/* 1: sliding attention in all layers; 2: in some; 3: a window of null, in none. */
static void llava_next_with_mistral_agrees(void **state)
{
    (void)state;
    check_family("next-mistral", 3 + 4 + 3);
}

int test_checkpoints(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llava_with_llama_2_agrees),      cmocka_unit_test(llava_with_llama_3_agrees),
        cmocka_unit_test(llava_next_with_llama_2_agrees), cmocka_unit_test(llava_next_with_llama_3_agrees),
        cmocka_unit_test(llava_next_with_mistral_agrees),
    };
    return cmocka_run_group_tests_name("checkpoints", tests, NULL, NULL);
}
