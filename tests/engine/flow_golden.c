/* flow_golden.c - see flow_golden.h. */
#include "flow_golden.h"

#include <stdlib.h>
#include <string.h>

/* From the first position of a list to its last; empty where there is none. */
static cf_span span_of(const cf_json *groups, const char *name)
{
    const cf_json *list = cf_json_get(groups, name);
    const int64_t n = cf_json_count(list);
    assert_int_equal(cf_json_kind_of(list), CF_JSON_ARRAY);
    if (n == 0)
        return (cf_span){0};
    const cf_span s = {json_whole(json_at(list, 0)), json_whole(json_at(list, n - 1)) + 1};
    assert_int_equal(s.end - s.begin, n);
    return s;
}

static void read_spans(cf_spans *out, const cf_json *list)
{
    assert_int_equal(cf_json_kind_of(list), CF_JSON_ARRAY);
    for (const cf_json *p = cf_json_first(list); p; p = cf_json_next(p))
        OK(cf_spans_add(out, json_whole(p), json_whole(p) + 1, &err));
}

/* What cf_groups_build makes of the golden's facts is what the golden has, group by group. */
static void compare_groups(const cf_groups *groups, const cf_json *golden, const char *key)
{
    assert_int_equal(cf_json_count(golden), CF_N_GROUPS);
    for (int g = 0; g < CF_N_GROUPS; g++) {
        cf_spans expected = {0};
        read_spans(&expected, cf_json_get(golden, cf_group_name((cf_group)g)));
        if (!cf_spans_equal(&expected, &groups->of[g]))
            fail_msg("%s: group '%s' has other positions than the golden's", key, cf_group_name((cf_group)g));
        cf_spans_deinit(&expected);
    }
}

static void build_groups(sample *s, const cf_model *m)
{
    const cf_json *golden = cf_json_get(s->record, "groups");
    const cf_span image = cf_input_image(m, &s->input);
    bool hit[MAX_LENGTH] = {false};
    cf_spans object = {0}, rest = {0}, roles = {0};
    read_spans(&object, cf_json_get(golden, cf_group_name(CF_GROUP_OBJECT)));
    read_spans(&rest, cf_json_get(golden, cf_group_name(CF_GROUP_REST)));
    read_spans(&roles, cf_json_get(golden, cf_group_name(CF_GROUP_ROLE)));
    for (int32_t p = image.begin; p < image.end; p++)
        hit[p - image.begin] = cf_spans_contain(&object, p);
    const cf_layout layout = {.length = cf_input_length(m, &s->input),
                              .image = image,
                              .hit = object.n || rest.n ? hit : NULL,
                              .question = span_of(golden, cf_group_name(CF_GROUP_QUESTION)),
                              .true_option = span_of(golden, cf_group_name(CF_GROUP_TRUE_OPTION)),
                              .false_option = span_of(golden, cf_group_name(CF_GROUP_FALSE_OPTION)),
                              .noun = span_of(golden, cf_group_name(CF_GROUP_NOUN)),
                              .instruction = span_of(golden, cf_group_name(CF_GROUP_INSTRUCTION)),
                              .role_words = &roles};
    OK(cf_groups_build(&s->groups, &layout, &err));
    compare_groups(&s->groups, golden, s->key);
    cf_spans_deinit(&object);
    cf_spans_deinit(&rest);
    cf_spans_deinit(&roles);
}

/* A token, or -1 where the golden has null. */
static int32_t token_of(const cf_json *record, const char *name)
{
    const cf_json *node = cf_json_get(record, name);
    return cf_json_kind_of(node) == CF_JSON_NULL ? -1 : json_whole(node);
}

static void read_flow_sample(flow_sample *out, const flow_golden *g, const cf_json *record, const cf_model *m)
{
    const cf_json *answer = cf_json_get(record, "answer_ids");
    sample_read(&out->base, record, &g->preprocess, m);
    build_groups(&out->base, m);
    const cf_input *in = &out->base.input;
    out->scene = (cf_scene){.groups = &out->base.groups,
                            .tokenizer = g->tokenizer,
                            .ids = in->ids,
                            .n_ids = (size_t)in->n_ids,
                            .image = cf_input_image(m, in),
                            .preprocess = &g->preprocess,
                            .tiling = &out->base.tiling};
    out->row = json_int(record, "row");
    const int32_t n = (int32_t)cf_json_count(answer);
    assert_in_range(n, 1, MAX_ANSWER);
    for (int32_t i = 0; i < n; i++)
        out->answer[i] = json_whole(json_at(answer, i));
    out->asked = (cf_asked){.answer = out->answer,
                            .n_answer = n,
                            .first = out->base.first_token,
                            .truth = token_of(record, "true_token"),
                            .true_option = token_of(record, "true_option_token"),
                            .false_option = token_of(record, "false_option_token")};
    assert_int_equal(out->answer[0], out->base.first_token);
}

