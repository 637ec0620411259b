/* options.c - see options.h. */
#include "cli/options.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { HELP_COLUMN = 30 };

static void print_help(const cf_command_line *c)
{
    printf("usage: %s\n\n%s\n\noptions:\n", c->usage, c->about);
    for (size_t i = 0; i < c->n_options; i++) {
        const cf_option *o = &c->options[i];
        int at = o->letter ? printf("  -%c, ", o->letter) : printf("  ");
        at += printf("--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        if (at >= HELP_COLUMN) {
            printf("\n");
            at = 0;
        }
        for (const char *line = o->help; line;) { /* a newline in the help continues in the same column */
            const char *end = strchr(line, '\n');
            printf("%*s%.*s\n", HELP_COLUMN - at, "", end ? (int)(end - line) : (int)strlen(line), line);
            line = end ? end + 1 : NULL;
            at = 0;
        }
    }
    printf("%*s%s\n", -HELP_COLUMN, "  --help", "this text");
}

static const cf_option *find(const cf_command_line *c, const char *word, const char **value)
{
    *value = NULL;
    for (size_t i = 0; i < c->n_options; i++) {
        const cf_option *o = &c->options[i];
        if (word[1] != '-' && o->letter && word[1] == o->letter) {
            *value = word[2] ? word + 2 : NULL;
            return o;
        }
        const size_t n = strlen(o->name);
        if (word[1] == '-' && strncmp(word + 2, o->name, n) == 0 && (word[2 + n] == '\0' || word[2 + n] == '=')) {
            *value = word[2 + n] == '=' ? word + 2 + n + 1 : NULL;
            return o;
        }
    }
    return NULL;
}

static cf_status set(const cf_option *o, const char *value, cf_error *err)
{
    int64_t number = 0;
    cf_status st = CF_OK;
    switch (o->kind) {
    case CF_OPT_FLAG:
        *(bool *)o->target = true;
        break;
    case CF_OPT_TEXT:
    case CF_OPT_NEED:
        *(const char **)o->target = value;
        break;
    case CF_OPT_INT:
        if (!cf_parse_i64(&number, cf_slice_of(value)) || number < INT32_MIN || number > INT32_MAX)
            return cf_fail(err, CF_USAGE, "--%s %s: expected a whole number", o->name, value);
        *(int32_t *)o->target = (int32_t)number;
        break;
    case CF_OPT_COUNT:
        if (!cf_parse_i64(&number, cf_slice_of(value)) || number < 0)
            return cf_fail(err, CF_USAGE, "--%s %s: expected a whole number, 0 or more", o->name, value);
        *(int64_t *)o->target = number;
        break;
    case CF_OPT_LIST: {
        cf_str *list = o->target;
        if (list->n)
            st = cf_str_add_text(list, ",", err);
        if (st == CF_OK)
            st = cf_str_add_text(list, value, err);
        break;
    }
    }
    return st;
}

cf_status cf_options_parse(const cf_command_line *c, int argc, char **argv, bool *helped, cf_error *err)
{
    size_t n = 0;
    bool options_ended = false;
    *helped = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i], *value;
        if (!options_ended && strcmp(word, "--") == 0) {
            options_ended = true;
            continue;
        }
        if (!options_ended && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            print_help(c);
            *helped = true;
            return CF_OK;
        }
        if (options_ended || word[0] != '-' || word[1] == '\0') {
            if (n == c->max_operands)
                return cf_fail(err, CF_USAGE, "unexpected \"%s\"; usage: %s", word, c->usage);
            c->operands[n++] = word;
            continue;
        }
        const cf_option *o = find(c, word, &value);
        if (!o)
            return cf_fail(err, CF_USAGE, "unknown option %s; usage: %s (--help lists the options)", word, c->usage);
        if (o->kind == CF_OPT_FLAG && value)
            return cf_fail(err, CF_USAGE, "--%s takes no value", o->name);
        if (o->kind != CF_OPT_FLAG && !value && i + 1 == argc)
            return cf_fail(err, CF_USAGE, "--%s needs a value: %s", o->name, o->value);
        if (o->kind != CF_OPT_FLAG && !value)
            value = argv[++i];
        const cf_status st = set(o, value, err);
        if (st != CF_OK)
            return st;
    }
    if (n < c->min_operands)
        return cf_fail(err, CF_USAGE, "usage: %s (--help explains)", c->usage);
    for (size_t i = 0; i < c->n_options; i++)
        if (c->options[i].kind == CF_OPT_NEED && !*(const char **)c->options[i].target)
            return cf_fail(err, CF_USAGE, "--%s %s is needed; usage: %s", c->options[i].name, c->options[i].value,
                           c->usage);
    return CF_OK;
}
