/* test_hub.c - models found by name in a hub cache laid out as huggingface_hub does. */
#include "test_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/hub.h"
#include "llava_weights.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

#define MAIN_COMMIT "0123456789abcdef0123456789abcdef01234567"
#define OTHER_COMMIT "89abcdef0123456789abcdef0123456789abcdef"

static const char *const variables[] = {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"};
enum { N_VARIABLES = sizeof variables / sizeof *variables };

static void make_dirs(const char *dir, const char *below)
{
    char *path = temp_dir_path(dir, below);
    assert_int_equal(cf_dir_make(path, NULL), CF_OK);
    free(path);
}

/* dir/models--org--tiny: two snapshots, a branch, a tag and a pull request. */
static void make_repository(const char *dir)
{
    make_dirs(dir, "models--org--tiny/refs/refs/pr");
    make_dirs(dir, "models--org--tiny/snapshots/" MAIN_COMMIT);
    make_dirs(dir, "models--org--tiny/snapshots/" OTHER_COMMIT);
    temp_dir_write_text(dir, "models--org--tiny/refs/main", MAIN_COMMIT);
    temp_dir_write_text(dir, "models--org--tiny/refs/v1.5", OTHER_COMMIT "\n");
    temp_dir_write_text(dir, "models--org--tiny/refs/refs/pr/7", OTHER_COMMIT);
    temp_dir_write_text(dir, "models--org--tiny/refs/gone", "ffffffffffffffffffffffffffffffffffffffff");
    temp_dir_write_text(dir, "models--org--tiny/refs/escape", "../../..");
    temp_dir_write_text(dir, "models--org--tiny/refs/nothing", "\n");
}

/* The cache is found through one variable only. */
static void set_only(const char *name, const char *value)
{
    for (size_t i = 0; i < N_VARIABLES; i++)
        unsetenv(variables[i]);
    if (name)
        assert_int_equal(setenv(name, value, 1), 0);
}

static void every_variable_leads_to_the_cache_in_its_order(void **state)
{
    static const char *const below[N_VARIABLES] = {"a", "b", "c/hub", "d/huggingface/hub", "e/.cache/huggingface/hub"};
    static const char *const values[N_VARIABLES] = {"a", "b", "c", "d", "e"};
    const char *dir = *state;
    for (size_t i = 0; i < N_VARIABLES; i++) {
        make_dirs(dir, below[i]);
        char *cache = temp_dir_path(dir, below[i]);
        make_repository(cache);
        free(cache);
    }
    set_only(NULL, NULL);
    for (size_t i = N_VARIABLES; i-- > 0;) { /* each hides those after it */
        char *value = temp_dir_path(dir, values[i]), *cache = temp_dir_path(dir, below[i]), *found = NULL;
        assert_int_equal(setenv(variables[i], value, 1), 0);
        assert_int_equal(cf_hub_find(&found, "org/tiny", NULL), CF_OK);
        assert_memory_equal(found, cache, strlen(cache));
        assert_string_equal(found + strlen(cache), "/models--org--tiny/snapshots/" MAIN_COMMIT);
        free(found);
        free(cache);
        free(value);
    }
    assert_int_equal(setenv("HF_HUB_CACHE", "", 1), 0); /* empty is unset */
    char *found = NULL;
    assert_int_equal(cf_hub_find(&found, "org/tiny", NULL), CF_OK);
    assert_non_null(strstr(found, "/b/models--"));
    free(found);
}

static void a_revision_is_a_branch_a_tag_or_a_commit(void **state)
{
    static const struct {
        const char *model, *commit;
    } cases[] = {
        {"org/tiny", MAIN_COMMIT},
        {"org/tiny@main", MAIN_COMMIT},
        {"org/tiny@v1.5", OTHER_COMMIT},
        {"org/tiny@refs/pr/7", OTHER_COMMIT},
        {"org/tiny@" OTHER_COMMIT, OTHER_COMMIT},
    };
    make_repository(*state);
    set_only("HF_HUB_CACHE", *state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *found = NULL;
        cf_error err = {0};
        if (cf_hub_find(&found, cases[i].model, &err) != CF_OK)
            fail_msg("%s: %s", cases[i].model, err.text);
        assert_string_equal(strrchr(found, '/') + 1, cases[i].commit);
        assert_true(cf_file_is_dir(found));
        free(found);
    }
}

#define EIGHT "12345678"
#define LONG_NAME EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT

static void what_is_not_there_is_said_with_what_to_download(void **state)
{
    static const struct {
        const char *model;
        cf_status status;
        const char *say;
    } cases[] = {
        {"org/other", CF_IO,
         "holds no such model: download config.json, generation_config.json, "
         "preprocessor_config.json, the tokenizer's files and *.safetensors (or "
         "pytorch_model*.bin) of the repository org/other, revision main"},
        {"org/tiny@v9", CF_IO, "holds only other revisions of it: download"},
        {"org/tiny@v9", CF_IO, "of the repository org/tiny, revision v9"},
        {"org/tiny@gone", CF_IO, "holds only other revisions of it"},
        {"org/tiny@012345", CF_IO, "holds only other revisions of it"}, /* part of a commit is none */
        {"org/tiny@escape", CF_FORMAT, "/models--org--tiny/refs/escape: expected a commit, found '../../..'"},
        {"org/tiny@nothing", CF_FORMAT, "refs/nothing: expected a commit, found ''"},
        {"llava-hf/llava-v1.5-7b_x", CF_IO, "holds no such model: download"},
        {LONG_NAME "x/tiny", CF_IO, "x/tiny: expected a model folder, found nothing"},
        {LONG_NAME "/tiny", CF_IO, "holds no such model: download"},
        {"tiny", CF_IO, "tiny: expected a model folder, found nothing"},
        {"/org/tiny", CF_IO, "/org/tiny: expected a model folder, found nothing"},
        {"./tiny", CF_IO, "./tiny: expected a model folder, found nothing"},
        {"../tiny", CF_IO, "../tiny: expected a model folder, found nothing"},
        {"a/org/tiny", CF_IO, "a/org/tiny: expected a model folder, found nothing"},
        {"org/", CF_IO, "org/: expected a model folder, found nothing"},
        {"org/tiny@", CF_IO, "org/tiny@: expected a model folder, found nothing"},
        {"org/tiny@../main", CF_IO, "expected a model folder, found nothing"},
        {"org/tiny@/main", CF_IO, "expected a model folder, found nothing"},
        {"org/ti--ny", CF_IO, "org/ti--ny: expected a model folder, found nothing"},
        {"org/-tiny", CF_IO, "org/-tiny: expected a model folder, found nothing"},
        {"or g/tiny", CF_IO, "or g/tiny: expected a model folder, found nothing"},
        {"", CF_IO, ": expected a model folder, found nothing"},
        {"demo/model/config.json", CF_IO, "demo/model/config.json: expected a model folder, found a file"},
    };
    make_repository(*state);
    set_only("HF_HUB_CACHE", *state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *found = NULL;
        cf_error err = {0};
        const cf_status st = cf_hub_find(&found, cases[i].model, &err);
        if (st != cases[i].status || !strstr(err.text, cases[i].say) || found)
            fail_msg("%s: status %d: %s", cases[i].model, st, err.text);
        const char *last =
            "expected a model folder, found nothing"; /* what is no name is not looked for in the cache */
        if (strstr(cases[i].say, last))
            assert_string_equal(strstr(err.text, last), last);
        assert_null(strstr(err.text, "://"));
    }
    set_only(NULL, NULL);
    char *found = NULL;
    assert_int_equal(cf_hub_look(&found, "org/tiny", NULL), CF_OK);
    assert_null(found);
}

static void an_existing_folder_goes_before_the_cache(void **state)
{
    const char *dir = *state;
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    make_repository(dir);
    make_dirs(dir, "org/tiny");
    make_dirs(dir, "org/tiny@v1.5");
    set_only("HF_HUB_CACHE", dir);
    static const char *const models[] = {"org/tiny", "org/tiny@v1.5"};
    assert_int_equal(chdir(dir), 0);
    for (size_t i = 0; i < 2; i++) {
        char *found = NULL;
        const cf_status st = cf_hub_find(&found, models[i], NULL);
        assert_int_equal(st, CF_OK);
        assert_string_equal(found, models[i]);
        free(found);
    }
    assert_int_equal(chdir(here), 0);
}

/* As the cache has it: the snapshot is links to blobs named by their hashes. */
static void move_into_cache(const char *cache, const char *from)
{
    static const char *const names[] = {"config.json", "model-00001-of-00002.safetensors",
                                        "model-00002-of-00002.safetensors", "model.safetensors.index.json"};
    make_repository(cache);
    make_dirs(cache, "models--org--tiny/blobs");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char blob[64], target[64], snapshot[160];
        (void)snprintf(blob, sizeof blob, "models--org--tiny/blobs/%zu", i);
        (void)snprintf(target, sizeof target, "../../blobs/%zu", i);
        (void)snprintf(snapshot, sizeof snapshot, "models--org--tiny/snapshots/" MAIN_COMMIT "/%s", names[i]);
        char *old = temp_dir_path(from, names[i]), *new = temp_dir_path(cache, blob),
             *link = temp_dir_path(cache, snapshot);
        assert_int_equal(rename(old, new), 0);
        assert_int_equal(symlink(target, link), 0);
        free(link);
        free(new);
        free(old);
    }
}

