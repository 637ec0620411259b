/* run_set.c - see run_set.h. */
#include "study/run_set.h"

#include <stdlib.h>

#include "base/memory.h"

cf_status cf_run_set_open(cf_run_set *out, const cf_study_options *o, const char *default_flows,
                          const cf_text_config *text, cf_error *err)
{
    const char *flows = o->flows ? o->flows : default_flows;
    cf_run_set s = {
        .seed = o->seed, .repeats = o->repeats, .n_layers = (int32_t)text->n_layers, .n_heads = (int32_t)text->n_heads};
    const cf_run_options options = {.styles = o->styles,
                                    .n_styles = o->n_styles,
                                    .ks = o->windows,
                                    .n_ks = o->n_windows,
                                    .layer_begin = o->layer_begin,
                                    .layer_end = o->layer_end ? o->layer_end : s.n_layers,
                                    .repeats = o->repeats};
    cf_status st = CF_OK;
    void *ids = NULL, *windows = NULL;
    if (!flows) {
        *out = s;
        return CF_OK;
    }
    if (o->seed < 0)
        return cf_fail(err, CF_USAGE, "--seed %lld: expected 0 or more", (long long)o->seed);
    if (o->repeats < 1)
        return cf_fail(err, CF_USAGE, "--repeats %d: expected 1 or more", o->repeats);
    CF_TRY(cf_flows_parse(&s.flows, cf_slice_of(flows), err));
    CF_TRY(cf_flows_expand(&s.flows, s.n_layers, s.n_heads, err));
    CF_TRY(cf_run_specs_create(&s.specs, &s.flows, &options, s.n_layers, err));
    CF_TRY(cf_alloc(&ids, s.specs.n, sizeof *s.ids, "runs", err));
    s.ids = ids;
    CF_TRY(cf_alloc(&windows, (size_t)s.n_layers, sizeof *s.windows, "windows of layers", err));
    s.windows = windows;
    for (int32_t l = 0; l < s.n_layers; l++)
        s.windows[l] = (int32_t)text->layers[l].window;
    *out = s;
    s = (cf_run_set){0};
done:
    cf_run_set_close(&s);
    return st;
}

void cf_run_set_close(cf_run_set *s)
{
    cf_flows_deinit(&s->flows);
    cf_run_specs_deinit(&s->specs);
    free(s->ids);
    free(s->windows);
    *s = (cf_run_set){0};
}

/* ---- in the store ---- */

/* A flow in the store, as all of its runs share it. Zero-initialise. */
typedef struct stored_flow {
    cf_str text, heads;
} stored_flow;

static cf_status print_layers(cf_str *out, const cf_spans *layers, cf_error *err)
{
    cf_status st = cf_str_add_text(out, "", err);
    for (size_t i = 0; st == CF_OK && i < layers->n; i++)
        st = cf_str_addf(out, err, "%s%d:%d", i ? "+" : "", layers->items[i].begin, layers->items[i].end);
    return st;
}

static cf_status print_flows(stored_flow *out, const cf_flows *flows, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < flows->n; i++) {
        CF_TRY(cf_flow_print(&out[i].text, &flows->items[i], err));
        CF_TRY(cf_flow_heads(&out[i].heads, &flows->items[i], err));
    }
done:
    return st;
}

static cf_store_run stored_run(const cf_run_set *s, const cf_run_spec *spec, const stored_flow *flow,
                               const char *layers)
{
    const cf_mode mode = s->flows.items[spec->flow].mode;
    return (cf_store_run){.spec = flow->text.data,
                          .mode = cf_mode_name(mode),
                          .heads = flow->heads.data,
                          .seed = mode == CF_MODE_RANDOM ? s->seed : 0,
                          .repeat = spec->repeat,
                          .style = cf_window_style_name(spec->style),
                          .window = spec->k,
                          .centre = spec->centre,
                          .layers = layers};
}

