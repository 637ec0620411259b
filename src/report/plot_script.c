/* plot_script.c - data blocks, axes, and one band and one line per curve, for gnuplot 5.2 or later.
 *
 * Lengths are in cm of the printed figure. One panel leaves its margins to gnuplot; of several every margin is computed,
 * so that their axes line up and the key has its own room below them. */
#include "report/plot_script.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

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

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t characters_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += begins_character(*text);
    return n;
}

/* The text, of which no more than `most` characters are kept: its beginning and its end. */
static cf_status add_cut(cf_str *out, const char *text, size_t most, cf_error *err)
{
    const size_t n = characters_of(text), tail = most / 4, head = most - tail - 1;
    cf_status st = CF_OK;
    size_t at = 0;
    if (n <= most)
        return cf_str_add_text(out, text, err);
    for (const char *c = text; *c; c++) {
        at += begins_character(*c);
        if (at <= head || at > n - tail)
            CF_TRY(cf_str_add(out, (cf_slice){c, 1}, err));
        else if (at == head + 1 && begins_character(*c))
            CF_TRY(cf_str_add_text(out, "\xe2\x80\xa6", err));
    }
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

typedef struct script {
    cf_str *out;
    const cf_plot *plot;
    size_t begin, end; /* panels */
    cf_figure_format format;
    cf_plot_extent extent;
    const cf_plot_line **key; /* [n_key]: the lines of its panels, each label once */
    size_t n_key;
    size_t key_columns, key_rows, label_characters;
} script;

static size_t first_line(const script *s)
{
    return s->plot->panels[s->begin].begin;
}

static cf_status add_data(const script *s, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(s->out, "# layer, mean, its 95 % interval from and to, samples\n", err));
    for (size_t i = first_line(s); i < s->plot->panels[s->end - 1].end; i++) {
        const cf_plot_line *line = &s->plot->lines[i];
        CF_TRY(cf_str_addf(s->out, err, "$line%zu << END\n", i - first_line(s) + 1));
        for (size_t j = 0; j < line->n_points; j++) {
            const cf_point *p = &line->points[j];
            CF_TRY(cf_str_addf(s->out, err, "%" PRId32, p->layer));
            CF_TRY(add_number(s->out, p->mean, err));
            CF_TRY(add_number(s->out, p->low, err));
            CF_TRY(add_number(s->out, p->high, err));
            CF_TRY(cf_str_addf(s->out, err, " %" PRId64 "\n", p->n));
        }
        CF_TRY(cf_str_add_text(s->out, "END\n", err));
    }
done:
    return st;
}

/* ---- the canvas ---- */

/* One drawing, three media: for print, for a page, and about 2,000 pixels for a screen. Their fonts are of one size
 * beside their lines; terminals differ in how they space them. */
typedef struct medium {
    double key_row; /* cm */
    int key_width;  /* characters added to gnuplot's guess of a label's width, which for svg is far too wide */
    double point_size;
} medium;
static const medium media[CF_N_FIGURE_FORMATS] = {
    [CF_FIGURE_PDF] = {0.38, 0, 0.4}, [CF_FIGURE_SVG] = {0.5, -5, 0.55}, [CF_FIGURE_PNG] = {0.38, 0, 0.55}};

static cf_status add_canvas(const script *s, double width, double height, const char *file, cf_error *err)
{
    enum { SVG_PER_CM = 50, PNG_PER_CM = 120 };
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(s->out, "set encoding utf8\n", err));
    switch (s->format) {
    case CF_FIGURE_PDF:
        CF_TRY(cf_str_addf(s->out, err,
                           "set terminal pdfcairo noenhanced color size %.4gcm,%.4gcm font \"sans-serif,11\"\n", width,
                           height));
        break;
    case CF_FIGURE_SVG:
        CF_TRY(cf_str_addf(
            s->out, err, "set terminal svg noenhanced size %.0f,%.0f font \"sans-serif,14\" background rgb \"white\"\n",
            width * SVG_PER_CM, height * SVG_PER_CM));
        break;
    default:
        CF_TRY(cf_str_addf(s->out, err,
                           "set terminal pngcairo noenhanced color size %.0f,%.0f font \"sans-serif,16\" fontscale 1.5 "
                           "linewidth 2.2 pointscale 2.2 background rgb \"white\"\n",
                           width * PNG_PER_CM, height * PNG_PER_CM));
        break;
    }
    CF_TRY(cf_str_add_text(s->out, "set output ", err));
    CF_TRY(add_quoted(s->out, file, err));
    CF_TRY(cf_str_add_text(s->out, "\n", err));
done:
    return st;
}