static void a_model_opens_by_name_through_links_to_blobs(void **state)
{
    char hex[2][CF_HASH_HEX_BYTES];
    char *plain = temp_dir_make();
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    llava_tiny_write(plain, llava_layout_at(0), CF_F16, 2);
    assert_int_equal(cf_checkpoint_open(&c, plain, &err), CF_OK);
    assert_int_equal(cf_checkpoint_hash(hex[0], c, &err), CF_OK);
    cf_checkpoint_close(c);
    move_into_cache(*state, plain);
    set_only("HF_HUB_CACHE", *state);
    if (cf_checkpoint_open(&c, "org/tiny", &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(cf_checkpoint_hash(hex[1], c, &err), CF_OK);
    assert_string_equal(hex[0], hex[1]);
    assert_string_equal(strrchr(cf_checkpoint_dir(c), '/') + 1,
                        MAIN_COMMIT); /* where tokenizer and picture rules lie */
    cf_checkpoint_close(c);
    temp_dir_remove(plain);
}

static void a_download_that_was_cut_short_names_the_file(void **state)
{
    cf_checkpoint *c = NULL;
    cf_error err = {0};
    make_repository(*state);
    set_only("HF_HUB_CACHE", *state);
    assert_int_equal(cf_checkpoint_open(&c, "org/tiny", &err), CF_IO);
    assert_non_null(strstr(err.text, "/snapshots/" MAIN_COMMIT "/config.json: cannot open: No such file"));
}

static void looking_survives_every_failing_allocation(void **state)
{
    make_repository(*state);
    set_only("HF_HUB_CACHE", *state);
    static const char *const models[] = {"org/tiny", "org/none", "demo/model"};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        for (int64_t n = 1;; n++) {
            char *found = NULL;
            cf_error err = {0};
            fail_alloc_at(n);
            const cf_status st = cf_hub_find(&found, models[i], &err);
            if (!fail_alloc_off()) {
                assert_int_equal(st, i == 1 ? CF_IO : CF_OK);
                free(found);
                break;
            }
            assert_int_equal(st, CF_NOMEM);
            assert_null(found);
        }
}

static char *saved[N_VARIABLES];

static int make_dir(void **state)
{
    for (size_t i = 0; i < N_VARIABLES; i++) {
        const char *value = getenv(variables[i]);
        saved[i] = value ? strdup(value) : NULL;
    }
    *state = temp_dir_make();
    return 0;
}

static int remove_dir(void **state)
{
    temp_dir_remove(*state);
    for (size_t i = 0; i < N_VARIABLES; i++) {
        if (saved[i])
            setenv(variables[i], saved[i], 1);
        else
            unsetenv(variables[i]);
        free(saved[i]);
    }
    return 0;
}

int test_hub(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_variable_leads_to_the_cache_in_its_order, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_revision_is_a_branch_a_tag_or_a_commit, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said_with_what_to_download, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(an_existing_folder_goes_before_the_cache, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_model_opens_by_name_through_links_to_blobs, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_download_that_was_cut_short_names_the_file, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(looking_survives_every_failing_allocation, make_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("hub", tests, NULL, NULL);
}
