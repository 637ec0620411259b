/* single_question.c - see single_question.h. */
#include "study/single_question.h"

static const char header[] = "question_id,img_id,question,answer,true option,false option,central object name,"
                             "central object x,central object y,central object w,central object h\n";

/* A quoted cell (RFC 4180) and a comma. */
static cf_status add_cell(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "\"", err));
    for (const char *c = text ? text : "-"; *c; c++)
        CF_TRY(*c == '"' ? cf_str_add_text(out, "\"\"", err) : cf_str_add(out, (cf_slice){c, 1}, err));
    CF_TRY(cf_str_add_text(out, "\",", err));
done:
    return st;
}

cf_status cf_single_question_print(cf_str *out, const cf_single_question *q, cf_error *err)
{
    const char *const cells[] = {"0", q->image, q->text, q->answer, q->true_option, q->false_option, q->object};
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, header, err));
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        CF_TRY(add_cell(out, cells[i], err));
    if (q->has_box)
        CF_TRY(cf_str_addf(out, err, "%lld,%lld,%lld,%lld\n", (long long)q->x, (long long)q->y, (long long)q->w,
                           (long long)q->h));
    else
        CF_TRY(cf_str_add_text(out, "-,-,-,-\n", err));
done:
    return st;
}