cf_status cf_run_set_register(cf_run_set *s, cf_store *store, cf_error *err)
{
    cf_status st = CF_OK;
    void *flows = NULL, *layers = NULL, *runs = NULL;
    CF_TRY(cf_alloc(&flows, s->flows.n, sizeof(stored_flow), "flows", err));
    CF_TRY(cf_alloc(&layers, s->specs.n, sizeof(cf_str), "layers of runs", err));
    CF_TRY(cf_alloc(&runs, s->specs.n, sizeof(cf_store_run), "runs", err));
    CF_TRY(print_flows(flows, &s->flows, err));
    for (size_t i = 0; i < s->specs.n; i++) {
        const cf_run_spec *spec = &s->specs.items[i];
        cf_str *text = (cf_str *)layers + i;
        CF_TRY(print_layers(text, &spec->layers, err));
        ((cf_store_run *)runs)[i] = stored_run(s, spec, (stored_flow *)flows + spec->flow, text->data);
    }
    CF_TRY(cf_store_add_runs(store, s->ids, runs, s->specs.n, err));
done:
    for (size_t i = 0; flows && i < s->flows.n; i++) {
        cf_str_deinit(&((stored_flow *)flows)[i].text);
        cf_str_deinit(&((stored_flow *)flows)[i].heads);
    }
    for (size_t i = 0; layers && i < s->specs.n; i++)
        cf_str_deinit((cf_str *)layers + i);
    free(flows);
    free(layers);
    free(runs);
    return st;
}

/* ---- on one sample ---- */

static int32_t repeats_of(const cf_run_set *s, size_t flow)
{
    return s->flows.items[flow].mode == CF_MODE_RANDOM ? s->repeats : 1;
}

/* Fills parts flow by flow, repeat by repeat, of the flows [first, first + n); begins[i] is where those of flow first + i
 * begin. */
static cf_status make_parts(cf_sample_plan *p, size_t *begins, size_t first, size_t n, const cf_run_set *s,
                            const cf_scene *scene, int64_t row, int32_t n_after, cf_error *err)
{
    size_t n_parts = 0;
    void *memory = NULL;
    for (size_t f = 0; f < n; f++) {
        begins[f] = n_parts;
        n_parts += (size_t)repeats_of(s, first + f);
    }
    cf_status st = cf_alloc(&memory, n_parts, sizeof *p->parts, "parts of runs", err);
    if (st != CF_OK)
        return st;
    p->parts = memory;
    p->n_parts = n_parts;
    for (size_t f = 0; f < n; f++)
        for (int32_t repeat = 0; st == CF_OK && repeat < repeats_of(s, first + f); repeat++) {
            const cf_draw draw = {(uint64_t)s->seed, (uint64_t)row, repeat};
            st = cf_parts_create(&p->parts[begins[f] + (size_t)repeat], &s->flows.items[first + f], scene, n_after,
                                 s->n_heads, &draw, err);
        }
    return st;
}

cf_status cf_sample_plan_create(cf_sample_plan *out, const cf_run_set *s, const cf_scene *scene, int64_t row,
                                int32_t n_after, cf_error *err)
{
    return cf_sample_plan_create_some(out, s, 0, s->specs.n, scene, row, n_after, err);
}

cf_status cf_sample_plan_create_some(cf_sample_plan *out, const cf_run_set *s, size_t begin, size_t end,
                                     const cf_scene *scene, int64_t row, int32_t n_after, cf_error *err)
{
    const size_t first = begin < end ? s->specs.items[begin].flow : 0;
    const size_t n_flows = begin < end ? s->specs.items[end - 1].flow + 1 - first : 0;
    cf_status st = CF_OK;
    cf_sample_plan p = {0};
    void *begins = NULL, *runs = NULL;
    const cf_groups *groups = scene->groups;
    const cf_sight sight = {.window = s->windows, .blocks = groups->blocks, .n_blocks = groups->n_blocks};
    CF_TRY(cf_alloc(&begins, n_flows, sizeof(size_t), "parts of runs", err));
    CF_TRY(make_parts(&p, begins, first, n_flows, s, scene, row, n_after, err));
    CF_TRY(cf_alloc(&runs, end - begin, sizeof *p.runs, "runs of a sample", err));
    p.runs = runs;
    for (size_t i = begin; i < end; i++) {
        const cf_run_spec *spec = &s->specs.items[i];
        const size_t at = ((const size_t *)begins)[spec->flow - first] + (size_t)spec->repeat;
        p.runs[i - begin] = (cf_plan_run){&p.parts[at], &spec->layers};
    }
    CF_TRY(
        cf_plan_create(&p.plan, p.runs, end - begin, groups->length + n_after, s->n_layers, s->n_heads, &sight, err));
    *out = p;
    p = (cf_sample_plan){0};
done:
    free(begins);
    cf_sample_plan_deinit(&p);
    return st;
}

void cf_sample_plan_deinit(cf_sample_plan *p)
{
    for (size_t i = 0; i < p->n_parts; i++)
        cf_parts_deinit(&p->parts[i]);
    free(p->parts);
    free(p->runs);
    cf_plan_free(p->plan);
    *p = (cf_sample_plan){0};
}
