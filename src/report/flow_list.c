/* flow_list.c - see flow_list.h. */
#include "report/flow_list.h"

#include <string.h>

bool cf_flow_list_next(cf_slice *flow, cf_slice list, size_t *at)
{
    int depth = 0;
    if (*at > list.n)
        return false;
    size_t end = *at;
    for (; end < list.n && (depth > 0 || list.data[end] != ','); end++)
        depth += (list.data[end] == '(') - (list.data[end] == ')');
    *flow = cf_slice_trim((cf_slice){list.data + *at, end - *at});
    *at = end + 1;
    return true;
}

static cf_slice without_cut(cf_slice flow)
{
    static const char cut[] = "cut";
    cf_slice rest = cf_slice_trim(flow);
    if (rest.n < sizeof cut - 1 || memcmp(rest.data, cut, sizeof cut - 1) != 0)
        return flow;
    rest = cf_slice_trim((cf_slice){rest.data + sizeof cut - 1, rest.n - (sizeof cut - 1)});
    return rest.n && rest.data[0] == ':' ? (cf_slice){rest.data + 1, rest.n - 1} : flow;
}

static bool equal_but_blanks(cf_slice a, cf_slice b)
{
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a.n && a.data[i] == ' ')
            i++;
        while (j < b.n && b.data[j] == ' ')
            j++;
        if (i == a.n || j == b.n)
            return i == a.n && j == b.n;
        if (a.data[i] != b.data[j])
            return false;
    }
}

bool cf_flow_is(cf_slice asked, const char *text)
{
    static const char seed[] = " seed ";
    const cf_slice flow = without_cut(asked), whole = cf_slice_of(text);
    int64_t at = -1, next = -1;
    while ((next = cf_slice_find(whole, cf_slice_of(seed), (size_t)(next + 1))) >= 0)
        at = next;
    return equal_but_blanks(flow, whole) || (at > 0 && equal_but_blanks(flow, (cf_slice){text, (size_t)at}));
}

bool cf_flow_list_has(const char *list, const char *text)
{
    cf_slice flow;
    size_t at = 0;
    if (!list)
        return true;
    while (cf_flow_list_next(&flow, cf_slice_of(list), &at))
        if (cf_flow_is(flow, text))
            return true;
    return false;
}
