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
enum { N_FURTHER = sizeof further / sizeof *further };

/* Where the colours begin anew, each has the mark of the next one: 36 flows are told apart. */
static cf_flow_style further_style(size_t nth)
{
    return (cf_flow_style){further[nth % N_FURTHER].colour, further[(nth + nth / N_FURTHER) % N_FURTHER].point};
}

cf_flow_style cf_flow_style_of(const char *flow, size_t *nth)
{
    for (size_t i = 0; i < sizeof paper / sizeof *paper; i++)
        if (strcmp(paper[i].flow, flow) == 0)
            return paper[i].style;
    return further_style((*nth)++);
}

cf_flow_style cf_lens_style_of(cf_lens_line line)
{
    static const cf_flow_style lines[CF_N_LENS_LINES] = {[CF_LENS_ANSWER] = {"#0072b2", 7},
                                                         [CF_LENS_OPTION] = {"#d55e00", 5},
                                                         [CF_LENS_ANSWER_UPPER] = {"#009e73", 9},
                                                         [CF_LENS_OPTION_UPPER] = {"#cc79a7", 13}};
    return lines[line];
}