/* As many columns of the widest label as a line has room for, evenly filled. */
static void lay_out_key(script *s, size_t line_characters)
{
    enum { SAMPLE = 7, MOST_COLUMNS = 4 }; /* characters that a line's sample takes */
    size_t widest = 0;
    s->label_characters = line_characters - SAMPLE;
    for (size_t i = 0; i < s->n_key; i++) {
        const size_t n = characters_of(s->key[i]->label) + 1; /* the arrow has blanks */
        widest = n > widest ? n : widest;
    }
    widest = widest < s->label_characters ? widest : s->label_characters;
    size_t columns = line_characters / (widest + SAMPLE);
    columns = columns > MOST_COLUMNS ? MOST_COLUMNS : columns;
    columns = columns > s->n_key ? s->n_key : columns;
    columns = columns ? columns : 1;
    s->key_rows = (s->n_key + columns - 1) / columns;
    s->key_rows = s->key_rows ? s->key_rows : 1;
    s->key_columns = columns;
}

/* ---- axes ---- */

/* At most a dozen or so labelled layers; of small panels half as many. */
static int64_t layer_step(const cf_plot_extent *e, int64_t most)
{
    const int64_t n = (int64_t)e->last - e->first + 1;
    int64_t step = 1;
    while (n / step > most)
        step *= 2;
    return step;
}

/* Fixed, not gnuplot's own choice: a study without any effect is a flat line on an axis, not a warning. */
static cf_status add_axes(const script *s, int64_t most_tics, cf_error *err)
{
    const cf_plot_extent *e = &s->extent;
    const double span = fmax(e->high - e->low, 1.0), margin = 0.06 * span;
    return cf_str_addf(s->out, err,
                       "set border 3 lw 0.8 lc rgb \"#404040\"\n"
                       "set tics out nomirror scale 0.6\n"
                       "set grid ytics lt 1 lw 0.5 lc rgb \"#e4e4e4\"\n"
                       "set xzeroaxis lt 1 lw 1.2 lc rgb \"#808080\"\n"
                       "set xrange [%.9g:%.9g]\n"
                       "set yrange [%.9g:%.9g]\n"
                       "set xtics %" PRId32 ", %" PRId64 "\n",
                       e->first - 0.4, e->last + 0.4, e->low - margin, e->high + margin, e->first,
                       layer_step(e, most_tics));
}

/* "ChooseAttr, window 9, 895 samples"; with_window false: without the second. */
static cf_status add_title(const script *s, size_t panel, bool with_window, size_t task_characters, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str text = {0};
    int64_t least, most;
    cf_plot_samples(s->plot, panel, &least, &most);
    CF_TRY(add_cut(&text, s->plot->panels[panel].task, task_characters, err));
    if (with_window)
        CF_TRY(cf_str_addf(&text, err, ", %s", s->plot->window.data));
    CF_TRY(cf_str_add_text(&text, ", ", err));
    if (least != most)
        CF_TRY(cf_str_addf(&text, err, "%" PRId64 " to ", least));
    CF_TRY(cf_str_addf(&text, err, "%" PRId64 " sample%s", most, least == most && most == 1 ? "" : "s"));
    CF_TRY(cf_str_add_text(s->out, "set title ", err));
    CF_TRY(add_label(s->out, text.data, err));
done:
    cf_str_deinit(&text);
    return st;
}

/* ---- lines ---- */

static cf_status add_line(const script *s, const char *data, const cf_plot_line *line, cf_error *err)
{
    return cf_str_addf(s->out, err, "%s with linespoints lt 1 lw 1.8 pt %d ps %g lc rgb \"%s\" ", data,
                       line->style.point, media[s->format].point_size, line->style.colour);
}

static cf_status add_key_title(const script *s, const char *label, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str text = {0};
    CF_TRY(cf_str_add_text(s->out, "title ", err));
    CF_TRY(cf_str_add_text(&text, "", err));
    CF_TRY(add_cut(&text, label, s->label_characters, err));
    CF_TRY(add_label(s->out, text.data, err));
done:
    cf_str_deinit(&text);
    return st;
}

