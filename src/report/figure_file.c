/* figure_file.c - see figure_file.h. */
#include "report/figure_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/gnuplot.h"

static const char *const endings[CF_N_FIGURE_FORMATS] = {
    [CF_FIGURE_PDF] = ".pdf", [CF_FIGURE_SVG] = ".svg", [CF_FIGURE_PNG] = ".png"};

const char *cf_figure_ending(cf_figure_format f)
{
    return endings[f];
}

bool cf_figure_format_find(cf_figure_format *out, const char *name)
{
    for (int i = 0; i < CF_N_FIGURE_FORMATS; i++) {
        if (strcmp(name, endings[i] + 1) == 0) {
            *out = (cf_figure_format)i;
            return true;
        }
    }
    return false;
}

cf_status cf_figure_format_of(cf_figure_format *out, size_t *stem, const char *path, cf_error *err)
{
    const size_t n = strlen(path);
    for (int i = 0; i < CF_N_FIGURE_FORMATS; i++) {
        if (n > 4 && path[n - 5] != '/' && strcmp(path + n - 4, endings[i]) == 0) {
            *out = (cf_figure_format)i;
            *stem = n - 4;
            return CF_OK;
        }
    }
    return cf_fail(err, CF_USAGE, "%s: expected a figure's name that ends in .pdf, .svg or .png", path);
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

cf_status cf_figure_draw(const cf_plot *plot, size_t begin, size_t end, const char *out_path, cf_str *script_path,
                         cf_error *err)
{
    cf_status st = CF_OK;
    cf_str script = {0}, path = {0};
    char *dir = NULL;
    cf_figure_format format = CF_FIGURE_PDF;
    size_t stem = 0;
    CF_TRY(cf_figure_format_of(&format, &stem, out_path, err));
    CF_TRY(cf_plot_script(&script, plot, begin, end, format, last_component(out_path), err));
    CF_TRY(cf_str_add(&path, (cf_slice){out_path, stem}, err));
    CF_TRY(cf_str_add_text(&path, ".gp", err));
    CF_TRY(cf_path_dir(&dir, out_path, err));
    CF_TRY(cf_file_write(path.data, cf_str_slice(&script), err));
    if (script_path)
        CF_TRY(cf_str_add(script_path, cf_str_slice(&path), err));
    CF_TRY(cf_gnuplot_run(dir, last_component(path.data), err));
    if (!cf_file_exists(out_path))
        st = cf_fail(err, CF_IO, "%s: gnuplot has not written the figure", out_path);
done:
    free(dir);
    cf_str_deinit(&path);
    cf_str_deinit(&script);
    return st;
}
