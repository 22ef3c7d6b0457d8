/* tests/unit/base/assert_test.c - a failed assert ends the process and says why. */
#include "assert_near.h"

#include "base/assert.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char written[4096];

static int signal_of(void (*body)(void))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        body();
        _exit(0);
    }
    close(ends[1]);
    size_t size = 0;
    for (ssize_t got; (got = read(ends[0], written + size, sizeof(written) - 1 - size)) > 0;)
        size += (size_t)got;
    written[size] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void hold(void)
{
    FM_ASSERT(1 + 1 == 2);
}

static void break_it(void)
{
    FM_ASSERT(1 + 1 == 3);
}

static void tell(void *context, char *out, size_t size)
{
    snprintf(out, size, "shard %d, partition 5", *(int *)context);
}

static void fail_described(void)
{
    static int shard = 3;
    fm_assert_describe(tell, &shard);
    break_it();
}

static void tell_badly(void *context, char *out, size_t size)
{
    (void)context;
    memset(out, 'x', size);
    FM_ASSERT(size == 0);
}

static void fail_in_the_description(void)
{
    fm_assert_describe(tell_badly, NULL);
    break_it();
}

static void what_holds_says_nothing(void **unused)
{
    (void)unused;
    assert_int_equal(signal_of(hold), 0);
    assert_string_equal(written, "");
}

static void what_fails_aborts_with_condition_and_place(void **unused)
{
    (void)unused;
    assert_int_equal(signal_of(break_it), SIGABRT);
    assert_non_null(strstr(written, "1 + 1 == 3"));
    assert_non_null(strstr(written, "assert_test.c:"));
    assert_int_equal(written[strlen(written) - 1], '\n');
}

static void the_thread_tells_what_it_was_doing(void **unused)
{
    (void)unused;
    assert_int_equal(signal_of(fail_described), SIGABRT);
    assert_non_null(strstr(written, "; shard 3, partition 5\n"));
}

static void a_description_that_fails_ends_all_the_same(void **unused)
{
    (void)unused;
    assert_int_equal(signal_of(fail_in_the_description), SIGABRT);
    assert_non_null(strstr(written, "size == 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_says_nothing),
        cmocka_unit_test(what_fails_aborts_with_condition_and_place),
        cmocka_unit_test(the_thread_tells_what_it_was_doing),
        cmocka_unit_test(a_description_that_fails_ends_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
