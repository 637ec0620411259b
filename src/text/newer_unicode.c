/* newer_unicode.c - stand-ins for characters that two libraries class differently.
 *
 * The tokenizers library matches with Oniguruma, whose tables are Unicode 16.0; PCRE2 10.42 has those of 14.0. A letter
 * or digit of the ranges below (DerivedGeneralCategory, L* and N*, Unicode 15.0 to 16.0) is unassigned to the older
 * tables, so the matcher is shown a letter without case or a digit instead. U+180E is white space to PCRE2 alone (it
 * lost that property in Unicode 6.3). Every stand-in has the length of its character, so that places stay the same. */
#include "text/text_internal.h"

#include <string.h>

typedef struct code_range {
    uint32_t first, last;
} code_range;

static const code_range letters[] = {
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3}, {0x10D4A, 0x10D65},
    {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x1123F, 0x11240}, {0x11380, 0x11389}, {0x1138B, 0x1138B},
    {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7}, {0x113D1, 0x113D1}, {0x113D3, 0x113D3},
    {0x11BC0, 0x11BE0}, {0x11F02, 0x11F02}, {0x11F04, 0x11F10}, {0x11F12, 0x11F33}, {0x1342F, 0x1342F},
    {0x13441, 0x13446}, {0x13460, 0x143FA}, {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF},
    {0x1B132, 0x1B132}, {0x1B155, 0x1B155}, {0x1DF25, 0x1DF2A}, {0x1E030, 0x1E06D}, {0x1E4D0, 0x1E4EB},
    {0x1E5D0, 0x1E5ED}, {0x1E5F0, 0x1E5F0},
};
static const code_range ideographs[] = {{0x2B739, 0x2B739}, {0x2EBF0, 0x2EE5D}, {0x31350, 0x323AF}};
static const code_range digits[] = {
    {0x10D40, 0x10D49}, {0x116D0, 0x116E3}, {0x11BF0, 0x11BF9}, {0x11F50, 0x11F59}, {0x16130, 0x16139},
    {0x16D70, 0x16D79}, {0x1CCF0, 0x1CCF9}, {0x1E4F0, 0x1E4F9}, {0x1E5F1, 0x1E5FA},
};
static const code_range other_numbers[] = {{0x1D2C0, 0x1D2D3}};

static const struct {
    const code_range *ranges;
    size_t n;
    const char *three, *four; /* what stands in for a character of 3 bytes, and of 4 */
} classes[] = {
    {letters, sizeof letters / sizeof letters[0], "\xEA\xA1\x80", "\xF0\x90\x8A\x80"},         /* U+A840, U+10280 */
    {ideographs, sizeof ideographs / sizeof ideographs[0], NULL, "\xF0\xA0\x80\x80"},          /* U+20000 */
    {digits, sizeof digits / sizeof digits[0], NULL, "\xF0\x9D\x9F\x8E"},                      /* U+1D7CE */
    {other_numbers, sizeof other_numbers / sizeof other_numbers[0], NULL, "\xF0\x90\x84\x87"}, /* U+10107 */
};

static bool is_in(const code_range *ranges, size_t n, uint32_t code)
{
    size_t low = 0;
    while (low < n) {
        const size_t middle = low + (n - low) / 2;
        if (code < ranges[middle].first)
            n = middle;
        else if (code > ranges[middle].last)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

/* NULL where the character stands for itself; otherwise as long as its own bytes. */
static const char *stand_in(uint32_t code)
{
    if (code == 0x180E)
        return "\xE2\x80\x8B"; /* U+200B: neither a blank nor a letter */
    if (code < letters[0].first)
        return NULL;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (is_in(classes[i].ranges, classes[i].n, code))
            return code < 0x10000 ? classes[i].three : classes[i].four;
    return NULL;
}

cf_status cf_unicode_stand_ins(cf_str *out, cf_slice text, cf_error *err)
{
    cf_status st = CF_OK;
    size_t kept = 0; /* end of what has been appended */
    for (size_t i = 0; i < text.n;) {
        if ((unsigned char)text.data[i] < 0xE0) { /* shorter characters are all older */
            i++;
            continue;
        }
        uint32_t code = 0;
        const size_t n = cf_utf8_next(&code, text.data + i, text.data + text.n);
        const char *other = stand_in(code);
        if (other) {
            CF_TRY(cf_str_add(out, (cf_slice){text.data + kept, i - kept}, err));
            CF_TRY(cf_str_add(out, (cf_slice){other, n}, err));
            kept = i + n;
        }
        i += n;
    }
    if (kept)
        CF_TRY(cf_str_add(out, (cf_slice){text.data + kept, text.n - kept}, err));
done:
    return st;
}
