/* map_cost.c - what a map will take: the runs of the first question that can be used are planned as the map would plan
 * them, and one product of the model's largest kind is timed (info.h). Attention and everything else are left out, which
 * the text says. */
#include "study/info.h"
#include "study/map_open.h"
#include "study/map_study.h"
#include "study/run_chunks.h"

static cf_status add_cells(cf_str *out, const cf_map_opened *m, const cf_run_set *runs, cf_error *err)
{
    cf_status st = CF_OK;
    const char *of = m->map.kind == CF_MAP_HEADS ? "heads" : m->map.tile > 1 ? "squares" : "patches";
    CF_TRY(cf_str_addf(out, err, "map            %s, %s: %zu ", cf_map_kind_name(m->map.kind),
                       m->map.kind == CF_MAP_HEADS ? m->map.flow : m->map.to, runs->flows.n));
    if (m->map.kind == CF_MAP_TOKENS)
        CF_TRY(cf_str_addf(out, err, "pairs of a token (%d) and %s", m->extent.n_tokens, of));
    else
        CF_TRY(cf_str_addf(out, err, "%s x %zu layers", of, runs->specs.n / runs->flows.n));
    if (m->map.grids)
        CF_TRY(cf_str_addf(out, err, "; %s", m->map.grids));
    CF_TRY(cf_str_addf(out, err, "\nruns           %zu a question, %zu in all\n", runs->specs.n,
                       runs->specs.n * m->list.n_items));
done:
    return st;
}

static cf_status add_work(cf_str *out, const cf_map_opened *m, const cf_run_set *runs, double macs_per_second,
                          cf_error *err)
{
    const cf_text_config *t = &cf_checkpoint_config(m->runtime.checkpoint)->text;
    const cf_scene scene = cf_prepared_scene(&m->first, &m->runtime, &m->picture);
    cf_status st = CF_OK;
    cf_run_chunks chunks = {0};
    CF_TRY(cf_run_chunks_make(&chunks, runs, &scene, m->first_row, 0, err));
    const double base = (double)m->first.groups.length * (double)t->n_layers, sweep = (double)chunks.row_layers;
    const double plain = ((double)runs->specs.n + 1) * base, n = (double)m->list.n_items;
    const double seconds = (base + sweep) * cf_info_row_macs(t) / macs_per_second;
    CF_TRY(cf_str_addf(out, err,
                       "row-layers     %.0f a question (baseline %.0f, sweep %.0f, in %zu portions); one pass per run "
                       "would take %.0f, %.1f times as many\n",
                       base + sweep, base, sweep, chunks.n, plain, plain / (base + sweep)));
    CF_TRY(cf_str_addf(out, err,
                       "time           about %.1f s a question, %.1f s in all, in matrix products alone (%.0f GFLOP/s "
                       "measured)\n",
                       seconds, seconds * n, 2e-9 * macs_per_second));
done:
    cf_run_chunks_deinit(&chunks);
    return st;
}

cf_status cf_map_cost(cf_str *out, const cf_study_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_map_opened m = {0};
    cf_run_set runs = {0};
    cf_dtype dtype = CF_F32;
    double macs_per_second = 0;
    CF_TRY(cf_map_open(&m, o, err));
    CF_TRY(cf_run_set_open(&runs, &m.options, NULL, &cf_checkpoint_config(m.runtime.checkpoint)->text, err));
    CF_TRY(cf_runtime_dtype(&dtype, &m.runtime, &o->runtime, err));
    CF_TRY(cf_info_speed(&macs_per_second, &m.runtime, o, dtype, err));
    CF_TRY(add_cells(out, &m, &runs, err));
    CF_TRY(add_work(out, &m, &runs, macs_per_second, err));
done:
    cf_run_set_close(&runs);
    cf_map_close(&m);
    return st;
}
