/* hub.c - see hub.h. Owns the layout of the cache: huggingface_hub 1.33, constants.py (where it is), _validators.py (what
 * a repository may be called) and file_download.py (models--org--name/refs/REVISION holds a commit, snapshots/COMMIT the
 * files, as links to blobs). */
#include "checkpoint/hub.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { MAX_NAME = 96, MAX_REF_BYTES = 4096 };

typedef struct repository {
    cf_slice org, name, revision;
} repository;

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool holds(cf_slice s, const char *text)
{
    return cf_slice_find(s, cf_slice_of(text), 0) >= 0;
}

static bool is_name(cf_slice s)
{
    if (s.n == 0 || s.n > MAX_NAME || !is_word(s.data[0]) || !is_word(s.data[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_word(s.data[i]) && s.data[i] != '-' && s.data[i] != '.')
            return false;
    return !holds(s, "--") && !holds(s, ".."); /* "--" stands for '/' in the cache */
}

/* A revision may have several components (refs/pr/1); none may lead out of its folder. */
static bool is_revision(cf_slice s)
{
    return s.n > 0 && s.data[0] != '/' && !holds(s, "..");
}

/* False where the text is no name of a repository. */
static bool split(repository *out, const char *model)
{
    const char *slash = strchr(model, '/');
    if (!slash)
        return false;
    const size_t rest = strcspn(slash + 1, "@");
    const char *at = slash + 1 + rest;
    *out = (repository){
        {model, (size_t)(slash - model)}, {slash + 1, rest}, *at ? cf_slice_of(at + 1) : cf_slice_of("main")};
    return is_name(out->org) && is_name(out->name) && is_revision(out->revision);
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* *out = the folder of the cache; "" where not even a home is known. */
static cf_status cache_dir(cf_str *out, cf_error *err)
{
    static const struct {
        const char *variable, *below;
    } places[] = {
        {"HF_HUB_CACHE", ""},
        {"HUGGINGFACE_HUB_CACHE", ""},
        {"HF_HOME", "/hub"},
        {"XDG_CACHE_HOME", "/huggingface/hub"},
        {"HOME", "/.cache/huggingface/hub"},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *value = variable(places[i].variable);
        if (value)
            return cf_str_addf(out, err, "%s%s", value, places[i].below);
    }
    return cf_str_add_text(out, "", err);
}

static cf_status repository_dir(cf_str *out, const repository *r, cf_error *err)
{
    const cf_status st = cache_dir(out, err);
    if (st != CF_OK)
        return st;
    return cf_str_addf(out, err, "/models--%.*s--%.*s", (int)r->org.n, r->org.data, (int)r->name.n, r->name.data);
}

/* *out = the commit that the revision stands for: the content of its ref, or itself where there is none. */
static cf_status commit_of(cf_str *out, const char *dir, cf_slice revision, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str path = {0}, content = {0};
    CF_TRY(cf_str_addf(&path, err, "%s/refs/%.*s", dir, (int)revision.n, revision.data));
    if (!cf_file_exists(path.data)) {
        st = cf_str_add(out, revision, err);
        goto done;
    }
    CF_TRY(cf_file_read(&content, path.data, MAX_REF_BYTES, err));
    const cf_slice commit = cf_slice_trim(cf_str_slice(&content));
    if (!is_name(commit)) { /* a file like any other: it must not lead elsewhere */
        st = cf_fail(err, CF_FORMAT, "%s: expected a commit, found '%.*s'", path.data, (int)commit.n,
                     commit.n ? commit.data : "");
        goto done;
    }
    CF_TRY(cf_str_add(out, commit, err));
done:
    cf_str_deinit(&content);
    cf_str_deinit(&path);
    return st;
}

static cf_status look_in_cache(char **out, const repository *r, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str dir = {0}, commit = {0};
    CF_TRY(repository_dir(&dir, r, err));
    CF_TRY(commit_of(&commit, dir.data, r->revision, err));
    CF_TRY(cf_str_addf(&dir, err, "/snapshots/%s", commit.data));
    if (cf_file_is_dir(dir.data)) {
        *out = dir.data;
        dir.data = NULL;
    } else
        *out = NULL;
done:
    cf_str_deinit(&commit);
    cf_str_deinit(&dir);
    return st;
}

cf_status cf_hub_look(char **dir, const char *model, cf_error *err)
{
    repository r = {0};
    if (cf_file_is_dir(model))
        return cf_strdup(dir, cf_slice_of(model), err);
    if (split(&r, model))
        return look_in_cache(dir, &r, err);
    *dir = NULL;
    return CF_OK;
}

/* Says what is missing, and what to get. */
static cf_status not_found(const char *model, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str cache = {0}, held = {0};
    repository r = {0};
    if (cf_file_exists(model) || !split(&r, model))
        return cf_fail(err, CF_IO, "%s: expected a model folder, found %s", model,
                       cf_file_exists(model) ? "a file" : "nothing");
    CF_TRY(cache_dir(&cache, err));
    CF_TRY(repository_dir(&held, &r, err));
    st = cf_fail(err, CF_IO,
                 "%s: expected a model folder, found nothing; and the hub cache %s holds %s: download "
                 "config.json, generation_config.json, preprocessor_config.json, the tokenizer's files and "
                 "*.safetensors (or pytorch_model*.bin) of the repository %.*s/%.*s, revision %.*s",
                 model, cache.data, cf_file_is_dir(held.data) ? "only other revisions of it" : "no such model",
                 (int)r.org.n, r.org.data, (int)r.name.n, r.name.data, (int)r.revision.n, r.revision.data);
done:
    cf_str_deinit(&held);
    cf_str_deinit(&cache);
    return st;
}

cf_status cf_hub_find(char **dir, const char *model, cf_error *err)
{
    char *found = NULL;
    const cf_status st = cf_hub_look(&found, model, err);
    if (st != CF_OK)
        return st;
    if (!found)
        return not_found(model, err);
    *dir = found;
    return CF_OK;
}
