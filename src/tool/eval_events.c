/* tool/eval_events.c - see the header. */
#include "tool/eval_events.h"

#include "base/assert.h"
#include "base/file.h"
#include "kernels/kernel.h"
#include "tool/market_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define INSTRUMENTS_MAX  10000
#define EVENTS_BYTES_MAX (64u << 20)
#define PATH_SIZE_MAX    1024

static const double SILENCE_INTERVALS[] = {3, 5, 9};

typedef struct bank { /* one detector for each series of each instrument */
    fm_market *markets;
    char (*names)[FM_SYMBOL_MAX + 1];
    int count, series_count, recent;
} bank;

/* The detectors of an instrument; they begin with its first record. */
static int bank_find(bank *all, const fm_market_file *file, fm_market **out, fm_error *error)
{
    char name[FM_SYMBOL_MAX + 1];
    fm_slice_copy(file->instrument, name, sizeof(name));
    if (all->count > 0 && strcmp(all->names[all->recent], name) != 0)
        for (all->recent = 0; all->recent < all->count && strcmp(all->names[all->recent], name) != 0;)
            all->recent++;
    if (all->recent == all->count) {
        double params[FM_KERNEL_PARAMS_MAX] = {0};
        const fm_kernel *kernel = fm_kernel_find(FM_KERNEL_DETECTOR, "market");
        FM_ASSERT(kernel != NULL);
        for (int i = 0; kernel->params[i].name; i++)
            params[i] = kernel->params[i].preset;
        if (all->count == INSTRUMENTS_MAX)
            return fm_fail(error, FM_ELIMIT, "more than %d instruments in one file", INSTRUMENTS_MAX);
        size_t size = (size_t)(all->count + 1);
        fm_market *markets = realloc(all->markets, size * (size_t)all->series_count * sizeof(*markets));
        all->markets = markets ? markets : all->markets;
        char(*names)[FM_SYMBOL_MAX + 1] = markets ? realloc(all->names, size * sizeof(*names)) : NULL;
        if (!names)
            return fm_fail(error, FM_ENOMEM, "no memory for %zu instruments", size);
        all->names = names;
        strcpy(names[all->count], name);
        for (int i = 0; i < all->series_count; i++)
            FM_TRY(fm_market_init(&all->markets[all->count * all->series_count + i], params));
        all->count++;
    }
    *out = &all->markets[all->recent * all->series_count];
    return 0;
}

static void put_row(const fm_market_file *file, int64_t ts_ns, double score, fm_text *out, fm_eval_count *count)
{
    fm_text_printf(out, "%" PRId64 ",%.6f", ts_ns, score);
    if (file->named)
        fm_text_printf(out, ",%.*s", (int)file->instrument.size, file->instrument.data);
    fm_text_put(out, "\n");
    count->rows++;
}

/* A timer's rows between the record before and this one. */
static void put_silences(const fm_market_file *file, const fm_market *market, fm_text *out, fm_eval_count *count)
{
    for (size_t i = 0; i < sizeof(SILENCE_INTERVALS) / sizeof(SILENCE_INTERVALS[0]); i++) {
        double wait_ns = SILENCE_INTERVALS[i] * market->interval_ns;
        if (market->interval_ns <= 0.0 || (double)(file->ts_ns - market->newest_ns) <= wait_ns)
            return;
        int64_t ts_ns = market->newest_ns + (int64_t)wait_ns;
        double score = fm_market_silence(market, ts_ns);
        if (score > 0.0)
            put_row(file, ts_ns, score, out, count);
    }
}

static int score_rows(fm_market_file *file, bank *all, fm_text *out, fm_eval_count *count, fm_error *error)
{
    int result;
    double several = log10(file->series_count), values[5];
    all->series_count = file->series_count;
    fm_text_put(out, file->named ? "time_ns,score,instrument\n" : "time_ns,score\n");
    while ((result = fm_market_file_next(file, error)) > 0) {
        fm_market *markets = NULL;
        double score = 0.0;
        FM_TRY(bank_find(all, file, &markets, error));
        if (file->series_count == 1)
            put_silences(file, markets, out, count);
        for (int i = 0; i < file->series_count; i++) {
            fm_market_step(&markets[i], file->ts_ns, &file->record[i], values);
            if (values[0] - several > score) /* false for NaN */
                score = values[0] - several;
        }
        put_row(file, file->ts_ns > markets->newest_ns ? file->ts_ns : markets->newest_ns, score, out, count);
    }
    return result;
}

int fm_eval_events(const char *path, fm_text *out, fm_eval_count *count, fm_error *error)
{
    bank all = {0};
    fm_market_file *file = calloc(1, sizeof(*file));
    if (!file)
        return fm_fail(error, FM_ENOMEM, "no memory to read \"%s\"", path);
    int result = fm_market_file_open(file, path, error);
    if (result >= 0)
        result = score_rows(file, &all, out, count, error);
    count->refused += file->refused;
    fm_market_file_fini(file);
    free(file);
    free(all.markets);
    free(all.names);
    return result;
}

int fm_eval_events_list(const char *path, int (*each)(void *context, const char *file, fm_error *error), void *context,
                        fm_error *error)
{
    char *text, name[PATH_SIZE_MAX];
    size_t size;
    int result = fm_file_read_all(&fm_file_system, path, EVENTS_BYTES_MAX, &text, &size), files = 0;
    if (result < 0)
        return fm_fail(error, result, "could not read \"%s\": %s", path, fm_error_text(result));
    const char *end = text + size;
    for (char *at = text; result >= 0 && (at = memmem(at, (size_t)(end - at), "\"file\"", 6)) != NULL;) {
        for (at += 6; at < end && (isspace((unsigned char)*at) || *at == ':');)
            at++;
        char *stop = at < end && *at == '"' ? memchr(at + 1, '"', (size_t)(end - at - 1)) : NULL;
        if (!stop || stop - at > PATH_SIZE_MAX || memchr(at, '\\', (size_t)(stop - at)))
            result = fm_fail(error, FM_ESYNTAX, "\"%s\": a \"file\" is not a plain path", path);
        else if (!memmem(text, (size_t)(at - text), at, (size_t)(stop - at) + 1)) {
            snprintf(name, sizeof(name), "%.*s", (int)(stop - at - 1), at + 1);
            if (name[0] == '/' || strstr(name, ".."))
                result =
                    fm_fail(error, FM_EINVAL, "\"%s\": the file \"%s\" lies outside of the data folder", path, name);
            else
                result = each(context, name, error);
            files++;
        }
        at = stop ? stop : at;
    }
    free(text);
    if (result >= 0 && files == 0)
        return fm_fail(error, FM_ENOTFOUND, "\"%s\" names no file", path);
    return result;
}
