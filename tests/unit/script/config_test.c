/* The settings file is data: leaves arrive sorted, programs are refused, and every refusal has its line. */
#include "assert_near.h"
#include "base/text.h"
#include "script/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int gather(void *context, const char *name, const char *value, fm_error *error)
{
    (void)error;
    fm_text_printf(context, "%s=%s;", name, value);
    return 0;
}

static int stop_at_b(void *context, const char *name, const char *value, fm_error *error)
{
    (void)context, (void)value;
    return strcmp(name, "a.b") == 0 ? fm_fail(error, FM_EINVAL, "no such setting") : 0;
}

static int read_text(const char *text, fm_config_visit visit, fm_text *out, fm_error *error)
{
    char path[] = "/tmp/fmads-config-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    memset(error, 0, sizeof(*error));
    int result = fm_config_read(path, visit, out, error);
    unlink(path);
    return result;
}

static void settings_arrive_sorted_and_as_text(void **unused)
{
    (void)unused;
    fm_text out = {0};
    fm_error error;
    assert_int_equal(
        read_text(
            "return { net = { listen = '127.0.0.1:8080', connections_max = 1000, backlog = 0.5 },\n"
            " data = { dir = './data' }, auth = { required = false }, cors = { origins = { 'a', 'b' } }, empty = {} }",
            gather, &out, &error),
        0);
    assert_string_equal(out.data,
                        "auth.required=false;cors.origins=a,b;data.dir=./data;net.backlog=0.5;net.connections_max=1000;"
                        "net.listen=127.0.0.1:8080;");
    fm_text_fini(&out);
}

static void refused(const char *text, int line, const char *message)
{
    fm_text out = {0};
    fm_error error;
    int result = read_text(text, gather, &out, &error);
    fm_text_fini(&out);
    if (result >= 0 || !strstr(error.message, message) || error.line != line)
        fail_msg("%s\n  gave %d, line %d: %s", text, result, error.line, error.message);
    assert_true(error.file[0] != '\0');
}

static void programs_are_refused(void **unused)
{
    (void)unused;
    refused("return { a = }", 1, "unexpected symbol");
    refused("\n\nreturn { a = os.time() }", 3, "global 'os'");
    refused("return { a = ('x'):rep(10) }", 1, "index a string");
    refused("while true do end", 1, "million instructions");
    refused("local s = 'x'\nwhile true do s = s .. s end", 0, "not enough memory");
    refused("return 1", 0, "must return a table");
    refused("", 0, "must return a table");
    refused("return { a = { b = function() end } }", 0, "\"a.b\" must be a number");
    refused("return { [1] = 2 }", 0, "without a name");
    refused("return { a = { b = { c = { d = { e = 1 } } } } }", 0, "nested too deeply");
    refused("\x1bLJ\x02", 0, "attempt to load chunk with wrong mode");
    refused("error('x')", 1, "global 'error'");
}

static void a_missing_file_and_a_refusing_visitor_are_told(void **unused)
{
    (void)unused;
    fm_error error = {0};
    assert_true(fm_config_read("/tmp/there-is-no-such-file.lua", gather, NULL, &error) < 0);
    assert_non_null(strstr(error.message, "could not open the settings"));
    assert_int_equal(read_text("return { a = { c = 1, b = 2 } }", stop_at_b, NULL, &error), FM_EINVAL);
    assert_string_equal(error.message, "no such setting");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_arrive_sorted_and_as_text),
        cmocka_unit_test(programs_are_refused),
        cmocka_unit_test(a_missing_file_and_a_refusing_visitor_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
