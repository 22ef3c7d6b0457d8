/* tests/unit/tool/eval_test.c - `fmads eval`: what a score depends on, and what is said about files that cannot be
 * read. */
#include "tool/tool.h"

#include "assert_near.h"
#include "base/file.h"
#include "base/random.h"
#include "tool/eval_file.h"
#include "tool/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define ROWS 900

static char folder[] = "/tmp/fmads-eval-XXXXXX";
static char path[256];

static const char *place(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(place(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static char *read_text(const char *name)
{
    char *text;
    size_t size;
    assert_int_equal(fm_file_read_all(&fm_file_system, place(name), 1 << 20, &text, &size), 0);
    return text;
}

/* Rows of five minutes, with a label that tells everything where asked for. */
static fm_text make_rows(int rows, bool labels)
{
    fm_text text = {0};
    fm_random random;
    fm_random_seed(&random, 3);
    fm_text_put(&text, labels ? "timestamp,value,label\n" : "timestamp,value\n");
    for (int i = 0; i < rows; i++) {
        double value = fm_random_normal(&random) + (i == 700 ? 30 : 0);
        fm_text_printf(&text, "2014-04-%02d %02d:%02d:00,%.6f%s\n", 1 + i / 288, i / 12 % 24, 5 * (i % 12), value,
                       !labels    ? ""
                       : i == 700 ? ",1"
                                  : ",0");
    }
    return text;
}

static fm_text score_of(fm_eval_file *score, const char *name, fm_eval_count *count)
{
    fm_text out = {0};
    fm_error error = {0};
    if (score(place(name), &out, count, &error) < 0)
        fail_msg("%s: %s", name, error.message);
    return out;
}

static void a_row_becomes_a_row_with_a_score_and_the_event_an_alarm(void **unused)
{
    (void)unused;
    fm_text rows = make_rows(ROWS, false);
    write_text("a.csv", rows.data);
    fm_eval_count count = {0};
    fm_text scores = score_of(fm_eval_nab, "a.csv", &count);
    assert_int_equal(count.rows, ROWS);
    assert_in_range(count.alarms, 1, 15);
    const char *from = rows.data, *to = scores.data;
    for (int i = 0; i <= ROWS; i++) { /* each line begins with what stood there */
        size_t size = strcspn(from, "\n");
        assert_memory_equal(from, to, size);
        if (i == 0)
            assert_memory_equal(to + size, ",anomaly_score\n", 15);
        if (i == 20)
            assert_memory_equal(to + size, ",0\n", 3);
        if (i == 701)
            assert_true(strtod(to + size + 1, NULL) >= 0.5);
        from += size + 1;
        to = strchr(to, '\n') + 1;
    }
    assert_true(*to == '\0');
    fm_text_fini(&rows);
    fm_text_fini(&scores);
}

static void a_truncated_file_scores_as_the_prefix_and_a_renamed_or_zipped_one_the_same(void **unused)
{
    (void)unused;
    fm_eval_file *const kinds[] = {fm_eval_nab, fm_eval_series};
    for (int k = 0; k < 2; k++) {
        fm_text rows = make_rows(ROWS, false), some = make_rows(731, false);
        fm_eval_count count = {0};
        write_text("a.csv", rows.data);
        write_text("b.csv", some.data);
        gzFile zipped = gzopen(place("other name.csv.gz"), "wb");
        assert_int_equal(gzwrite(zipped, rows.data, (unsigned)rows.size), (int)rows.size);
        gzclose(zipped);
        fm_text whole = score_of(kinds[k], "a.csv", &count), prefix = score_of(kinds[k], "b.csv", &count);
        fm_text renamed = score_of(kinds[k], "other name.csv.gz", &count);
        assert_true(prefix.size < whole.size && memcmp(prefix.data, whole.data, prefix.size) == 0);
        assert_string_equal(renamed.data, whole.data);
        fm_text *all[] = {&rows, &some, &whole, &prefix, &renamed};
        for (int i = 0; i < 5; i++)
            fm_text_fini(all[i]);
        unlink(place("other name.csv.gz"));
    }
}

static void a_label_is_not_looked_at(void **unused)
{
    (void)unused;
    fm_text plain = make_rows(ROWS, false), labelled = make_rows(ROWS, true);
    fm_eval_count count = {0};
    write_text("a.csv", plain.data);
    write_text("b.csv", labelled.data);
    fm_text first = score_of(fm_eval_series, "a.csv", &count), second = score_of(fm_eval_series, "b.csv", &count);
    assert_string_equal(first.data, second.data);
    fm_text third = score_of(fm_eval_nab, "a.csv", &count), fourth = score_of(fm_eval_nab, "b.csv", &count);
    assert_string_equal(third.data, fourth.data);
    write_text("c.csv", "x,Label\n1,what it likes\n2,\n");
    fm_text fifth = score_of(fm_eval_series, "c.csv", &count);
    assert_string_equal(fifth.data, "time,score\n0,0\n1,0\n");
    fm_text *all[] = {&plain, &labelled, &first, &second, &third, &fourth, &fifth};
    for (int i = 0; i < 7; i++)
        fm_text_fini(all[i]);
}

static void several_series_score_the_root_of_the_mean_square(void **unused)
{
    (void)unused;
    fm_text one = {0}, same = {0}, idle = {0};
    fm_random random;
    fm_random_seed(&random, 5);
    fm_text_put(&one, "x\n");
    fm_text_put(&same, "x,y\n");
    fm_text_put(&idle, "a,x,b,c\n");
    for (int i = 0; i < 200; i++) {
        double x = fm_random_normal(&random);
        fm_text_printf(&one, "%.9f\n", x);
        fm_text_printf(&same, "%.9f,%.9f\n", x, 1024 * x);
        fm_text_printf(&idle, "7,%.9f,0,nan\n", x);
    }
    write_text("one.csv", one.data);
    write_text("same.csv", same.data);
    write_text("idle.csv", idle.data);
    fm_eval_count count = {0};
    fm_text alone = score_of(fm_eval_series, "one.csv", &count), twice = score_of(fm_eval_series, "same.csv", &count);
    fm_text among = score_of(fm_eval_series, "idle.csv", &count);
    const char *a = strrchr(alone.data, ','), *b = strrchr(twice.data, ','), *c = strrchr(among.data, ',');
    double score = strtod(a + 1, NULL);
    assert_true(score > 0.0);
    assert_near(strtod(b + 1, NULL), score, 1e-12);
    assert_near(strtod(c + 1, NULL), score / 2, 1e-12);
    fm_text *all[] = {&one, &same, &idle, &alone, &twice, &among};
    for (int i = 0; i < 6; i++)
        fm_text_fini(all[i]);
}

static void what_is_wrong_is_told_with_file_and_line(void **unused)
{
    (void)unused;
    static const struct {
        fm_eval_file *score;
        const char *text;
        int line;
        const char *message;
    } bad[] = {
        {fm_eval_nab, "timestamp,value\n2014-04-01 00:00:00,1\n2014-04-01 00:05:00,abc\n", 3,
         "column \"value\": \"abc\" is not a number"},
        {fm_eval_nab, "timestamp,value\n2014-04-01 00:00:00,1\n\n2014-04-31 00:05:00,2\n", 4,
         "\"2014-04-31 00:05:00\" is not a time"},
        {fm_eval_nab, "timestamp,value\n2014-04-01 00:00:00\n", 2, "1 cells, but the header has 2"},
        {fm_eval_nab, "time,value\n1,1\n", 1, "the header has no column \"timestamp\""},
        {fm_eval_nab, "2014-04-01 00:00:00,1\n", 1, "the header has no column \"timestamp\""},
        {fm_eval_series, "1,2\n3,4\n", 1, "the first line names no column; a header line was expected"},
        {fm_eval_series, "time,label\n3,4\n", 1, "the header names no series beside time and labels"},
        {fm_eval_series, "time,x\n3,0x10\n", 2, "column \"x\": \"0x10\" is not a number"},
        {fm_eval_series, "time,x\n3,\"4\n", 2, "a quote is not closed at the end of its cell"},
        {fm_eval_series, "", 0, "the file is empty; a header line was expected"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        fm_error error = {0};
        fm_text out = {0};
        fm_eval_count count = {0};
        write_text("bad.csv", bad[i].text);
        assert_int_equal(bad[i].score(place("bad.csv"), &out, &count, &error), FM_ESYNTAX);
        assert_string_equal(error.message, bad[i].message);
        assert_string_equal(error.file, path);
        assert_int_equal(error.line, bad[i].line);
        fm_text_fini(&out);
    }
}

static void a_torn_gzip_file_is_refused(void **unused)
{
    (void)unused;
    fm_text rows = make_rows(ROWS, false), out = {0};
    gzFile zipped = gzopen(place("torn.csv.gz"), "wb");
    assert_int_equal(gzwrite(zipped, rows.data, (unsigned)rows.size), (int)rows.size);
    gzclose(zipped);
    assert_int_equal(truncate(place("torn.csv.gz"), 3000), 0);
    fm_error error = {0};
    fm_eval_count count = {0};
    assert_int_equal(fm_eval_nab(place("torn.csv.gz"), &out, &count, &error), FM_ESYNTAX);
    assert_non_null(strstr(error.message, "is torn"));
    unlink(place("torn.csv.gz"));
    fm_text_fini(&rows);
    fm_text_fini(&out);
}

static void times_are_read_in_the_usual_spellings(void **unused)
{
    (void)unused;
    static const char *const SAME[] = {
        "2014-04-01 00:05:00", "2014-04-01T00:05:00Z", "2014-04-01 00:05",    "2014-04-01T02:05:00+02:00", "1396310700",
        "1396310700000",       "1396310700000000",     "1396310700000000000", "2014-04-01 00:05:00.000000"};
    int64_t ts_ns;
    for (size_t i = 0; i < sizeof(SAME) / sizeof(SAME[0]); i++) {
        if (!fm_table_time(fm_slice_of(SAME[i]), &ts_ns) || ts_ns != INT64_C(1396310700000000000))
            fail_msg("%s is %lld", SAME[i], (long long)ts_ns);
    }
    assert_true(fm_table_time(fm_slice_of("2014-04-01"), &ts_ns) && ts_ns == INT64_C(1396310400000000000));
    assert_true(fm_table_time(fm_slice_of("77"), &ts_ns) && ts_ns == 0);
    assert_false(fm_table_time(fm_slice_of("noon"), &ts_ns));
    assert_false(fm_table_time(fm_slice_of(""), &ts_ns));
}

static int eval(char *data, char *out, bool quiet)
{
    char kind[] = "nab", name[] = "eval", data_option[] = "--data", out_option[] = "--out";
    char *arguments[] = {name, kind, data_option, data, out_option, out, NULL};
    if (quiet)
        print_message("the complaint that follows is expected: ");
    return fm_tool_eval(6, arguments);
}

static void a_tree_becomes_the_same_tree(void **unused)
{
    (void)unused;
    char data[300], out[300];
    fm_text rows = make_rows(100, false);
    snprintf(data, sizeof(data), "%s/data/", folder);
    snprintf(out, sizeof(out), "%s/out", folder);
    assert_int_equal(fm_folder_make(place("data/deep/er")), 0);
    write_text("data/deep/er/one.csv", rows.data);
    write_text("data/two.csv", rows.data);
    write_text("data/notes.txt", "none of ours");
    assert_int_equal(eval(data, out, false), FM_EXIT_OK);
    char *deep = read_text("out/deep/er/one.csv"), *flat = read_text("out/two.csv");
    assert_string_equal(deep, flat);
    assert_int_not_equal(access(place("out/notes.txt"), F_OK), 0);
    free(deep);
    free(flat);
    fm_text_fini(&rows);

    strcat(data, "deep");
    char inside[400];
    snprintf(inside, sizeof(inside), "%s/scores", data);
    assert_int_equal(eval(data, inside, true), FM_EXIT_FAILED);
    assert_int_equal(eval(out + sizeof(out) - 1, out, true), FM_EXIT_FAILED);
    write_text("data/two.csv.gz", "timestamp,value\n");
    data[strlen(data) - 5] = '\0';
    assert_int_equal(eval(data, out, true), FM_EXIT_FAILED);
}

static int make_folder(void **unused)
{
    (void)unused;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
    (void)unused;
    char command[300];
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_becomes_a_row_with_a_score_and_the_event_an_alarm),
        cmocka_unit_test(a_truncated_file_scores_as_the_prefix_and_a_renamed_or_zipped_one_the_same),
        cmocka_unit_test(a_label_is_not_looked_at),
        cmocka_unit_test(several_series_score_the_root_of_the_mean_square),
        cmocka_unit_test(what_is_wrong_is_told_with_file_and_line),
        cmocka_unit_test(a_torn_gzip_file_is_refused),
        cmocka_unit_test(times_are_read_in_the_usual_spellings),
        cmocka_unit_test(a_tree_becomes_the_same_tree),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
