/* figure_script.c - data blocks, axes, and one band and one line per curve, for gnuplot 5.2 or later. */
#include "report/figure_script.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/flow_style.h"

/* ---- text ---- */

/* Double quotes, with every character that means something to gnuplot as an octal escape. That is safe where it
 * stands: a backquote, which gnuplot runs as a command, is looked for before escapes are read. */
static cf_status add_quoted(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "\"", err));
    for (const char *c = text; *c; c++) {
        const unsigned char byte = (unsigned char)*c;
        if (byte < ' ' || byte == 0x7f || strchr("\"'`\\@$", *c))
            CF_TRY(cf_str_addf(out, err, "\\%03o", (unsigned)byte));
        else
            CF_TRY(cf_str_add(out, (cf_slice){c, 1}, err));
    }
    CF_TRY(cf_str_add_text(out, "\"", err));
done:
    return st;
}

/* A text to be seen: one line, "->" as an arrow. */
static cf_status add_label(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str line = {0};
    CF_TRY(cf_str_add_text(&line, "", err));
    for (const char *c = text; *c; c++) {
        const unsigned char byte = (unsigned char)*c;
        if (c[0] == '-' && c[1] == '>') {
            CF_TRY(cf_str_add_text(&line, " \xe2\x86\x92 ", err));
            c++;
        } else
            CF_TRY(cf_str_add(&line, byte < ' ' || byte == 0x7f ? cf_slice_of(" ") : (cf_slice){c, 1}, err));
    }
    CF_TRY(add_quoted(out, line.data, err));
done:
    cf_str_deinit(&line);
    return st;
}

/* ---- data ---- */

static cf_status add_number(cf_str *out, double v, cf_error *err)
{
    return isfinite(v) ? cf_str_addf(out, err, " %.9g", v) : cf_str_add_text(out, " NaN", err);
}

static cf_status add_data(cf_str *out, const cf_figure_plot *plot, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "# layer, mean change in %, its 95 % interval from and to, samples\n", err));
    for (size_t i = 0; i < plot->n_curves; i++) {
        const cf_curve *c = plot->curves[i];
        CF_TRY(cf_str_addf(out, err, "$flow%zu << END\n", i + 1));
        for (size_t j = 0; j < c->n_points; j++) {
            const cf_point *p = &c->points[j];
            CF_TRY(cf_str_addf(out, err, "%" PRId32, p->layer));
            CF_TRY(add_number(out, p->mean, err));
            CF_TRY(add_number(out, p->low, err));
            CF_TRY(add_number(out, p->high, err));
            CF_TRY(cf_str_addf(out, err, " %" PRId64 "\n", p->n));
        }
        CF_TRY(cf_str_add_text(out, "END\n", err));
    }
done:
    return st;
}

/* ---- axes ---- */

typedef struct extent {
    int32_t first, last; /* layers */
    double low, high;    /* of the intervals, and 0 */
    int64_t n_least, n_most;
} extent;

static extent extent_of(const cf_figure_plot *plot)
{
    extent e = {.first = INT32_MAX, .last = INT32_MIN, .n_least = INT64_MAX};
    for (size_t i = 0; i < plot->n_curves; i++) {
        for (size_t j = 0; j < plot->curves[i]->n_points; j++) {
            const cf_point *p = &plot->curves[i]->points[j];
            e.first = p->layer < e.first ? p->layer : e.first;
            e.last = p->layer > e.last ? p->layer : e.last;
            e.n_least = p->n < e.n_least ? p->n : e.n_least;
            e.n_most = p->n > e.n_most ? p->n : e.n_most;
            if (isfinite(p->low) && isfinite(p->high)) {
                e.low = fmin(e.low, p->low);
                e.high = fmax(e.high, p->high);
            }
        }
    }
    return e;
}

/* At most a dozen or so labelled layers. */
static int64_t layer_step(const extent *e)
{
    const int64_t n = (int64_t)e->last - e->first + 1;
    int64_t step = 1;
    while (n / step > 16)
        step *= 2;
    return step;
}

