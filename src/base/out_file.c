/* out_file.c - see out_file.h: a reader never sees half of a file. */
#include "base/out_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cf_status cannot_write(const char *path, int error, cf_error *err)
{
    return cf_fail(err, CF_IO, "%s: cannot write: %s", path, strerror(error));
}

cf_status cf_out_file_open(cf_out_file *f, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str temporary = {0};
    CF_TRY(cf_str_addf(&temporary, err, "%s.tmp", path));
    CF_TRY(cf_strdup(&f->path, cf_slice_of(path), err));
    f->stream = fopen(temporary.data, "wb");
    if (!f->stream) {
        st = cannot_write(path, errno, err);
        goto done;
    }
    f->temporary = temporary.data; /* from here on there is something to remove */
    temporary.data = NULL;
done:
    cf_str_deinit(&temporary);
    return st;
}

cf_status cf_out_file_add(cf_out_file *f, cf_slice text, cf_error *err)
{
    if (text.n && fwrite(text.data, 1, text.n, f->stream) != text.n)
        return cannot_write(f->path, errno, err);
    return CF_OK;
}

cf_status cf_out_file_close(cf_out_file *f, cf_error *err)
{
    FILE *stream = f->stream;
    f->stream = NULL;
    if (fclose(stream) != 0 || rename(f->temporary, f->path) != 0)
        return cannot_write(f->path, errno, err);
    free(f->temporary);
    f->temporary = NULL;
    return CF_OK;
}

void cf_out_file_deinit(cf_out_file *f)
{
    if (f->stream)
        (void)fclose(f->stream);
    if (f->temporary)
        (void)unlink(f->temporary);
    free(f->temporary);
    free(f->path);
    *f = (cf_out_file){0};
}