/* Bands first, so that no band covers a line. */
static cf_status add_plot(const script *s, size_t panel, bool with_titles, cf_error *err)
{
    const cf_plot_panel *p = &s->plot->panels[panel];
    const char *band = s->plot->is_share ? "1:($3 < 0 ? 0 : $3):($4 > 100 ? 100 : $4)" : "1:3:4";
    cf_status st = CF_OK;
    for (size_t i = p->begin; i < p->end; i++)
        CF_TRY(cf_str_addf(s->out, err,
                           "%s $line%zu using %s with filledcurves fs transparent solid 0.18 noborder lc rgb \"%s\" "
                           "notitle",
                           i == p->begin ? "plot" : ", \\\n    ", i - first_line(s) + 1, band,
                           s->plot->lines[i].style.colour));
    for (size_t i = p->begin; i < p->end; i++) {
        const cf_plot_line *line = &s->plot->lines[i];
        CF_TRY(cf_str_addf(s->out, err, ", \\\n     $line%zu using 1:2", i - first_line(s) + 1));
        CF_TRY(add_line(s, "", line, err));
        CF_TRY(with_titles ? add_key_title(s, line->label, err) : cf_str_add_text(s->out, "notitle", err));
    }
    CF_TRY(cf_str_add_text(s->out, "\n", err));
done:
    return st;
}

/* ---- one panel ---- */

static cf_status add_single(script *s, const char *file, cf_error *err)
{
    enum { LINE_CHARACTERS = 104, TASK_CHARACTERS = 48, TICS = 16 };
    const double width = 16.0, title = 1.0, panel_h = 7.2, x_axis = 1.35, below = 0.25;
    cf_status st = CF_OK;
    lay_out_key(s, LINE_CHARACTERS);
    const double key_h = below + media[s->format].key_row * (double)s->key_rows,
                 height = title + panel_h + x_axis + key_h;
    CF_TRY(add_canvas(s, width, height, file, err));
    CF_TRY(add_title(s, s->begin, true, TASK_CHARACTERS, err));
    CF_TRY(cf_str_add_text(s->out, "\n", err));
    CF_TRY(add_axes(s, TICS, err));
    CF_TRY(cf_str_addf(s->out, err,
                       "set format x \"%%g\"\nset format y \"%%g\"\n"
                       "set xlabel \"%s\" offset 0,0.4\nset ylabel \"%s\"\n",
                       s->plot->x_axis.data, s->plot->y_axis));
    /* Below the plot, where it covers no line. */
    CF_TRY(cf_str_addf(s->out, err,
                       "set bmargin at screen %.4f\n"
                       "set key at screen 0.5,%.4f top center vertical Left reverse width %d samplen 2.2 spacing 1.15 "
                       "maxrows %zu\n",
                       (x_axis + key_h) / height, key_h / height, media[s->format].key_width, s->key_rows));
    CF_TRY(add_plot(s, s->begin, true, err));
done:
    return st;
}

/* ---- several panels ---- */

typedef struct sheet {
    size_t n, columns, rows;
    double width, height, panel_w, panel_h, left, gap_x, row_h, key_h; /* cm */
} sheet;

static const double sheet_top = 0.15, sheet_title = 0.55; /* of every row */

static sheet lay_out_sheet(const script *s)
{
    enum { MOST_COLUMNS = 3 };
    const double right = 0.25, gap_y = 0.3, x_axis = 1.15;
    sheet h = {.n = s->end - s->begin, .width = 17.4, .left = 1.55, .gap_x = 0.35};
    h.columns = h.n < MOST_COLUMNS ? h.n : h.n == 4 ? 2 : MOST_COLUMNS;
    h.rows = (h.n + h.columns - 1) / h.columns;
    h.panel_w = (h.width - h.left - right - (double)(h.columns - 1) * h.gap_x) / (double)h.columns;
    h.panel_h = h.rows == 1 ? 4.9 : 3.7; /* the axis's label is longer than one low panel */
    h.row_h = sheet_title + h.panel_h + gap_y;
    h.key_h = 0.25 + media[s->format].key_row * (double)s->key_rows;
    h.height = sheet_top + (double)h.rows * h.row_h - gap_y + x_axis + h.key_h;
    return h;
}

static cf_status add_margins(const script *s, const sheet *h, double x, double y, double w, double height,
                             cf_error *err)
{
    return cf_str_addf(s->out, err,
                       "set lmargin at screen %.4f\nset rmargin at screen %.4f\n"
                       "set bmargin at screen %.4f\nset tmargin at screen %.4f\n",
                       x / h->width, (x + w) / h->width, y / h->height, (y + height) / h->height);
}

