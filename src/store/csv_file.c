/* csv_file.c - fields quoted per RFC 4180, and whole files put in place at once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "store/store_internal.h"

cf_status cf_csv_add_field(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    if (!strpbrk(text, ",\"\r\n"))
        return cf_str_add_text(out, text, err);
    CF_TRY(cf_str_add_text(out, "\"", err));
    for (const char *c = text; *c; c++)
        CF_TRY(cf_str_add(out, *c == '"' ? cf_slice_of("\"\"") : (cf_slice){c, 1}, err));
    CF_TRY(cf_str_add_text(out, "\"", err));
done:
    return st;
}

cf_status cf_csv_replace(const char *path, const char *header, const cf_str *lines, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str temporary = {0}, content = {0};
    CF_TRY(cf_str_addf(&temporary, err, "%s.tmp", path));
    CF_TRY(cf_str_add_text(&content, header, err));
    CF_TRY(cf_str_add(&content, cf_str_slice(lines), err));
    st = cf_file_write(temporary.data, cf_str_slice(&content), err);
    if (st == CF_OK && rename(temporary.data, path) != 0)
        st = cf_fail(err, CF_IO, "%s: cannot write: %s", path, strerror(errno));
    if (st != CF_OK)
        (void)unlink(temporary.data);
done:
    cf_str_deinit(&content);
    cf_str_deinit(&temporary);
    return st;
}
