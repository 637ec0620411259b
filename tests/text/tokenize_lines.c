/* tokenize_lines.c - for tools/check_tokenizer.py: reads strings from standard input, one a line as hexadecimal digits, and writes for each
 * "ids|decoded|decoded without special tokens", the texts as hexadecimal digits. With a preset and an image token's id the strings are questions,
 * and the ids of their prompts are all that is written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/prompt.h"
#include "text/tokenizer.h"

static void write_hex(const cf_str *s)
{
    for (size_t i = 0; i < s->n; i++)
        printf("%02x", (unsigned)(unsigned char)s->data[i]);
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* In place: two digits a byte. */
static cf_slice read_hex(char *line, size_t n)
{
    for (size_t i = 0; i < n / 2; i++)
        line[i] = (char)(digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
    return (cf_slice){line, n / 2};
}

static void write_ids(const cf_ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        printf("%s%d", i ? " " : "", ids->items[i]);
}

static cf_status answer(const cf_tokenizer *t, cf_slice text, cf_error *err)
{
    cf_status st = CF_OK;
    cf_ids ids = {0};
    cf_str kept = {0}, skipped = {0};
    CF_TRY(cf_tokenizer_encode(&ids, t, text, true, err));
    CF_TRY(cf_tokenizer_decode(&kept, t, ids.items, ids.n, false, err));
    CF_TRY(cf_tokenizer_decode(&skipped, t, ids.items, ids.n, true, err));
    write_ids(&ids);
    putchar('|');
    write_hex(&kept);
    putchar('|');
    write_hex(&skipped);
    putchar('\n');
done:
    cf_ids_deinit(&ids);
    cf_str_deinit(&kept);
    cf_str_deinit(&skipped);
    return st;
}

static cf_status answer_prompt(const cf_tokenizer *t, const cf_prompt_preset *preset, int32_t image, cf_slice question,
                               cf_error *err)
{
    cf_prompt p = {0};
    const cf_status st = cf_prompt_create(&p, t, image, preset->text, question, preset->whole, err);
    if (st == CF_OK) {
        write_ids(&p.ids);
        putchar('\n');
    }
    cf_prompt_deinit(&p);
    return st;
}

int main(int argc, char **argv)
{
    cf_error err = {0};
    cf_tokenizer *t = NULL;
    int64_t image = 0;
    const cf_prompt_preset *preset = argc == 4 ? cf_prompt_preset_named(argv[2]) : NULL;
    const bool good = argc == 2 || (preset && cf_parse_i64(&image, cf_slice_of(argv[3])));
    cf_status st = good ? cf_tokenizer_open(&t, argv[1], &err)
                        : cf_fail(&err, CF_USAGE, "usage: tokenize_lines FOLDER [PRESET IMAGE_ID]");
    char *line = NULL;
    size_t cap = 0;
    while (st == CF_OK) {
        const ssize_t n = getline(&line, &cap, stdin);
        if (n < 0)
            break;
        const cf_slice text = read_hex(line, (size_t)n);
        st = preset ? answer_prompt(t, preset, (int32_t)image, text, &err) : answer(t, text, &err);
    }
    if (st != CF_OK)
        fprintf(stderr, "%s\n", err.text);
    free(line);
    cf_tokenizer_close(t);
    return st == CF_OK ? 0 : 1;
}
