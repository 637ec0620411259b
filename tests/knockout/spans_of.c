/* spans_of.c - see test_knockout.h. */
#include <string.h>

#include "test_knockout.h"

cf_spans spans_of(const char *word)
{
    cf_spans s = {0};
    for (int32_t i = 0; word[i]; i++)
        if (word[i] == 'x')
            OK(cf_spans_add(&s, i, i + 1, &err));
    return s;
}

void word_of(char *word, const cf_spans *s, int32_t n)
{
    memset(word, '.', (size_t)n);
    word[n] = '\0';
    for (size_t i = 0; i < s->n; i++)
        for (int32_t p = s->items[i].begin; p < s->items[i].end; p++) {
            assert_in_range(p, 0, n - 1);
            word[p] = 'x';
        }
}
