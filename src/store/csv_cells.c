/* csv_cells.c - the cells of CSV files: quoting per RFC 4180, and numbers that read back. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

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

cf_status cf_csv_add_float(cf_str *out, double v, cf_error *err)
{
    const cf_status st = cf_str_add_text(out, ",", err);
    return st == CF_OK && !isnan(v) ? cf_str_add_float(out, v, err) : st;
}

cf_status cf_csv_add_double(cf_str *out, double v, cf_error *err)
{
    return isnan(v) ? cf_str_add_text(out, ",", err) : cf_str_addf(out, err, ",%.17g", v);
}

cf_status cf_csv_add_window(cf_str *out, const char *style, int32_t window, cf_error *err)
{
    return cf_style_has_window(style) ? cf_str_addf(out, err, ",%" PRId32, window) : cf_str_add_text(out, ",", err);
}

cf_status cf_csv_add_centre(cf_str *out, const char *style, int32_t centre, cf_error *err)
{
    return cf_style_has_centre(style) ? cf_str_addf(out, err, ",%" PRId32, centre) : cf_str_add_text(out, ",", err);
}
