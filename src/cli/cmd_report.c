/* cmd_report.c - crossflow report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "report/page.h"

enum { MOST_STUDIES = 32, MOST_NAMED = 256 };

typedef struct arguments {
    const char *studies[MOST_STUDIES];
    const char *out;
    cf_str named;                  /* as given, separated by commas; the commas become ends */
    const char *names[MOST_NAMED]; /* into it */
    cf_page_options o;
} arguments;

static cf_status split_names(arguments *a, cf_error *err)
{
    a->o.named = a->names;
    for (char *c = a->named.n ? a->named.data : NULL; c;) {
        if (a->o.n_named == MOST_NAMED)
            return cf_fail(err, CF_USAGE, "--sample: expected at most %d samples", (int)MOST_NAMED);
        a->names[a->o.n_named++] = c;
        c = strchr(c, ',');
        if (c)
            *c++ = '\0';
    }
    return CF_OK;
}

/* A page must not take a study's place: the ending tells them apart. */
static cf_status check(const arguments *a, cf_error *err)
{
    const size_t n = strlen(a->out);
    const bool html = n > 5 && a->out[n - 6] != '/' && strcmp(a->out + n - 5, ".html") == 0;
    if (!html)
        return cf_fail(err, CF_USAGE, "%s: expected a page's name that ends in .html", a->out);
    return CF_OK;
}

static cf_status write_page(const arguments *a, cf_error *err)
{
    cf_status st = CF_OK;
    cf_store *stores[MOST_STUDIES] = {0};
    cf_str notes = {0};
    size_t n = 0;
    for (; n < MOST_STUDIES && a->studies[n]; n++)
        CF_TRY(cf_store_open(&stores[n], a->studies[n], err));
    CF_TRY(cf_page_write(stores, n, a->out, &a->o, &notes, err));
    if (notes.n)
        fprintf(stderr, "%s", notes.data);
    fprintf(stderr, "%s: open it in a browser\n", a->out);
done:
    cf_str_deinit(&notes);
    for (size_t i = 0; i < MOST_STUDIES; i++)
        cf_store_close(stores[i]);
    return st;
}

int cf_cmd_report(int argc, char **argv)
{
    arguments a = {.o = cf_page_options_default()};
    const cf_option options[] = {
        {"out", 'o', CF_OPT_NEED, &a.out, "FILE.html", "the page"},
        {"samples", 0, CF_OPT_COUNT, &a.o.n_samples, "N", "samples with pictures, spread over the tasks (default 24)"},
        {"sample", 0, CF_OPT_LIST, &a.named, "TASK.ROW", "one of them; repeatable"},
        {"seed", 0, CF_OPT_COUNT, &a.o.seed, "N", "of the choice of samples (default 1)"},
        {"images", 0, CF_OPT_TEXT, &a.o.images, "DIR", "where the pictures are (default: where the study had them)"},
    };
    const cf_command_line line = {
        .usage = "crossflow report STUDY.db... -o FILE.html [options]",
        .about = "Writes studies (trace, lens, map) as one page to be opened in a browser, from disk and without a "
                 "network: curves,\n"
                 "statistics and provenance; single samples with their picture, tokens and curves; causal maps. Charts "
                 "are saved as\n"
                 "SVG or PNG, tables as CSV, in the page. Studies of one model stand together.",
        .operands = a.studies,
        .min_operands = 1,
        .max_operands = MOST_STUDIES,
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    const int begun = cf_cli_begin(&line, argc, argv);
    if (begun != CF_GO_ON) {
        cf_str_deinit(&a.named);
        return begun;
    }
    cf_error err = {0};
    cf_status st = CF_OK;
    int exit_status = CF_EXIT_USAGE;
    CF_TRY(check(&a, &err));
    CF_TRY(split_names(&a, &err));
    exit_status = CF_EXIT_FAULT;
    CF_TRY(write_page(&a, &err));
done:
    cf_str_deinit(&a.named);
    return st == CF_OK ? CF_EXIT_DONE : cf_cli_fail(&err, exit_status);
}