/* Numbers stand at the left and at the bottom of the sheet only: all panels have the same axes. */
static cf_status add_panel(const script *s, const sheet *h, size_t i, cf_error *err)
{
    enum { TASK_CHARACTERS = 18 };
    const size_t column = i % h->columns, row = i / h->columns;
    const bool bottom = i + h->columns >= h->n;
    cf_status st = CF_OK;
    CF_TRY(cf_str_addf(s->out, err, "\n# panel %zu of %zu\n", i + 1, h->n));
    CF_TRY(add_margins(s, h, h->left + (double)column * (h->panel_w + h->gap_x),
                       h->height - sheet_top - sheet_title - h->panel_h - (double)row * h->row_h, h->panel_w,
                       h->panel_h, err));
    CF_TRY(add_title(s, s->begin + i, false, TASK_CHARACTERS, err));
    CF_TRY(cf_str_addf(s->out, err, " offset 0,-0.6\nset format y \"%s\"\nset format x \"%s\"\n",
                       column == 0 ? "%g" : "", bottom ? "%g" : ""));
    if (bottom)
        CF_TRY(cf_str_addf(s->out, err, "set xlabel \"%s\" offset 0,0.5\n", s->plot->x_axis.data));
    CF_TRY(add_plot(s, s->begin + i, false, err));
    if (i == 0)
        CF_TRY(cf_str_add_text(s->out, "unset label 1\n", err));
done:
    return st;
}

/* A plot of nothing but its key. */
static cf_status add_key(const script *s, const sheet *h, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(s->out, "\n# the key\n", err));
    CF_TRY(add_margins(s, h, 0.0, 0.0, h->width, h->key_h, err));
    CF_TRY(cf_str_addf(
        s->out, err,
        "unset title\nunset xlabel\nunset border\nunset tics\nunset grid\nunset xzeroaxis\n"
        "set key inside center center vertical Left reverse width %d samplen 2.2 spacing 1.15 maxrows %zu\n",
        media[s->format].key_width, s->key_rows));
    for (size_t i = 0; i < s->n_key; i++) {
        CF_TRY(cf_str_add_text(s->out, i == 0 ? "plot" : ", \\\n    ", err));
        CF_TRY(add_line(s, " NaN", s->key[i], err));
        CF_TRY(add_key_title(s, s->key[i]->label, err));
    }
    CF_TRY(cf_str_add_text(s->out, "\n", err));
done:
    return st;
}

static cf_status add_sheet(script *s, const char *file, cf_error *err)
{
    enum { LINE_CHARACTERS = 118, TICS = 9 };
    cf_status st = CF_OK;
    lay_out_key(s, LINE_CHARACTERS);
    const sheet h = lay_out_sheet(s);
    const double middle = 1.0 - 0.5 * ((double)h.rows * h.row_h) / h.height;
    CF_TRY(add_canvas(s, h.width, h.height, file, err));
    CF_TRY(cf_str_add_text(s->out, "set multiplot\n", err));
    CF_TRY(add_axes(s, TICS, err));
    CF_TRY(cf_str_addf(s->out, err, "unset key\nset label 1 \"%s\" at screen %.4f,%.4f center rotate by 90\n",
                       s->plot->y_axis, 0.35 / h.width, middle));
    for (size_t i = 0; i < h.n; i++)
        CF_TRY(add_panel(s, &h, i, err));
    CF_TRY(add_key(s, &h, err));
    CF_TRY(cf_str_add_text(s->out, "unset multiplot\n", err));
done:
    return st;
}

/* ---- the script ---- */

/* The lines of the panels, each label once. */
static cf_status collect_key(script *s, cf_error *err)
{
    const size_t begin = first_line(s), end = s->plot->panels[s->end - 1].end;
    void *key = NULL;
    const cf_status st = cf_alloc(&key, end - begin, sizeof *s->key, "the key of a figure", err);
    if (st != CF_OK)
        return st;
    s->key = key;
    for (size_t i = begin; i < end; i++) {
        bool known = false;
        for (size_t j = 0; j < s->n_key && !known; j++)
            known = strcmp(s->key[j]->label, s->plot->lines[i].label) == 0;
        if (!known)
            s->key[s->n_key++] = &s->plot->lines[i];
    }
    return CF_OK;
}

cf_status cf_plot_script(cf_str *out, const cf_plot *plot, size_t begin, size_t end, cf_figure_format format,
                         const char *file, cf_error *err)
{
    script s = {
        .out = out, .plot = plot, .begin = begin, .end = end, .format = format, .extent = cf_plot_extent_of(plot)};
    cf_status st = CF_OK;
    CF_TRY(collect_key(&s, err));
    CF_TRY(cf_str_addf(out, err, "# crossflow %s; run gnuplot on this file, in its folder, to draw it again\n",
                       CF_VERSION));
    CF_TRY(add_data(&s, err));
    CF_TRY(end - begin == 1 ? add_single(&s, file, err) : add_sheet(&s, file, err));
    CF_TRY(cf_str_add_text(out, "set output\n", err));
done:
    free(s.key);
    return st;
}
