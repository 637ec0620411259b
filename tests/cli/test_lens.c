/* test_lens.c - the lens from the question file to the exported line, against transformers' values
 * (tests/engine/golden/flows_demo.json). In the demo the answer's first token is that of the capitalised word, so that
 * the golden's lens of it is the line "Capitalized Answer". */
#include "golden_study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/temp_dir.h"

enum { N_ENTRIES = 13, N_PATCHES = 144, VOCAB = 656, TOP = 50, FEW = 5, N_RUNS = 2 * 12 };

static void lens_study(fixture *f, const golden_study *g, const char *const *extra)
{
    const char *args[32] = {"lens", DEMO, g->questions, "-o", f->study, "--images", PICTURES, "--window", "3"};
    size_t n = 9;
    for (size_t i = 0; extra[i]; i++)
        args[n++] = extra[i];
    program_run(&f->r, args, NULL);
    assert_done(&f->r, "lens");
}

/* Logits of hidden states that no norm has been over go into the hundreds: the last bits of float32 show. */
static void assert_near(const char *what, double expected, double found)
{
    if (!(fabs(expected - found) < 5e-5))
        fail_msg("%s: expected %.9g, found %.9g", what, expected, found);
}

/* The golden's five words, of which close neighbours are null. */
static void assert_top(const golden_study *g, const cf_json *entry, const cf_json *ids, const cf_json *scores)
{
    for (int i = 0; i < FEW; i++) {
        const double id = cf_json_number(element_of(ids, i), -1);
        assert_near("a top score", cf_json_number(element_of(scores, i), -1),
                    cf_json_number(element_of(cf_json_get(entry, "scores"), i), -2));
        if (id < 0)
            continue;
        const char *word = cf_json_string(element_of(cf_json_get(entry, "words"), i));
        if (!cf_slice_is(cf_tokenizer_token(g->tokenizer, (int32_t)id), word))
            fail_msg("word %d of layer %d: found %s, expected id %d", i, (int)number_of(entry, "layer"), word, (int)id);
    }
}

typedef struct lens_counts {
    int last, image, compared_image, cut;
} lens_counts;

/* An entry of the lens without the norm. */
static void compare_entry(lens_counts *n, const golden_study *g, const cf_json *sample, const cf_json *entry)
{
    const cf_json *golden = cf_json_get(sample, "lens"), *run = cf_json_get(entry, "run");
    const int layer = (int)number_of(entry, "layer"), position = (int)number_of(entry, "position");
    const bool last = position == (int)number_of(sample, "length") - 1;
    const double found = number_of(entry, "answer_upper");
    const int64_t n_words = cf_json_count(cf_json_get(entry, "words"));
    assert_int_equal(cf_json_count(cf_json_get(entry, "scores")), n_words);
    assert_int_equal(n_words, last && cf_json_kind_of(run) == CF_JSON_NULL ? TOP : FEW);
    if (cf_json_kind_of(run) != CF_JSON_NULL) {
        const cf_json *c = cf_json_first(cf_json_get(golden, "cut"));
        while (c && strcmp(text_of(c, "flow"), text_of(run, "flow")) != 0)
            c = cf_json_next(c);
        assert_non_null(c);
        assert_true(last);
        assert_int_equal((int)number_of(run, "window"), (int)number_of(c, "k"));
        const cf_json *raw = element_of(cf_json_get(c, "raw"), (int64_t)number_of(run, "layer"));
        assert_near("lens under a cut", cf_json_number(element_of(raw, layer), -1), found);
        n->cut++;
    } else if (last) {
        assert_near("lens", cf_json_number(element_of(cf_json_get(golden, "raw"), layer), -1), found);
        assert_top(g, entry, element_of(cf_json_get(golden, "raw_top5_ids"), layer),
                   element_of(cf_json_get(golden, "raw_top5"), layer));
        n->last++;
    } else {
        int64_t at = 0;
        for (const cf_json *p = cf_json_first(cf_json_get(golden, "image_positions")); p; p = cf_json_next(p), at++)
            if ((int)cf_json_number(p, -1) == position) {
                const cf_json *raw = element_of(cf_json_get(golden, "image_raw"), at);
                assert_near("lens of a patch", cf_json_number(element_of(raw, layer), -1), found);
                n->compared_image++;
            }
        n->image++;
    }
}

/* The last cells of a published row that are no list: 4 with options, 2 without. */
static double cell_from_end(const char *line, int n)
{
    const char *end = strchr(line, '\n'), *cell = end;
    for (int commas = 0; commas < n; commas += *cell == ',')
        cell--;
    return strtod(cell + 1, NULL);
}

/* The published table: the same lens, in per cent. */
static void assert_published(const char *dir, const cf_json *sample)
{
    static const char header[] = "question_id,image,goden answer,question,layer,top_k_word,top_k_score,";
    static const char with[] = "Noncapitalized Answer,Noncapitalized False Option,Capitalized Answer,"
                               "Capitalized False Option\n";
    static const char without[] = "Noncapitalized Answer,Capitalized Answer\n";
    const bool options = !isnan(number_of(sample, "false_option_token"));
    char name[64];
    (void)snprintf(name, sizeof name, "%s_lens.csv", text_of(sample, "task"));
    char *path = temp_dir_path(dir, name);
    cf_str text = content_of(path);
    const char *id = text_of(sample, "question_id"), *line = strchr(text.data, '\n') + 1;
    int n = 0;
    assert_ptr_equal(strstr(text.data, header), text.data);
    assert_ptr_equal(strstr(text.data, options ? with : without), text.data + sizeof header - 1);
    for (; *line; line = strchr(line, '\n') + 1) {
        if (strncmp(line, id, strlen(id)) != 0 || line[strlen(id)] != ',')
            continue;
        const cf_json *raw = element_of(cf_json_get(cf_json_get(sample, "lens"), "raw"), n++);
        assert_near("published lens, in parts of 1", cf_json_number(raw, -1),
                    cell_from_end(line, options ? 2 : 1) / 100);
    }
    assert_int_equal(n, N_ENTRIES);
    cf_str_deinit(&text);
    free(path);
}

