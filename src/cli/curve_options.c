/* curve_options.c - see curve_options.h. */
#include "cli/curve_options.h"

#include <inttypes.h>
#include <string.h>

static bool is_style(const char *name)
{
    static const char *const names[] = {"centre", "below", "above", "outside", "fixed"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

cf_status cf_curve_words_parse(cf_curve_words *words, cf_measure *measure, bool *drop_empty, cf_error *err)
{
    cf_measure m = CF_MEASURE_PROBABILITY;
    const bool drop = words->empty && strcmp(words->empty, "drop") == 0;
    if (words->style && !is_style(words->style))
        return cf_fail(err, CF_USAGE, "--style %s: expected centre, below, above, outside or fixed", words->style);
    if (words->measure && (!cf_measure_find(&m, cf_slice_of(words->measure)) || !cf_measure_label(m)))
        return cf_fail(err, CF_USAGE, "--measure %s: expected probability, true, whole, difference, rank or flip",
                       words->measure);
    if (words->empty && !drop && strcmp(words->empty, "keep") != 0)
        return cf_fail(err, CF_USAGE, "--empty %s: expected keep or drop", words->empty);
    if (words->window != CF_NO_WINDOW && words->window < 1)
        return cf_fail(err, CF_USAGE, "--window %" PRId32 ": expected 1 or more", words->window);
    if (words->window == CF_NO_WINDOW)
        words->window = 0;
    *measure = m;
    *drop_empty = drop;
    return CF_OK;
}
