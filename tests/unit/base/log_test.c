/* tests/unit/base/log_test.c - each test reads what its lines left on standard error. */
#include "assert_near.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char written[1 << 20];

/* Runs `body` in a process of its own, whose folding begins empty, and keeps what it wrote to standard error. */
static void capture(void (*body)(void))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        body();
        exit(0);
    }
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got; (got = read(ends[0], written + size, sizeof(written) - 1 - size)) > 0;)
        size += (size_t)got;
    written[size] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int count(const char *needle)
{
    int found = 0;
    for (const char *at = written; (at = strstr(at, needle)) != NULL; at += strlen(needle))
        found++;
    return found;
}

static void say_one(void)
{
    fm_log(FM_LOG_WARN, "redis_unreachable", "url", "redis://a\"b", "retry_ms", fm_log_int(500), "load",
           fm_log_real(0.25), NULL);
}

static void a_line_is_one_json_object(void **unused)
{
    (void)unused;
    capture(say_one);
    assert_int_equal(count("\n"), 1);
    assert_non_null(strstr(written, "{\"time\":\"20"));
    assert_non_null(
        strstr(written,
               "Z\",\"level\":\"warn\",\"event\":\"redis_unreachable\",\"url\":\"redis://a\\\"b\",\"retry_ms\":\"500\","
               "\"load\":\"0.25\"}\n"));
}

static void say_levels(void)
{
    fm_log(FM_LOG_DEBUG, "quiet", NULL);
    fm_log(FM_LOG_INFO, "heard", NULL);
    fm_log_set_level(FM_LOG_ERROR);
    fm_log(FM_LOG_WARN, "quiet", NULL);
    fm_log(FM_LOG_ERROR, "heard", NULL);
    fm_log_set_level(FM_LOG_DEBUG);
    fm_log(FM_LOG_DEBUG, "heard", NULL);
}

static void lines_below_the_level_are_dropped(void **unused)
{
    (void)unused;
    capture(say_levels);
    assert_int_equal(count("quiet"), 0);
    assert_int_equal(count("heard"), 3);
}

static void say_many(void)
{
    for (int i = 0; i < 100; i++)
        fm_log(FM_LOG_INFO, "storm", "i", fm_log_int(i), NULL);
    fm_log(FM_LOG_INFO, "other", NULL);
}

static void a_storm_is_folded_and_told_at_the_end(void **unused)
{
    (void)unused;
    capture(say_many);
    assert_int_equal(count("\"event\":\"storm\""), 10);
    assert_int_equal(count("\"event\":\"other\""), 1); /* another event is not held back */
    assert_int_equal(count("\"event\":\"log_folded\",\"folded_event\":\"storm\",\"folded\":90}"), 1);
}

static void say_many_and_later_another(void)
{
    for (int i = 0; i < 15; i++)
        fm_log(FM_LOG_INFO, "storm", NULL);
    usleep(1100 * 1000);
    fm_log(FM_LOG_INFO, "other", NULL);
    fm_log(FM_LOG_INFO, "storm", NULL);
}

static void the_count_does_not_wait_for_its_own_kind(void **unused)
{
    (void)unused;
    capture(say_many_and_later_another);
    const char *told = strstr(written, "\"folded\":5}");
    assert_non_null(told);
    assert_true(told < strstr(written, "\"event\":\"other\""));
    assert_int_equal(count("\"event\":\"storm\""), 11);
    assert_int_equal(count("log_folded"), 1);
}

static void say_more_names_than_the_table_has(void)
{
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof(name), "event_%d", i);
        fm_log(FM_LOG_INFO, name, NULL);
    }
}

static void names_beyond_the_table_share_one_row(void **unused)
{
    (void)unused;
    capture(say_more_names_than_the_table_has);
    assert_int_equal(count("\"event\":\"event_"), 127 + 10);
    assert_int_equal(count("\"folded_event\":\"other\",\"folded\":163}"), 1);
}

static void *say_from_a_thread(void *context)
{
    for (int i = 0; i < 50; i++)
        fm_log(FM_LOG_INFO, context, "text", "a line that is long enough to show when two of them mix", NULL);
    return NULL;
}

static void say_from_threads(void)
{
    static char names[4][16] = {"thread_a", "thread_b", "thread_c", "thread_d"};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, say_from_a_thread, names[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void lines_of_threads_do_not_mix(void **unused)
{
    (void)unused;
    capture(say_from_threads);
    int lines = 0;
    for (char *line = strtok(written, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        assert_int_equal(line[0], '{');
        assert_int_equal(line[strlen(line) - 1], '}');
    }
    assert_int_equal(lines, 4 * 10 + 4);
}

static void say_with_errno(void)
{
    errno = EAGAIN;
    fm_log(FM_LOG_INFO, "x", NULL);
    if (errno != EAGAIN)
        abort();
}

static void logging_keeps_errno(void **unused)
{
    (void)unused;
    capture(say_with_errno);
    assert_int_equal(count("\n"), 1);
}

static void numbers_last_for_eight_calls(void **unused)
{
    (void)unused;
    const char *text[8];
    for (int i = 0; i < 8; i++)
        text[i] = fm_log_int(INT64_MIN + i);
    assert_string_equal(text[0], "-9223372036854775808");
    assert_string_equal(text[7], "-9223372036854775801");
    assert_string_equal(fm_log_real(1e-300), "1e-300");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_json_object),
        cmocka_unit_test(lines_below_the_level_are_dropped),
        cmocka_unit_test(a_storm_is_folded_and_told_at_the_end),
        cmocka_unit_test(the_count_does_not_wait_for_its_own_kind),
        cmocka_unit_test(names_beyond_the_table_share_one_row),
        cmocka_unit_test(lines_of_threads_do_not_mix),
        cmocka_unit_test(logging_keeps_errno),
        cmocka_unit_test(numbers_last_for_eight_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