static void the_lens_is_the_references_with_and_without_cuts_and_on_the_picture(void **state)
{
    static const char *const extra[] = {"--flow",         "Image->Question",   "--flow",
                                        "Question->Last", "--image-positions", NULL};
    fixture *f = *state;
    golden_study g;
    char *csv = fixture_path(f, "csv");
    golden_study_open(&g, f, DEMO, GOLDEN_FLOWS_DEMO, 3);
    lens_study(f, &g, extra);
    golden_study_read(&g, f, f->study);
    RUN(&f->r, "export", f->study, "--csv", csv);
    assert_done(&f->r, "export");
    for (size_t i = 0; i < g.n_lines; i++) {
        const cf_json *sample = golden_sample(&g, g.lines[i]);
        lens_counts n = {0};
        for (const cf_json *e = cf_json_first(cf_json_get(g.lines[i], "lens")); e; e = cf_json_next(e))
            compare_entry(&n, &g, sample, e);
        assert_int_equal(n.last, N_ENTRIES);
        assert_int_equal(n.cut, N_RUNS * N_ENTRIES);
        assert_int_equal(n.image, N_PATCHES * N_ENTRIES);
        assert_int_equal(n.compared_image, 4 * N_ENTRIES);
        assert_int_equal(cf_json_count(cf_json_get(g.lines[i], "values")), 0);
        assert_published(csv, sample);
    }
    assert_true(g.n_lines >= 3);
    golden_study_close(&g);
    free(csv);
}

/* The probability of a word's first token in the list of all of them, or NaN. */
static double score_of_word(const golden_study *g, const cf_json *entry, const char *word, bool upper)
{
    cf_str cased = {0};
    cf_ids ids = {0};
    int64_t at = 0;
    double score = (double)NAN;
    if (!word[0])
        return score;
    const char first = upper ? (char)(word[0] - 'a' + 'A') : word[0];
    assert_ok(cf_str_addf(&cased, report, "%c%s", first, word + 1));
    assert_ok(cf_tokenizer_encode(&ids, g->tokenizer, cf_str_slice(&cased), false, report));
    const cf_slice token = cf_tokenizer_token(g->tokenizer, ids.items[0]);
    for (const cf_json *w = cf_json_first(cf_json_get(entry, "words")); w && isnan(score); w = cf_json_next(w), at++)
        if (cf_slice_is(token, cf_json_string(w)))
            score = cf_json_number(element_of(cf_json_get(entry, "scores"), at), (double)NAN);
    cf_ids_deinit(&ids);
    cf_str_deinit(&cased);
    return score;
}

static void the_lens_reads_every_entry_through_the_norm_where_asked_and_names_every_word(void **state)
{
    static const char *const extra[] = {"--norm", "all", "--top", "656", NULL};
    static const struct {
        const char *line, *word;
        bool upper;
    } lines[] = {{"answer", "answer", false},
                 {"answer_upper", "answer", true},
                 {"option", "false_option", false},
                 {"option_upper", "false_option", true}};
    fixture *f = *state;
    golden_study g;
    golden_study_open(&g, f, DEMO, GOLDEN_FLOWS_DEMO, 3);
    lens_study(f, &g, extra);
    golden_study_read(&g, f, f->study);
    for (size_t i = 0; i < g.n_lines; i++) {
        const cf_json *golden = cf_json_get(golden_sample(&g, g.lines[i]), "lens");
        int n = 0;
        for (const cf_json *e = cf_json_first(cf_json_get(g.lines[i], "lens")); e; e = cf_json_next(e), n++) {
            assert_near("lens through the norm", cf_json_number(element_of(cf_json_get(golden, "normed"), n), -1),
                        number_of(e, "answer_upper"));
            assert_top(&g, e, element_of(cf_json_get(golden, "normed_top5_ids"), n),
                       element_of(cf_json_get(golden, "normed_top5"), n));
            assert_int_equal(cf_json_count(cf_json_get(e, "words")), VOCAB);
            for (size_t k = 0; k < 4; k++) {
                const double expected = score_of_word(&g, e, text_of(g.lines[i], lines[k].word), lines[k].upper);
                const double found = number_of(e, lines[k].line);
                if (!(isnan(expected) && isnan(found)))
                    assert_near(lines[k].line, expected, found);
            }
        }
        assert_int_equal(n, N_ENTRIES);
        assert_int_equal(isnan(number_of(cf_json_first(cf_json_get(g.lines[i], "lens")), "option")),
                         text_of(g.lines[i], "false_option")[0] == '\0');
    }
    golden_study_close(&g);
}

int test_lens(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_lens_is_the_references_with_and_without_cuts_and_on_the_picture,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_lens_reads_every_entry_through_the_norm_where_asked_and_names_every_word,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("lens", tests, NULL, NULL);
}
