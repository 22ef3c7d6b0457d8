/* tests/unit/tool/report_test.c - `fmads eval report`: what is counted, and what stands on the page. */
#include "tool/report.h"

#include "assert_near.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "tool/report_series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/fmads-report-XXXXXX";
static char path[4][300];

static const char *place(int which, const char *name)
{
    snprintf(path[which], sizeof(path[which]), "%s/%s", folder, name);
    return path[which];
}

static void write_text(const char *name, const fm_text *text)
{
    char *slash = strrchr(strcpy(path[3], place(0, name)), '/');
    *slash = '\0';
    assert_int_equal(fm_folder_make(path[3]), 0);
    assert_int_equal(fm_file_replace(&fm_file_system, place(0, name), text->data, text->size), 0);
}

/* A day of minutes; the score stands out in minute 100 (by 5, no label), 500 (by 9, in a window) and 900 (by 7, none).
 */
static void make_market(void)
{
    fm_text data = {0}, scores = {0}, events = {0};
    fm_text_put(&data, "timestamp,open,high,low,close\n");
    fm_text_put(&scores, "time_ns,score\n");
    for (int i = 0; i < 1440; i++) {
        double score = i == 100 ? 5.0 : i == 500 ? 9.0 : i == 900 ? 7.0 : 0.5 + 0.001 * (i % 10);
        fm_text_printf(&data, "2024-01-02 %02d:%02d:00,%d,%d,%d,%d\n", i / 60, i % 60, 100, 102, 99, 100 + i % 2);
        fm_text_printf(&scores, "%lld,%g\n", (1704153600LL + 60 * i) * FM_NS_PER_S, score);
    }
    fm_text_put(
        &events,
        "{\"events\":[{\"file\":\"bars_1m/"
        "a.csv\",\"instrument\":\"A\",\"start\":\"2024-01-02T08:00:00Z\",\"end\":\"2024-01-02T09:00:00Z\","
        "\"at\":\"2024-01-02T08:19:00Z\",\"kind\":\"macro_release\",\"note\":\"a <b> & \\\"c\\\"\",\"optional\":false},"
        "{\"file\":\"bars_1m/"
        "a.csv\",\"instrument\":\"A\",\"start\":\"2024-01-02T12:00:00Z\",\"end\":\"2024-01-02T12:10:00Z\",\"kind\":"
        "\"quiet\"}]}");
    write_text("data/bars_1m/a.csv", &data);
    write_text("scores/bars_1m/a.scores.csv", &scores);
    write_text("events.json", &events);
    fm_text_fini(&data);
    fm_text_fini(&scores);
    fm_text_fini(&events);
}

