/* measures.c - what is measured: names, what a curve of each shows, and how a value is compared with the baseline's. */
#include <math.h>

#include "store/store_internal.h"

typedef enum comparison {
    RELATIVE,   /* 100 (v2 - v1) / v1 */
    DIFFERENCE, /* v2 - v1 */
    SHARE,      /* 100 v2 */
    NONE
} comparison;

static const struct {
    const char *name, *label;
    comparison comparison;
} measures[CF_N_MEASURES] = {
    [CF_MEASURE_PROBABILITY] = {"probability", "change of the answer's probability (%)", RELATIVE},
    [CF_MEASURE_TRUE] = {"true", "change of the true answer's probability (%)", RELATIVE},
    [CF_MEASURE_WHOLE] = {"whole", "change of the whole answer's probability (%)", RELATIVE},
    [CF_MEASURE_DIFFERENCE] = {"difference", "change of the options' logit difference", DIFFERENCE},
    [CF_MEASURE_RANK] = {"rank", "change of the answer's rank", DIFFERENCE},
    [CF_MEASURE_FLIP] = {"flip", "answers that flip (%)", SHARE},
    [CF_MEASURE_TOP] = {"top", NULL, NONE},
};

const char *cf_measure_name(cf_measure m)
{
    return measures[m].name;
}

bool cf_measure_find(cf_measure *out, cf_slice name)
{
    for (int i = 0; i < CF_N_MEASURES; i++) {
        if (cf_slice_is(name, measures[i].name)) {
            *out = (cf_measure)i;
            return true;
        }
    }
    return false;
}

const char *cf_measure_label(cf_measure m)
{
    return measures[m].label;
}

double cf_measure_change(cf_measure m, double baseline, double value)
{
    if (isnan(baseline) || isnan(value))
        return (double)NAN;
    switch (measures[m].comparison) {
    case RELATIVE:
        return baseline > 0.0 ? 100.0 * (value - baseline) / baseline : (double)NAN;
    case DIFFERENCE:
        return value - baseline;
    case SHARE:
        return 100.0 * value;
    case NONE:
        break;
    }
    return (double)NAN;
}

cf_status cf_measure_check_curve(cf_measure m, cf_error *err)
{
    return measures[m].label ? CF_OK
                             : cf_fail(err, CF_USAGE, "%s: expected a measure that has a curve", measures[m].name);
}
