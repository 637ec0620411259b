/* part_words.c - see part_words.h. */
#include <stdio.h>
#include <stdlib.h>

#include "test_knockout.h"

#include "part_words.h"

cf_parts parts_of(const run_words *run)
{
    cf_parts p = {.empty_group = run->empty_group, .too_few_keys = run->too_few_keys};
    p.items = calloc(MAX_PARTS, sizeof *p.items);
    assert_non_null(p.items);
    for (p.cap = MAX_PARTS; p.n < MAX_PARTS && run->parts[p.n].query; p.n++) {
        const part_words *w = &run->parts[p.n];
        cf_part *part = &p.items[p.n];
        *part = (cf_part){.kind = w->kind, .query = spans_of(w->query)};
        if (w->kind == CF_PART_CUT)
            part->key = spans_of(w->key);
        if (w->layers)
            part->layers = spans_of(w->layers);
        if (w->heads) {
            part->heads = malloc(sizeof *part->heads);
            assert_non_null(part->heads);
            *part->heads = w->heads;
            part->n_head_words = 1;
        }
    }
    return p;
}

cf_plan *plan_of_words(const run_words *runs, size_t n, int32_t length, int32_t n_layers, const cf_sight *sight)
{
    cf_parts parts[MAX_RUNS];
    cf_spans windows[MAX_RUNS];
    cf_plan_run plan_runs[MAX_RUNS];
    cf_plan *p = NULL;
    assert_in_range(n, 1, MAX_RUNS);
    for (size_t i = 0; i < n; i++) {
        parts[i] = parts_of(&runs[i]);
        windows[i] = spans_of(runs[i].window);
        plan_runs[i] = (cf_plan_run){&parts[i], &windows[i]};
    }
    OK(cf_plan_create(&p, plan_runs, n, length, n_layers, 3, sight, &err));
    for (size_t i = 0; i < n; i++) {
        cf_parts_deinit(&parts[i]);
        cf_spans_deinit(&windows[i]);
    }
    return p;
}

void check_nodes(const cf_plan *p, const char *const *expected, size_t n)
{
    char line[96], word[32];
    assert_int_equal(p->n_nodes, n);
    for (size_t i = 0; i < n; i++) {
        const cf_node *node = &p->nodes[i];
        word_of(word, &node->fresh, p->length);
        (void)snprintf(line, sizeof line, "%d:%d:%d:%d:%s", node->layer, node->parent, node->action, node->restart,
                       word);
        assert_string_equal(line, expected[i]);
    }
}