static int setup(void **unused)
{
    (void)unused;
    assert_non_null(mkdtemp(folder));
    make_market();
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    char command[400];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static void read_market(fm_labels *labels, fm_report_file *file)
{
    fm_error error = {0};
    char data[300], scores[300];
    snprintf(data, sizeof(data), "%s/data", folder);
    snprintf(scores, sizeof(scores), "%s/scores", folder);
    assert_int_equal(fm_labels_read(place(0, "events.json"), labels, &error), 0);
    assert_int_equal(labels->count, 2);
    assert_int_equal(labels->file_count, 1);
    assert_int_equal(fm_report_file_read(data, scores, labels->file[0], labels, file, &error), 0);
    assert_int_equal(file->count, 1);
    assert_int_equal(file->series[0].label_count, 2);
    assert_int_equal(file->series[0].days, 1);
}

static void an_alarm_inside_a_window_finds_it_and_one_outside_is_false(void **unused)
{
    (void)unused;
    fm_labels labels;
    fm_report_file file;
    read_market(&labels, &file);
    fm_report_series *series = &file.series[0];
    fm_report_judge(series, 4.0, 1800 * FM_NS_PER_S);
    assert_int_equal(series->false_alarms, 2);
    assert_true(series->result[0].found && !series->result[1].found);
    assert_int_equal(series->result[0].alarm_ns, (1704153600LL + 60 * 500) * FM_NS_PER_S);
    assert_near(series->result[0].peak, 9.0, 0);
    fm_report_judge(series, 4.0, 86400 * FM_NS_PER_S); /* those that follow each other within the merge time are one */
    assert_int_equal(series->false_alarms, 1);
    fm_report_judge(series, 9.0, 1800 * FM_NS_PER_S); /* an alarm is above the threshold */
    assert_false(series->result[0].found);
    fm_report_file_fini(&file);
    fm_labels_fini(&labels);
}

static void the_threshold_is_the_lowest_within_the_budget(void **unused)
{
    (void)unused;
    fm_labels labels;
    fm_report_file file;
    read_market(&labels, &file);
    fm_report_series *series[] = {&file.series[0]};
    int64_t merge_ns = 1800 * FM_NS_PER_S;
    assert_near(fm_report_threshold(series, 1, merge_ns, 0.5), 7.0, 0); /* no false alarm a day is allowed */
    assert_near(fm_report_threshold(series, 1, merge_ns, 1.0), 5.0, 0); /* one */
    fm_report_file_fini(&file);
    fm_labels_fini(&labels);
}

static char *make_report(const char *labels, const char *out)
{
    fm_error error = {0};
    char *page;
    size_t size;
    char data[300], scores[300], from[300];
    snprintf(data, sizeof(data), "%s/data", folder);
    snprintf(scores, sizeof(scores), "%s/scores", folder);
    snprintf(from, sizeof(from), "%s", place(0, labels));
    if (fm_report(data, scores, from, place(1, out), &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(fm_file_read_all(&fm_file_system, place(1, out), 1 << 22, &page, &size), 0);
    return page;
}

static void the_page_tells_what_was_found_and_escapes_what_it_shows(void **unused)
{
    (void)unused;
    char *page = make_report("events.json", "report.html");
    assert_non_null(strstr(page, "<td>bars_1m</td><td>1 a file-day</td><td>5</td><td>1 of 2</td><td>1</td><td>1</td>"));
    assert_non_null(strstr(page, "a &lt;b> &amp; &quot;c&quot;"));
    assert_null(strstr(page, "a <b>"));
    assert_non_null(strstr(page, "found</span> +60 s, score 9"));
    assert_non_null(strstr(page, "missed</span>"));
    assert_null(strstr(page, "nan"));
    assert_null(strstr(page, "inf"));
    free(page);
}

static void benchmark_windows_count_behind_the_probation(void **unused)
{
    (void)unused;
    fm_text data = {0}, scores = {0}, windows = {0};
    fm_text_put(&data, "timestamp,value\n");
    fm_text_put(&scores, "timestamp,value,anomaly_score\n");
    for (int i = 0; i < 200; i++) {
        fm_text_printf(&data, "2014-04-01 %02d:%02d:00,%d\n", i / 60, i % 60, i % 7);
        fm_text_printf(&scores, "2014-04-01 %02d:%02d:00,%d,%g\n", i / 60, i % 60, i % 7,
                       i == 10 || i == 150 ? 0.5
                       : i == 160          ? 0.9
                                           : 0.1);
    }
    fm_text_put(&windows, "{\"x/b.csv\":[[\"2014-04-01 02:40:00.000000\",\"2014-04-01 02:50:00.000000\"]]}");
    write_text("data/x/b.csv", &data);
    write_text("scores/x/b.csv", &scores);
    write_text("windows.json", &windows);
    char *page = make_report("windows.json", "windows.html");
    assert_non_null(
        strstr(page, "<td>0.5</td><td>1 of 1</td><td>1</td>")); /* row 160 found it; 150 is false, 10 is probation */
    free(page);
    fm_text_fini(&data);
    fm_text_fini(&scores);
    fm_text_fini(&windows);
}

static void what_is_wrong_with_the_labels_is_said(void **unused)
{
    (void)unused;
    static const struct {
        const char *json, *why;
    } WRONG[] = {
        {"{\"events\":[{\"file\":\"../x\",\"start\":\"2024-01-01\",\"end\":\"2024-01-02\"}]}", "outside"},
        {"{\"events\":[{\"file\":\"x\",\"start\":\"soon\",\"end\":\"2024-01-02\"}]}", "\"soon\" is not a time"},
        {"{\"events\":[", "malformed JSON"},
        {"{\"events\":[]}", "names no file"}};
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        fm_labels labels;
        fm_error error = {0};
        fm_text text = {0};
        fm_text_put(&text, WRONG[i].json);
        write_text("wrong.json", &text);
        assert_true(fm_labels_read(place(0, "wrong.json"), &labels, &error) < 0);
        if (strstr(error.message, WRONG[i].why) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.message, WRONG[i].why);
        fm_text_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alarm_inside_a_window_finds_it_and_one_outside_is_false),
        cmocka_unit_test(the_threshold_is_the_lowest_within_the_budget),
        cmocka_unit_test(the_page_tells_what_was_found_and_escapes_what_it_shows),
        cmocka_unit_test(benchmark_windows_count_behind_the_probation),
        cmocka_unit_test(what_is_wrong_with_the_labels_is_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
