/* measure_text.c - see measure_text.h. */
#include "report/measure_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const cf_measure_text *cf_measure_text_of(cf_measure m)
{
    static const cf_measure_text percent = {" %", 1, 5.0}, logits = {"", 2, 0.5}, ranks = {"", 1, 1.0};
    switch (m) {
    case CF_MEASURE_DIFFERENCE:
        return &logits;
    case CF_MEASURE_RANK:
        return &ranks;
    default:
        return &percent;
    }
}

void cf_change_print(char out[CF_CHANGE_BYTES], const cf_measure_text *m, double change)
{
    (void)snprintf(out, CF_CHANGE_BYTES, "%.*f", m->decimals, change);
    if (out[0] == '-' && out[1 + strspn(out + 1, "0.")] == '\0')
        (void)snprintf(out, CF_CHANGE_BYTES, "%.*f", m->decimals, 0.0);
}

double cf_change_shown(const cf_measure_text *m, double change)
{
    const double scale = pow(10.0, m->decimals);
    return round(change * scale) / scale;
}
