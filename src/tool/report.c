/* tool/report.c - see the header. The files of one top folder (tick, bars_1m, …) are a group: one threshold for all,
 * the lowest that keeps within the group's budget of false alarms. Pictures are drawn at the larger budget. */
#include "tool/report.h"

#include "base/assert.h"
#include "base/event.h"
#include "base/file.h"
#include "tool/report_page.h"
#include "tool/tool.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDGETS 2

typedef struct group_kind {
    const char *folder;
    int64_t merge_s;
    double per_day[BUDGETS];
    const char *budget[BUDGETS];
} group_kind;

/* Merge times and budgets of the market events (docs/quality.md); the last row is for any other folder. */
static const group_kind KINDS[] = {
    {"tick", 1800, {0.1, 1.0}, {"0.1 a file-day", "1 a file-day"}},
    {"bars_1m", 1800, {0.1, 1.0}, {"0.1 a file-day", "1 a file-day"}},
    {"bars_1h", 6 * 3600, {1.0 / 90, 1.0 / 30}, {"1 in 90 file-days", "1 in 30 file-days"}},
    {"bars_1d", 3 * 86400, {1.0 / 250, 1.0 / 60}, {"1 in 250 file-days", "1 in 60 file-days"}},
    {"", 1800, {0.1, 1.0}, {"0.1 a file-day", "1 a file-day"}},
};
#define KIND_COUNT (sizeof(KINDS) / sizeof(KINDS[0]))

/* The alarm bound that is built into the scores of benchmark files (fmads eval nab). */
#define WINDOWS_ALARM 0x1.fffffffffffffp-2 /* 0.5 itself alarms */

typedef struct report {
    fm_labels labels;
    fm_report_file *file;
    int file_count;
    fm_report_row row[KIND_COUNT * BUDGETS + 1];
    int row_count;
    fm_text body, page;
} report;

static const group_kind *kind_of(const char *file)
{
    size_t k = 0;
    while (k + 1 < KIND_COUNT &&
           (strncmp(file, KINDS[k].folder, strlen(KINDS[k].folder)) != 0 || file[strlen(KINDS[k].folder)] != '/'))
        k++;
    return &KINDS[k];
}

static void count_row(report *all, fm_report_series *const *series, int count, double threshold, int64_t merge_ns,
                      const char *group, const char *budget)
{
    fm_report_row *row = &all->row[all->row_count++];
    *row = (fm_report_row){.threshold = threshold};
    snprintf(row->group, sizeof(row->group), "%s", group);
    snprintf(row->budget, sizeof(row->budget), "%s", budget);
    for (int i = 0; i < count; i++) {
        fm_report_judge(series[i], threshold, merge_ns);
        row->days += series[i]->days;
        row->false_alarms += series[i]->false_alarms;
        for (int k = 0; k < series[i]->label_count; k++) {
            row->events += !series[i]->label[k]->optional;
            row->found += !series[i]->label[k]->optional && series[i]->result[k].found;
        }
    }
    row->false_per_day = (double)row->false_alarms / (row->days > 0 ? row->days : 1);
}

/* Every series of the kind that has a label, or all of a benchmark. Returns how many. */
static int gather(report *all, const group_kind *kind, fm_report_series **out)
{
    int count = 0;
    for (int f = 0; f < all->file_count; f++)
        for (int s = 0; s < all->file[f].count; s++) {
            fm_report_series *series = &all->file[f].series[s];
            if (all->labels.windows || (series->label_count > 0 && kind_of(series->file) == kind))
                out[count++] = series;
        }
    return count;
}

static void report_group(report *all, const group_kind *kind, fm_report_series **series)
{
    int count = gather(all, kind, series);
    int64_t merge_ns = kind->merge_s * FM_NS_PER_S;
    double threshold = WINDOWS_ALARM;
    if (count == 0)
        return;
    if (all->labels.windows)
        count_row(all, series, count, threshold, merge_ns, "all files", "built in");
    for (int b = 0; b < BUDGETS && !all->labels.windows; b++) {
        threshold = fm_report_threshold(series, count, merge_ns, kind->per_day[b]);
        count_row(all, series, count, threshold, merge_ns, kind->folder[0] != '\0' ? kind->folder : "others",
                  kind->budget[b]);
    }
    for (int i = 0; i < count; i++)
        fm_page_series(&all->body, series[i], threshold);
}

