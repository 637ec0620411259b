/* group_list.c - several groups in one text; see group_expr.h. */
#include <stdlib.h>

#include "base/memory.h"
#include "knockout/grammar_internal.h"

void cf_group_list_free(cf_group_expr *groups, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cf_group_expr_deinit(&groups[i]);
    free(groups);
}

cf_status cf_group_list_parse(cf_group_expr **out, size_t *n, cf_slice list, cf_error *err)
{
    cf_status st = CF_OK;
    cf_reader r;
    void *groups = NULL;
    size_t count = 0, cap = 0;
    cf_reader_begin(&r, "group", list);
    do {
        CF_TRY(cf_grow(&groups, &cap, count + 1, sizeof(cf_group_expr), "groups", err));
        cf_group_expr *one = (cf_group_expr *)groups + count;
        *one = (cf_group_expr){0};
        count++;
        CF_TRY(cf_read_group(one, &r, err));
    } while (cf_reader_take(&r, ','));
    CF_TRY(cf_reader_need(&r, CF_TOKEN_END, "\"+\", \"-\", \",\" or the end", err));
    *out = groups;
    *n = count;
    groups = NULL;
    count = 0;
done:
    cf_group_list_free(groups, count);
    return st;
}
