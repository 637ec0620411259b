/* export_name.c - the names of exported files. A name is a name in its folder and nothing else, that shells and file
 * systems take as it is: tasks and flows hold what people write. */
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "store/store_internal.h"

enum { LONGEST = 200 }; /* bytes; file systems stop at 255, and a temporary name is longer */
static const char ending[] = ".csv";

static bool is_plain(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80 ||
           (c != '\0' && strchr("-_.,+=@", c));
}

static cf_status add_part(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    for (const char *c = text; *c; c++) {
        if (c[0] == '-' && c[1] == '>') {
            CF_TRY(cf_str_add_text(out, "-to-", err));
            c++;
        } else
            CF_TRY(cf_str_add(out, is_plain((unsigned char)*c) ? (cf_slice){c, 1} : cf_slice_of("_"), err));
    }
done:
    return st;
}

/* "_FLOW_k9", "_FLOW_below", "_FLOW_outside_k9", then "_l4" and "_r2". */
static cf_status add_run(cf_str *out, const cf_run_entry *run, bool with_centre, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "_", err));
    CF_TRY(add_part(out, run->label, err));
    if (strcmp(run->style, "centre") != 0) {
        CF_TRY(cf_str_add_text(out, "_", err));
        CF_TRY(add_part(out, run->style, err));
    }
    if (cf_style_has_window(run->style))
        CF_TRY(cf_str_addf(out, err, "_k%" PRId32, run->window));
    if (with_centre && cf_style_has_centre(run->style))
        CF_TRY(cf_str_addf(out, err, "_l%" PRId32, run->centre));
    if (cf_run_is_random(run))
        CF_TRY(cf_str_addf(out, err, "_r%" PRId32, run->repeat));
done:
    return st;
}

/* Cuts a long name, between two characters of UTF-8, and ends it in a hash of the whole. */
static cf_status shorten(cf_str *name, cf_error *err)
{
    const size_t most = LONGEST - (sizeof ending - 1);
    char digits[CF_HASH_HEX_BYTES];
    cf_hash *hash = NULL;
    if (name->n <= most)
        return CF_OK;
    cf_status st = cf_hash_create(&hash, err);
    if (st != CF_OK)
        return st;
    cf_hash_add(hash, name->data, name->n);
    cf_hash_hex(hash, digits);
    cf_hash_free(hash);
    size_t n = most - CF_HASH_HEX_BYTES; /* its NUL's byte is the '-' */
    while (n && ((unsigned char)name->data[n] & 0xc0) == 0x80)
        n--;
    name->n = n;
    return cf_str_addf(name, err, "-%s", digits);
}

cf_status cf_export_name(cf_export_names *names, cf_str *out, const cf_store *s, const char *task, const char *kind,
                         const cf_run_entry *run, bool with_centre, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str name = {0}, line = {0};
    CF_TRY(add_part(&name, task, err));
    CF_TRY(cf_str_add_text(&name, kind, err));
    if (run)
        CF_TRY(add_run(&name, run, with_centre, err));
    CF_TRY(shorten(&name, err));
    CF_TRY(cf_str_add_text(&name, ending, err));
    /* Tasks "a b" and "a_b" would share a file. */
    CF_TRY(cf_str_addf(&line, err, "\n%s\n", name.data));
    if (names->seen.data && cf_slice_find(cf_str_slice(&names->seen), cf_str_slice(&line), 0) >= 0) {
        st = cf_fail(err, CF_MISMATCH, "%s: two curves of the study would be written to %s", s->path, name.data);
        goto done;
    }
    CF_TRY(cf_str_add(&names->seen, cf_str_slice(&line), err));
    CF_TRY(cf_str_add(out, cf_str_slice(&name), err));
done:
    cf_str_deinit(&line);
    cf_str_deinit(&name);
    return st;
}
