/* info.c - see info.h. The forecast takes one question as typical (the first whose picture and boxes can be used),
 * plans it as a study would, and times one product of the model's largest kind; attention and everything else are left
 * out, which the text says. */
#include "study/info.h"

#include <stdlib.h>

#include "base/clock.h"
#include "study/prepare.h"
#include "study/question_list.h"
#include "study/run_set.h"

enum { TIMED_ROWS = 256, TIMED_REPEATS = 5 };

static const double mib = 1.0 / (1024 * 1024);

static cf_status add_model(cf_str *out, const cf_runtime *r, const cf_study_options *o, cf_dtype dtype, cf_error *err)
{
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    cf_status st = CF_OK;
    CF_TRY(cf_str_addf(out, err, "model          %s (%s)\n", o->runtime.model, c->model_type));
    CF_TRY(cf_str_addf(out, err, "parameters     %.1f M, %.1f MiB in the files\n",
                       (double)cf_checkpoint_n_parameters(r->checkpoint) * 1e-6,
                       (double)cf_checkpoint_weight_bytes(r->checkpoint) * mib));
    CF_TRY(cf_str_addf(out, err,
                       "decoder        %lld layers, width %lld, %lld heads of %lld (%lld kv), mlp %lld, vocabulary "
                       "%lld, %lld positions\n",
                       (long long)c->text.n_layers, (long long)c->text.hidden_size, (long long)c->text.n_heads,
                       (long long)c->text.head_dim, (long long)c->text.n_kv_heads, (long long)c->text.intermediate_size,
                       (long long)c->text.vocab_size, (long long)c->text.max_position_embeddings));
    CF_TRY(cf_str_addf(
        out, err,
        "vision tower   %lld of %lld layers run, width %lld, %lldx%lld pixels, patches of %lld: %lld image positions\n",
        (long long)c->feature_layer, (long long)c->vision.n_layers, (long long)c->vision.hidden_size,
        (long long)c->vision.image_size, (long long)c->vision.image_size, (long long)c->vision.patch_size,
        (long long)((c->vision.image_size / c->vision.patch_size) * (c->vision.image_size / c->vision.patch_size))));
    CF_TRY(cf_str_addf(out, err, "picture fit    %s\n", cf_runtime_fit(r)));
    CF_TRY(cf_str_addf(out, err, "products in    %s%s\n", cf_dtype_name(dtype),
                       cf_backend_has_bf16(o->runtime.device) ? "" : " (this processor has no bf16 products)"));
done:
    return st;
}

cf_status cf_info_speed(double *macs_per_second, const cf_runtime *r, const cf_study_options *o, cf_dtype dtype,
                        cf_error *err)
{
    const cf_text_config *t = &cf_checkpoint_config(r->checkpoint)->text;
    const int64_t shape[] = {t->intermediate_size, t->hidden_size};
    const cf_backend_options options = {.n_threads = o->runtime.threads, .compute = dtype};
    cf_status st = CF_OK;
    cf_backend *be = NULL;
    cf_weight *w = NULL;
    cf_tensor host, x = {0}, y = {0};
    CF_TRY(cf_backend_open(&be, o->runtime.device, &options, err));
    CF_TRY(cf_checkpoint_weight(&host, r->checkpoint, "model.language_model.layers.0.mlp.gate_proj.weight", 2, shape,
                                err));
    CF_TRY(cf_weight_create(be, &w, &host, err));
    CF_TRY(cf_backend_alloc(be, &x, dtype, TIMED_ROWS, t->hidden_size, err));
    CF_TRY(cf_backend_alloc(be, &y, CF_F32, TIMED_ROWS, t->intermediate_size, err));
    CF_TRY(cf_linear(be, &y, &x, w, NULL, false, err)); /* prepares */
    const int64_t begin = cf_clock_ns();
    for (int i = 0; i < TIMED_REPEATS; i++)
        CF_TRY(cf_linear(be, &y, &x, w, NULL, false, err));
    const double seconds = (double)(cf_clock_ns() - begin) * 1e-9 / TIMED_REPEATS;
    *macs_per_second = (double)TIMED_ROWS * (double)shape[0] * (double)shape[1] / seconds;
done:
    if (be) {
        cf_backend_release(be, &x);
        cf_backend_release(be, &y);
        cf_weight_free(be, w);
    }
    cf_backend_close(be);
    return st;
}