static int read_files(report *all, const char *data, const char *scores, fm_error *error)
{
    all->file = calloc((size_t)all->labels.file_count, sizeof(*all->file));
    FM_ASSERT(all->file != NULL);
    for (int i = 0; i < all->labels.file_count; i++) {
        FM_TRY(fm_report_file_read(data, scores, all->labels.file[i], &all->labels, &all->file[i], error));
        all->file_count++;
    }
    return 0;
}

static void write_page(report *all)
{
    int series = 0;
    for (int f = 0; f < all->file_count; f++)
        series += all->file[f].count;
    fm_report_series **list = calloc((size_t)series + 1, sizeof(*list));
    FM_ASSERT(list != NULL);
    for (size_t k = 0; k < (all->labels.windows ? 1 : KIND_COUNT); k++)
        report_group(all, &KINDS[k], list);
    free(list);
    fm_page_begin(&all->page,
                  all->labels.windows ? "Benchmark series: scores and labelled windows"
                                      : "Market data: scores and labelled events",
                  all->labels.windows ? "An alarm is a score above 0.5, the bound that is built in; alarms outside of "
                                        "every window within half an hour are one false alarm."
                                      : "One threshold for all files of a group, the lowest at which false alarms keep "
                                        "within the budget; chosen on these very files, so these figures "
                                        "are in sample. Pictures are drawn at the larger budget. Labels are not "
                                        "complete: some false alarms are events that nobody labelled.");
    fm_page_table(&all->page, all->row, all->row_count);
    fm_text_add(&all->page, all->body.data, all->body.size);
    fm_page_end(&all->page);
}

int fm_report(const char *data, const char *scores, const char *labels, const char *out, fm_error *error)
{
    report *all = calloc(1, sizeof(*all));
    FM_ASSERT(all != NULL);
    int result = fm_labels_read(labels, &all->labels, error);
    if (result >= 0)
        result = read_files(all, data, scores, error);
    if (result >= 0) {
        write_page(all);
        result = fm_file_replace(&fm_file_system, out, all->page.data, all->page.size);
        if (result < 0)
            fm_fail(error, result, "could not write \"%s\": %s", out, fm_error_text(result));
    }
    for (int i = 0; i < all->file_count; i++)
        fm_report_file_fini(&all->file[i]);
    free(all->file);
    fm_labels_fini(&all->labels);
    fm_text_fini(&all->body);
    fm_text_fini(&all->page);
    free(all);
    return result;
}

int fm_eval_report(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"data", 1, NULL, 'd'}, {"scores", 1, NULL, 's'}, {"labels", 1, NULL, 'l'}, {"out", 1, NULL, 'o'}, {0}};
    const char *data = NULL, *scores = NULL, *labels = NULL, *out = NULL;
    fm_error error = {0};
    opterr = 0;
    optind = 0; /* glibc: begin anew, also when another subcommand has used it */
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        const char **place = option == 'd'   ? &data
                             : option == 's' ? &scores
                             : option == 'l' ? &labels
                             : option == 'o' ? &out
                                             : NULL;
        if (place == NULL)
            return fm_tool_usage_error("eval", "an option is not known or lacks its value");
        *place = optarg;
    }
    if (data == NULL || scores == NULL || labels == NULL || out == NULL || optind != argc)
        return fm_tool_usage_error("eval", "a report needs --data, --scores, --labels and --out, and nothing else");
    if (fm_report(data, scores, labels, out, &error) < 0)
        return fm_tool_failed(&error);
    printf("the report is in %s\n", out);
    return FM_EXIT_OK;
}
