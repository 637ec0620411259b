/* measure.c - see measure.h. */
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/str.h"
#include "base/version.h"

void series_add(series *s, double value)
{
    if (s->n < MAX_REPEATS)
        s->values[s->n++] = value;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double series_median(const series *s)
{
    series sorted = *s;
    if (s->n == 0)
        return 0;
    qsort(sorted.values, (size_t)s->n, sizeof sorted.values[0], by_value);
    return (sorted.values[(s->n - 1) / 2] + sorted.values[s->n / 2]) / 2;
}

double series_min(const series *s)
{
    double least = s->n ? s->values[0] : 0;
    for (int i = 1; i < s->n; i++)
        least = s->values[i] < least ? s->values[i] : least;
    return least;
}

double series_max(const series *s)
{
    double most = s->n ? s->values[0] : 0;
    for (int i = 1; i < s->n; i++)
        most = s->values[i] > most ? s->values[i] : most;
    return most;
}

double seconds_since(int64_t begin_ns)
{
    return (double)(cf_clock_ns() - begin_ns) * 1e-9;
}

/* The processor's name as the system tells it, without what would break a CSV cell. */
static void print_processor(void)
{
    char line[256];
    const char *name = "unknown";
    FILE *info = fopen("/proc/cpuinfo", "r");
    while (info && fgets(line, (int)sizeof line, info))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
            line[strcspn(line, "\n")] = '\0';
            name = strchr(line, ':') + 1;
            name += strspn(name, " ");
            break;
        }
    for (const char *c = name; *c; c++)
        (void)putchar(*c == ',' || *c == '"' ? ' ' : *c);
    if (info)
        (void)fclose(info);
}

void print_head(void)
{
    (void)puts("version,processor,threads,question,what,unit,n,median,min,max,of,ratio,target");
}

void print_row(const char *question, const char *what, const char *unit, const series *s, yardstick_row beside,
               int threads)
{
    const double median = series_median(s);
    (void)printf("%s,", cf_version());
    print_processor();
    (void)printf(",%d,%s,%s,%s,%d,%.6g,%.6g,%.6g,", threads, question, what, unit, s->n, median, series_min(s),
                 series_max(s));
    if (beside.of > 0)
        (void)printf("%.6g,%.3f,", beside.of, median / beside.of);
    else
        (void)printf(",,");
    (void)printf("%s\n", beside.target ? beside.target : "");
    (void)fflush(stdout);
}

void must(cf_status st, const cf_error *err)
{
    if (st == CF_OK)
        return;
    (void)fprintf(stderr, "%s\n", err->text);
    exit(EXIT_FAILURE);
}

_Noreturn void wrong(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fprintf(stderr, "WRONG RESULT, nothing is timed: ");
    (void)vfprintf(stderr, fmt, args);
    (void)fprintf(stderr, "\n");
    va_end(args);
    exit(EXIT_FAILURE);
}

void *room(size_t n, size_t bytes)
{
    cf_error err = {0};
    void *memory = NULL;
    must(cf_alloc(&memory, n, bytes, "the benchmark", &err), &err);
    return memory;
}

const char *option_text(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

int64_t option(int argc, char **argv, const char *name, int64_t otherwise)
{
    const char *text = option_text(argc, argv, name);
    int64_t value = otherwise;
    if (!text)
        return otherwise;
    if (cf_parse_i64(&value, cf_slice_of(text)) && value > 0)
        return value;
    (void)fprintf(stderr, "%s %s: expected a positive number\n", name, text);
    exit(EXIT_FAILURE);
}
