/* error.c - formats error messages; see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

cf_status cf_fail(cf_error *err, cf_status status, const char *fmt, ...)
{
    if (!err)
        return status;
    va_list ap;
    va_start(ap, fmt);
    err->status = status;
    (void)vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    for (char *c = err->text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return status;
}
