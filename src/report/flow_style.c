/* flow_style.c - colours of the paper's six flows and of further ones.
 *
 * The six are from the palette of Okabe and Ito (Color Universal Design, 2008), told apart with every common colour
 * vision; the further ones from Paul Tol's "muted" scheme (SRON technical note 09-002), beginning with those least
 * like the six. */
#include "report/flow_style.h"

#include <string.h>

static const struct {
    const char *flow;
    cf_flow_style style;
} paper[] = {
    {"Question->Last", {"#0072b2", 7}},
    {"Image->Last", {"#d55e00", 5}},
    {"Last->Last", {"#595959", 2}},
    {"Image->Question", {"#009e73", 9}},
    {"Image Central Object->Question", {"#cc79a7", 13}},
    {"Image Without Central Object->Question", {"#e69f00", 11}},
};

static const cf_flow_style further[] = {
    {"#332288", 6}, {"#882255", 4}, {"#88ccee", 8}, {"#999933", 10}, {"#44aa99", 12}, {"#cc6677", 14},
};

cf_flow_style cf_flow_style_of(const char *flow, size_t *nth)
{
    for (size_t i = 0; i < sizeof paper / sizeof *paper; i++)
        if (strcmp(paper[i].flow, flow) == 0)
            return paper[i].style;
    return further[(*nth)++ % (sizeof further / sizeof *further)];
}