/* Fixed, not gnuplot's own choice: a study without any effect is a flat line on an axis, not a warning. */
static cf_status add_axes(cf_str *out, const cf_figure_plot *plot, const extent *e, cf_error *err)
{
    cf_status st = CF_OK;
    const double span = fmax(e->high - e->low, 1.0), margin = 0.06 * span;
    const int32_t window = plot->curves[0]->window;
    CF_TRY(cf_str_addf(out, err,
                       "set border 3 lw 0.8 lc rgb \"#404040\"\n"
                       "set tics out nomirror scale 0.6\n"
                       "set grid ytics lt 1 lw 0.5 lc rgb \"#e4e4e4\"\n"
                       "set xzeroaxis lt 1 lw 1.2 lc rgb \"#808080\"\n"
                       "set xrange [%.9g:%.9g]\n"
                       "set yrange [%.9g:%.9g]\n"
                       "set xtics %" PRId32 ", %" PRId64 "\n",
                       e->first - 0.4, e->last + 0.4, e->low - margin, e->high + margin, e->first, layer_step(e)));
    CF_TRY(cf_str_addf(out, err, "set xlabel \"%s\" offset 0,0.5\n",
                       window == 1 ? "layer" : "centre layer of the window"));
    CF_TRY(cf_str_add_text(out, "set ylabel \"change of the answer's probability (%)\"\n", err));
    /* Below the plot, where it covers no line; in two columns. */
    CF_TRY(cf_str_addf(out, err, "set key bmargin center vertical Left reverse samplen 2.2 spacing 1.15 maxrows %zu\n",
                       (plot->n_curves + 1) / 2));
done:
    return st;
}

static cf_status add_title(cf_str *out, const cf_figure_plot *plot, const extent *e, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str text = {0};
    const int32_t window = plot->curves[0]->window;
    CF_TRY(cf_str_addf(&text, err, "%s, window of %" PRId32 " layer%s, ", plot->title, window, window == 1 ? "" : "s"));
    if (e->n_least != e->n_most)
        CF_TRY(cf_str_addf(&text, err, "%" PRId64 " to ", e->n_least));
    CF_TRY(cf_str_addf(&text, err, "%" PRId64 " sample%s", e->n_most,
                       e->n_least == e->n_most && e->n_most == 1 ? "" : "s"));
    CF_TRY(cf_str_add_text(out, "set title ", err));
    CF_TRY(add_label(out, text.data, err));
    CF_TRY(cf_str_add_text(out, "\n", err));
done:
    cf_str_deinit(&text);
    return st;
}

/* ---- the plot ---- */

/* Bands first, so that no band covers a line. */
static cf_status add_plot(cf_str *out, const cf_figure_plot *plot, cf_error *err)
{
    cf_status st = CF_OK;
    size_t nth = 0;
    for (size_t i = 0; i < plot->n_curves; i++) {
        const cf_flow_style style = cf_flow_style_of(plot->curves[i]->spec, &nth);
        CF_TRY(cf_str_addf(out, err,
                           "%s $flow%zu using 1:3:4 with filledcurves fs transparent solid 0.18 noborder lc rgb \"%s\" "
                           "notitle",
                           i == 0 ? "plot" : ", \\\n    ", i + 1, style.colour));
    }
    nth = 0;
    for (size_t i = 0; i < plot->n_curves; i++) {
        const cf_flow_style style = cf_flow_style_of(plot->curves[i]->spec, &nth);
        CF_TRY(cf_str_addf(
            out, err, ", \\\n     $flow%zu using 1:2 with linespoints lt 1 lw 1.8 pt %d ps 0.55 lc rgb \"%s\" title ",
            i + 1, style.point, style.colour));
        CF_TRY(add_label(out, plot->curves[i]->spec, err));
    }
    CF_TRY(cf_str_add_text(out, "\nset output\n", err));
done:
    return st;
}

cf_status cf_figure_script(cf_str *out, const cf_figure_plot *plot, cf_error *err)
{
    /* One drawing, three media: 16 cm wide as in a two-column page, and 1,920 pixels for a screen. */
    static const char *const terminals[] = {
        [CF_FIGURE_PDF] = "pdfcairo noenhanced color size 16cm,10.5cm font \"sans-serif,10\"",
        [CF_FIGURE_SVG] = "svg noenhanced size 800,525 font \"sans-serif,14\" background rgb \"white\"",
        [CF_FIGURE_PNG] =
            ("pngcairo noenhanced color size 1920,1260 font \"sans-serif,16\" fontscale 1.5 linewidth 2.2 "
             "pointscale 2.2 background rgb \"white\"")};
    const extent e = extent_of(plot);
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(
        out, "# crossflow " CF_VERSION "; run gnuplot on this file, in its folder, to draw it again\n", err));
    CF_TRY(add_data(out, plot, err));
    CF_TRY(cf_str_addf(out, err, "set encoding utf8\nset terminal %s\nset output ", terminals[plot->format]));
    CF_TRY(add_quoted(out, plot->file, err));
    CF_TRY(cf_str_add_text(out, "\n", err));
    CF_TRY(add_title(out, plot, &e, err));
    CF_TRY(add_axes(out, plot, &e, err));
    CF_TRY(add_plot(out, plot, err));
done:
    return st;
}
