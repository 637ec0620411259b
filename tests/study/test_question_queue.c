/* test_question_queue.c - questions made ready by a thread, or when they are asked for: each against the same question
 * prepared by itself. */
#include "demo_runtime.h"
#include "study_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "study/question_queue.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Ways to run a queue: without a thread, just ahead, further ahead than the list is long. */
static const struct {
    size_t n_places, n_ahead;
} ways[] = {{1, 0}, {3, 0}, {1, 1}, {2, 1}, {1, 3}, {3, 3}, {4, 99}};

typedef struct fixture {
    char *dir;
    cf_question_list list;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->dir = temp_dir_make();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    cf_question_list_close(&f->list);
    temp_dir_remove(f->dir);
    free(f);
    return 0;
}

/* Pictures a.jpg, b.jpg, ... that all differ. */
static void write_pictures(const fixture *f, int n)
{
    for (int i = 0; i < n; i++) {
        char from[64], to[8];
        cf_str bytes = {0};
        (void)snprintf(from, sizeof from, PICTURES "/%06d.jpg", i);
        (void)snprintf(to, sizeof to, "%c.jpg", 'a' + i);
        assert_ok(cf_file_read(&bytes, from, 1 << 20, report));
        temp_dir_write(f->dir, to, bytes.data, bytes.n);
        cf_str_deinit(&bytes);
    }
}

/* A question about each picture of a comma-separated list, in its order: not sorted by picture as a set's are. */
static void list_questions(fixture *f, const char *const *ids, size_t n)
{
    cf_str text = {0};
    assert_ok(cf_str_add_text(&text, QUESTION_HEADER, report));
    for (size_t i = 0; i < n; i++)
        assert_ok(cf_str_addf(&text, report, "%zu,%s,Is it?,no,1,1,%zu,9\n", i, ids[i], i + 1));
    assert_ok(cf_question_list_parse(&f->list, text.data, "x_A.csv", 0, report));
    const cf_question_set *set = f->list.items[0].set;
    for (size_t i = 0; i < n; i++)
        f->list.items[i] = (cf_list_item){set, cf_question_set_row(set, i), (int64_t)i};
    cf_str_deinit(&text);
}