double cf_info_row_macs(const cf_text_config *t)
{
    return (double)t->hidden_size *
           (double)(2 * t->n_heads * t->head_dim + 2 * t->n_kv_heads * t->head_dim + 3 * t->intermediate_size);
}

/* The first question that can be prepared. CF_MISMATCH where none can. */
static cf_status prepare_first(cf_prepared *p, cf_picture *picture, const cf_runtime *r, const cf_question_list *list,
                               const char *images, cf_error *err)
{
    for (size_t i = 0; i < list->n_items; i++) {
        const cf_question *q = list->items[i].question;
        char *path = NULL;
        cf_status st = cf_picture_path(&path, images, q->image, err);
        if (st == CF_OK)
            st = cf_prepare_question(p, picture, r, q, path, err);
        free(path);
        if (st == CF_OK || st == CF_NOMEM)
            return st;
    }
    return cf_fail(err, CF_MISMATCH, "%s: no question has a picture that can be used", images);
}

/* Bytes of anonymous memory at the peak of a study, part by part; what the mapped files have in memory is the system's
 * to take back and not counted. Each follows the allocation it names, with the eighth that buffers grow by. */
typedef struct memory {
    double weights, kv, kept, rows;
} memory;

static memory forecast_memory(const cf_runtime *r, const cf_memory_plan *division, const cf_study_options *o,
                              const cf_tile_grid *g, const cf_plan *plan, cf_dtype dtype)
{
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    const cf_text_config *t = &c->text;
    const double d = (double)t->hidden_size, f = (double)t->intermediate_size, vocab = (double)t->vocab_size;
    const double kv = (double)(t->n_kv_heads * t->head_dim);
    const double length = (double)plan->length, kept = length - (double)plan->lowest, grown = 1.125;
    const double compute = (double)cf_dtype_bytes(dtype), stored = (double)cf_checkpoint_weight_bytes(r->checkpoint) /
                                                                   (double)cf_checkpoint_n_parameters(r->checkpoint);
    const double stacked = (double)cf_plan_most_rows(plan), most = stacked > length ? stacked : length;
    const double flying = (double)division->in_flight;
    memory m = {0};
    /* cf_model_load: matrices, the embedding as stored, rotary angles; and a matrix on its way into its layout */
    m.weights = (double)cf_model_plan_weights(c, dtype, division->weight_bytes).bytes + stored * vocab * d +
                4 * (double)(t->max_position_embeddings * t->head_dim) + compute * d * f;
    m.kv = flying * grown * 2 * 4 * (double)t->n_layers * (length + (double)o->max_new_tokens) * kv; /* cf_kv */
    m.kept = flying * grown * 4 * (double)t->n_layers * kept * d;
    m.rows = (double)cf_scratch_bytes(c, o->runtime.device, dtype, (int64_t)(flying * most)) +
             flying * 4 * d * (2 * grown * (kept + stacked) /* the sweep's stacks */ + 2 * length /* embeddings */) +
             4 * d * (length + (double)(g->n_tiles * g->patch_rows * g->patch_cols)) /* the picture, its patches */
             + 64 * 8 * vocab;                                                       /* logits being read */
    return m;
}

