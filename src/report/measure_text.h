/* measure_text.h - how numbers of a measure are written and read; what they mean is cf_measure_label's. */
#ifndef CF_REPORT_MEASURE_TEXT_H
#define CF_REPORT_MEASURE_TEXT_H

#include "store/store.h"

enum { CF_CHANGE_BYTES = 32 };

typedef struct cf_measure_text {
    const char *unit; /* " %" or "" */
    int decimals;
    double notable; /* the change from which a reading names a layer */
} cf_measure_text;

const cf_measure_text *cf_measure_text_of(cf_measure m);
/* With the measure's decimals; what rounds to zero has no sign. */
void cf_change_print(char out[CF_CHANGE_BYTES], const cf_measure_text *m, double change);
/* As it is shown: rounded to the decimals. */
double cf_change_shown(const cf_measure_text *m, double change);

#endif