static cf_question_queue *open_queue(const fixture *f, const char *images, size_t way)
{
    cf_question_queue *q = NULL;
    assert_ok(cf_question_queue_create(&q, &demo_runtime, images, f->list.items, f->list.n_items, ways[way].n_places,
                                       ways[way].n_ahead, report));
    return q;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Until the thread has made ready all it may, with `left` questions not asked for. */
static void wait_until_idle(cf_question_queue *q, size_t way, size_t left)
{
    const struct timespec ms = {.tv_nsec = 1000000};
    const size_t most = least(ways[way].n_ahead, left);
    for (int i = 0; i < 60000 && cf_question_queue_n_ready(q) < most; i++)
        (void)nanosleep(&ms, NULL);
    assert_int_equal(cf_question_queue_n_ready(q), most);
}

static size_t n_values(const cf_picture *p)
{
    const cf_tile_grid *g = &p->tiling.grid;
    return (size_t)g->n_tiles * 3 * (size_t)g->tile_w * (size_t)g->tile_h;
}

/* What a queue gave for a question is what preparing it alone gives. */
static void assert_alone(const char *images, const cf_question *question, cf_status status, const cf_prepared *p,
                         const cf_picture *picture, const char *said)
{
    cf_picture own_picture = {0};
    cf_prepared own = {0};
    cf_error fault = {0};
    char *path = NULL;
    assert_ok(cf_picture_path(&path, images, question->image, report));
    const cf_status st = cf_prepare_question(&own, &own_picture, &demo_runtime, question, path, &fault);
    if (status != st || strcmp(said, fault.text) != 0)
        fail_msg("%.*s: expected \"%s\", found \"%s\"", (int)question->text.n, question->text.data, fault.text, said);
    if (st == CF_OK) {
        assert_string_equal(picture->path, path);
        assert_int_equal(n_values(picture), n_values(&own_picture));
        assert_memory_equal(picture->pixels, own_picture.pixels, n_values(picture) * sizeof(float));
        assert_ptr_equal(p->input.pixels, picture->pixels);
        assert_int_equal(p->input.picture, picture->name);
        assert_int_equal(p->input.n_ids, own.input.n_ids);
        assert_memory_equal(p->input.ids, own.input.ids, (size_t)own.input.n_ids * sizeof(int32_t));
        assert_memory_equal(p->hit, own.hit, (size_t)own.input.merge.n * sizeof *own.hit);
    }
    cf_prepared_deinit(&own);
    cf_picture_deinit(&own_picture);
    free(path);
}

/* ---- what comes out ---- */

static void every_question_comes_in_its_turn_as_if_prepared_alone(void **state)
{
    fixture *f = *state;
    assert_ok(cf_question_list_open(&f->list, "demo/questions", NULL, 2, report));
    assert_int_equal(f->list.n_items, 12);
    for (size_t way = 0; way < COUNT(ways); way++) {
        cf_question_queue *q = open_queue(f, PICTURES, way);
        for (size_t i = 0; i < f->list.n_items; i++) {
            const cf_list_item *item = &f->list.items[i];
            const cf_picture *picture = NULL;
            cf_prepared p = {0};
            assert_ok(cf_question_queue_take(q, item, &p, &picture, report));
            assert_alone(PICTURES, item->question, CF_OK, &p, picture, "");
            cf_prepared_deinit(&p);
        }
        cf_question_queue_free(q);
    }
}

static void neighbours_share_their_picture_and_no_other_has_its_name(void **state)
{
    static const char *const ids[] = {"a", "a", "a.jpg", "b", "nowhere", "b", "c", "c", "a"};
    static const bool shares[] = {false, true, true, false, false, false, false, true, false};
    fixture *f = *state;
    write_pictures(f, 3);
    list_questions(f, ids, COUNT(ids));
    for (size_t way = 0; way < COUNT(ways); way++) {
        cf_question_queue *q = open_queue(f, f->dir, way);
        const cf_picture *picture = NULL, *before = NULL;
        uint64_t name = 0;
        for (size_t i = 0; i < COUNT(ids); i++) {
            cf_prepared p = {0};
            if (cf_question_queue_take(q, &f->list.items[i], &p, &picture, NULL) == CF_OK) {
                assert_true(shares[i] ? picture == before && p.input.picture == name : p.input.picture > name);
                name = p.input.picture;
                before = picture;
            } else
                assert_string_equal(ids[i], "nowhere");
            cf_prepared_deinit(&p);
        }
        cf_question_queue_free(q);
    }
}

static void a_picture_stays_as_it_is_while_its_question_has_its_place(void **state)
{
    static const char *const ids[] = {"a", "b", "b", "c", "d", "nowhere", "e", "e", "f", "g", "h"};
    enum { N = COUNT(ids) };
    fixture *f = *state;
    write_pictures(f, 8);
    list_questions(f, ids, N);
    for (size_t way = 0; way < COUNT(ways); way++) {
        cf_question_queue *q = open_queue(f, f->dir, way);
        cf_prepared all[N] = {0};
        for (size_t i = 0; i < N; i++) {
            const cf_picture *pictures[N] = {0};
            cf_error fault = {0};
            const cf_status st = cf_question_queue_take(q, &f->list.items[i], &all[i], &pictures[i], &fault);
            assert_int_equal(st, strcmp(ids[i], "nowhere") == 0 ? CF_IO : CF_OK);
            wait_until_idle(q, way, N - i - 1);
            for (size_t k = i + 1 > ways[way].n_places ? i + 1 - ways[way].n_places : 0; k <= i; k++) {
                cf_picture own = {0};
                char *path = NULL;
                if (!all[k].input.pixels)
                    continue;
                assert_ok(cf_picture_path(&path, f->dir, f->list.items[k].question->image, report));
                assert_ok(cf_picture_load(&own, &demo_runtime, path, report));
                assert_memory_equal(all[k].input.pixels, own.pixels, n_values(&own) * sizeof(float));
                cf_picture_deinit(&own);
                free(path);
            }
        }
        for (size_t i = 0; i < N; i++)
            cf_prepared_deinit(&all[i]);
        cf_question_queue_free(q);
    }
}

static void a_fault_is_told_in_its_place_and_to_its_question_only(void **state)
{
    static const char *const rows[] = {"a,Is it?,no,1,1,9,9,-,-",          "nowhere,Is it?,no,1,1,9,9,-,-",
                                       "nowhere,Is it so?,no,1,1,9,9,-,-", "cut,Is it?,no,1,1,9,9,-,-",
                                       "a,Is it?,no,1,1,9,9,640,480",      "a,Is it?,no,one,1,9,9,-,-",
                                       "a,Is it?,no,999,1,9,9,-,-",        "a,Is it <s>?,no,1,1,9,9,-,-",
                                       "text,Is it?,no,1,1,9,9,-,-",       "b,Is it?,no,1,1,9,9,336,336"};
    fixture *f = *state;
    cf_str text = {0}, whole = {0};
    write_pictures(f, 2);
    assert_ok(cf_file_read(&whole, PICTURES "/000024.jpg", 1 << 20, report));
    temp_dir_write(f->dir, "cut.jpg", whole.data, whole.n / 2);
    temp_dir_write_text(f->dir, "text.jpg", "no picture at all");
    assert_ok(
        cf_str_addf(&text, report, "%.*s,image_w,image_h\n", (int)strcspn(QUESTION_HEADER, "\n"), QUESTION_HEADER));
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_ok(cf_str_addf(&text, report, "%zu,%s\n", i, rows[i]));
    assert_ok(cf_question_list_parse(&f->list, text.data, "x_A.csv", 0, report));
    for (size_t way = 0; way < COUNT(ways); way++) {
        cf_question_queue *q = open_queue(f, f->dir, way);
        size_t n_faults = 0;
        for (size_t i = 0; i < COUNT(rows); i++) {
            const cf_list_item *item = &f->list.items[i];
            const cf_picture *picture = NULL;
            cf_prepared p = {0};
            cf_error fault = {0};
            const cf_status st = cf_question_queue_take(q, item, &p, &picture, &fault);
            assert_alone(f->dir, item->question, st, &p, picture, fault.text);
            if (st != CF_OK)
                n_faults += picture == NULL && p.prompt.ids.items == NULL; /* outputs are as they were */
            cf_prepared_deinit(&p);
        }
        assert_int_equal(n_faults, COUNT(rows) - 2);
        cf_question_queue_free(q);
    }
    cf_str_deinit(&text);
    cf_str_deinit(&whole);
}

/* ---- bounds and ends ---- */

/* Once the thread has done what it may, the pictures are taken away: only what was made ready can still be had. */
static void no_more_is_made_ready_than_was_agreed(void **state)
{
    static const char *const ids[] = {"a", "b", "c", "d", "e", "f"};
    const struct timespec a_while = {.tv_nsec = 30000000}; /* for a thread that goes on */
    for (size_t way = 0; way < COUNT(ways); way++) {
        fixture *f = *state;
        write_pictures(f, 6);
        list_questions(f, ids, COUNT(ids));
        cf_question_queue *q = open_queue(f, f->dir, way);
        wait_until_idle(q, way, COUNT(ids));
        (void)nanosleep(&a_while, NULL);
        wait_until_idle(q, way, COUNT(ids));
        for (size_t i = 0; i < COUNT(ids); i++) {
            char *path = NULL;
            assert_ok(cf_picture_path(&path, f->dir, cf_slice_of(ids[i]), report));
            assert_int_equal(remove(path), 0);
            free(path);
        }
        for (size_t i = 0; i < COUNT(ids); i++) {
            const cf_picture *picture = NULL;
            cf_prepared p = {0};
            const cf_status st = cf_question_queue_take(q, &f->list.items[i], &p, &picture, NULL);
            assert_int_equal(st, i < ways[way].n_ahead ? CF_OK : CF_IO);
            cf_prepared_deinit(&p);
        }
        cf_question_queue_free(q);
        cf_question_list_close(&f->list);
    }
}

static void a_queue_may_be_left_at_any_question(void **state)
{
    static const char *const ids[] = {"a", "b", "b", "c"};
    fixture *f = *state;
    write_pictures(f, 3);
    list_questions(f, ids, COUNT(ids));
    for (size_t way = 0; way < COUNT(ways); way++)
        for (size_t n_taken = 0; n_taken <= COUNT(ids); n_taken++) {
            cf_question_queue *q = open_queue(f, f->dir, way);
            for (size_t i = 0; i < n_taken; i++) {
                const cf_picture *picture = NULL;
                cf_prepared p = {0};
                assert_ok(cf_question_queue_take(q, &f->list.items[i], &p, &picture, report));
                cf_prepared_deinit(&p);
            }
            cf_question_queue_free(q);
        }
    cf_question_queue_free(NULL);
}

static void a_queue_without_memory_is_refused_and_nothing_is_lost(void **state)
{
    (void)state;
    cf_question_queue *q = NULL;
    for (int64_t n = 1;; n++) {
        fail_alloc_at(n);
        const cf_status st = cf_question_queue_create(&q, &demo_runtime, PICTURES, NULL, 0, 2, 2, NULL);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            assert_int_equal(n, 4); /* the queue, its questions, its pictures */
            break;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_null(q);
    }
    cf_question_queue_free(q);
}

int test_question_queue(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_question_comes_in_its_turn_as_if_prepared_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(neighbours_share_their_picture_and_no_other_has_its_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_picture_stays_as_it_is_while_its_question_has_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fault_is_told_in_its_place_and_to_its_question_only, setup, teardown),
        cmocka_unit_test_setup_teardown(no_more_is_made_ready_than_was_agreed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_queue_may_be_left_at_any_question, setup, teardown),
        cmocka_unit_test(a_queue_without_memory_is_refused_and_nothing_is_lost),
    };
    return cmocka_run_group_tests_name("questions made ready ahead", tests, open_demo, close_demo);
}