static cf_status add_forecast(cf_str *out, const cf_runtime *r, const cf_study_options *o, const cf_prepared *p,
                              const cf_scene *scene, size_t n_questions, const cf_run_set *runs, double macs_per_second,
                              cf_dtype dtype, cf_error *err)
{
    const cf_text_config *t = &cf_checkpoint_config(r->checkpoint)->text;
    const size_t n_specs = runs->specs.n;
    cf_status st = CF_OK;
    cf_sample_plan planned = {0};
    CF_TRY(cf_sample_plan_create(&planned, runs, scene, 0, 0, err));
    const cf_plan *plan = planned.plan;
    const double length = (double)p->groups.length, layers = (double)t->n_layers;
    const double sweep = (double)cf_plan_row_layers(plan), base = length * layers, plain = ((double)n_specs + 1) * base;
    const double row_macs = cf_info_row_macs(t);
    cf_memory_plan division;
    CF_TRY(cf_runtime_plan_memory(&division, r, &o->runtime, dtype, err));
    const memory m = forecast_memory(r, &division, o, &scene->tiling->grid, plan, dtype);
    const int64_t resident =
        cf_model_plan_weights(cf_checkpoint_config(r->checkpoint), dtype, division.weight_bytes).n_resident;
    CF_TRY(
        cf_str_addf(out, err, "\nquestions      %zu; a typical one has %d positions\n", n_questions, p->groups.length));
    CF_TRY(cf_str_addf(out, err, "runs           %zu a question; rows from position %d on are recomputed\n", n_specs,
                       plan->lowest));
    CF_TRY(cf_str_addf(out, err,
                       "row-layers     %.0f a question (baseline %.0f, sweep %.0f); one pass per run would take %.0f, "
                       "%.1f times as many\n",
                       base + sweep, base, sweep, plain, plain / (base + sweep)));
    CF_TRY(cf_str_addf(out, err,
                       "memory         about %.0f MiB: weights %.0f, keys and values %.0f, kept inputs %.0f, rows in "
                       "flight %.0f\n",
                       (m.weights + m.kv + m.kept + m.rows) * mib, m.weights * mib, m.kv * mib, m.kept * mib,
                       m.rows * mib));
    CF_TRY(cf_str_addf(
        out, err,
        "mapped files   %.0f MiB beside it, which the system may drop; %lld of %lld decoder layers are read "
        "from them in every walk\n",
        (double)cf_checkpoint_weight_bytes(r->checkpoint) * mib, (long long)(t->n_layers - resident),
        (long long)t->n_layers));
    CF_TRY(cf_str_addf(out, err, "in flight      %d questions together in a walk\n", division.in_flight));
    CF_TRY(cf_str_addf(
        out, err,
        "time           about %.1f s a question, %.1f min in all, in matrix products alone (%.0f GFLOP/s measured)\n",
        (base + sweep) * row_macs / macs_per_second,
        (base + sweep) * row_macs / macs_per_second * (double)n_questions / 60, 2e-9 * macs_per_second));
done:
    cf_sample_plan_deinit(&planned);
    return st;
}

static cf_status add_study(cf_str *out, const cf_runtime *r, const cf_study_options *o, cf_dtype dtype, cf_error *err)
{
    const cf_text_config *t = &cf_checkpoint_config(r->checkpoint)->text;
    cf_status st = CF_OK;
    cf_question_list list = {0};
    cf_picture picture = {0};
    cf_prepared p = {0};
    cf_run_set runs = {0};
    char *images = NULL;
    double macs_per_second = 0;
    CF_TRY(cf_question_list_open(&list, o->questions, o->scene_graphs, o->limit, err));
    CF_TRY(cf_picture_dir(&images, o->images, o->questions, err));
    CF_TRY(cf_run_set_open(&runs, o, "paper", t, err));
    CF_TRY(prepare_first(&p, &picture, r, &list, images, err));
    CF_TRY(cf_info_speed(&macs_per_second, r, o, dtype, err));
    const cf_scene scene = cf_prepared_scene(&p, r, &picture);
    CF_TRY(add_forecast(out, r, o, &p, &scene, list.n_items, &runs, macs_per_second, dtype, err));
    for (size_t i = 0; i < list.n_sets; i++)
        if (cf_question_set_note(list.sets[i])[0])
            CF_TRY(cf_str_addf(out, err, "note           %s\n", cf_question_set_note(list.sets[i])));
done:
    cf_run_set_close(&runs);
    cf_prepared_deinit(&p);
    cf_picture_deinit(&picture);
    free(images);
    cf_question_list_close(&list);
    return st;
}

cf_status cf_info_devices(cf_str *out, cf_error *err)
{
    return cf_backend_list(out, err);
}

cf_status cf_info_text(cf_str *out, const cf_study_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_runtime r = {0};
    cf_dtype dtype = CF_F32;
    CF_TRY(cf_runtime_open_files(&r, &o->runtime, err));
    CF_TRY(cf_runtime_dtype(&dtype, &r, &o->runtime, err));
    CF_TRY(add_model(out, &r, o, dtype, err));
    if (o->questions)
        CF_TRY(add_study(out, &r, o, dtype, err));
done:
    cf_runtime_close(&r);
    return st;
}
