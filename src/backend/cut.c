/* cut.c - whom a cut concerns. A file of its own: the CUDA plug-in has it, too. */
#include "backend/backend_internal.h"

bool cf_cut_reaches(const cf_cut *cut, int64_t head, int32_t q)
{
    if (cut->heads && !(cut->heads[head / 64] >> (head % 64) & 1))
        return false;
    return cf_spans_contain(cut->query, q);
}