static void read_flows(flow_golden *g)
{
    const cf_json *flows = cf_json_get(g->json, "flows");
    g->n_flows = (size_t)cf_json_count(flows);
    g->flows = calloc(g->n_flows, sizeof *g->flows);
    g->texts = calloc(g->n_flows, sizeof *g->texts);
    assert_true(g->flows && g->texts);
    for (size_t f = 0; f < g->n_flows; f++) {
        cf_str printed = {0};
        g->texts[f] = cf_json_string(json_at(flows, (int64_t)f));
        OK(cf_flow_parse(&g->flows[f], cf_slice_of(g->texts[f]), &err));
        OK(cf_flow_print(&printed, &g->flows[f], &err));
        assert_string_equal(printed.data, g->texts[f]);
        cf_str_deinit(&printed);
    }
}

void flow_golden_open(flow_golden *g, const char *name, const char *path, const char *model_dir, const cf_model *m,
                      size_t max_samples)
{
    const cf_text_config *t = &cf_model_config(m)->text;
    *g = (flow_golden){.name = name,
                       .n_layers = (int32_t)t->n_layers,
                       .n_heads = (int32_t)t->n_heads,
                       .vocab_size = (int32_t)t->vocab_size};
    OK(cf_json_open(&g->json, path, 1 << 23, &err));
    OK(cf_tokenizer_open(&g->tokenizer, model_dir, &err));
    preprocess_read(&g->preprocess, model_dir);
    read_flows(g);
    const cf_json *records = cf_json_get(g->json, "samples");
    g->n_all = (size_t)cf_json_count(records);
    g->n = g->n_all < max_samples ? g->n_all : max_samples;
    g->samples = calloc(g->n, sizeof *g->samples);
    assert_non_null(g->samples);
    for (size_t i = 0; i < g->n; i++)
        read_flow_sample(&g->samples[i], g, json_at(records, (int64_t)(i * g->n_all / g->n)), m);
}

void flow_golden_close(flow_golden *g)
{
    for (size_t i = 0; i < g->n; i++)
        sample_deinit(&g->samples[i].base);
    for (size_t f = 0; f < g->n_flows; f++)
        cf_flow_deinit(&g->flows[f]);
    free(g->samples);
    free(g->flows);
    free(g->texts);
    cf_tokenizer_close(g->tokenizer);
    cf_json_free(g->json);
}

size_t flow_find(const flow_golden *g, const char *text)
{
    for (size_t f = 0; f < g->n_flows; f++)
        if (strcmp(g->texts[f], text) == 0)
            return f;
    fail_msg("the golden has no flow '%s'", text);
    return 0;
}

static cf_window_style style_of(const char *name)
{
    for (int s = 0; s < CF_N_WINDOW_STYLES; s++)
        if (strcmp(cf_window_style_name((cf_window_style)s), name) == 0)
            return (cf_window_style)s;
    fail_msg("no window style '%s'", name);
    return CF_N_WINDOW_STYLES;
}

flow_line flow_line_read(const flow_golden *g, const cf_json *record)
{
    return (flow_line){.record = record,
                       .flow = flow_find(g, cf_json_string(cf_json_get(record, "flow"))),
                       .style = style_of(cf_json_string(cf_json_get(record, "style"))),
                       .k = json_int(record, "k"),
                       .repeat = (int32_t)cf_json_number(cf_json_get(record, "repeat"), 0),
                       .seed = (uint64_t)cf_json_number(cf_json_get(record, "seed"), 0),
                       .centres = cf_json_get(record, "centres"),
                       .empty_group = cf_json_bool(cf_json_get(record, "empty_group"), false),
                       .fully_cut = cf_json_bool(cf_json_get(record, "fully_cut"), false),
                       .too_few_keys = cf_json_bool(cf_json_get(record, "too_few_keys"), false)};
}
