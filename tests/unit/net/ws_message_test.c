/* What is an operation, what is a record, and what is told when it is neither. */
#include "assert_near.h"
#include "net/ws_message.h"

#include <stdio.h>
#include <stdlib.h>

static fm_ws_command parse(const char *text, int expected)
{
    fm_ws_command command;
    fm_error error = {0};
    int result = fm_ws_command_parse(fm_slice_of(text), &command, &error);

    if (result != expected)
        fail_msg("%s: %s (%s)", text, fm_error_name(result), error.message);
    if (result < 0)
        assert_true(error.message[0] != '\0');
    return command;
}

static void records_go_to_the_decoder_as_they_are(void **unused)
{
    static const char *const texts[] = {"{\"type\":\"trade\"}",
                                        "[{\"op\":\"ping\"}]",
                                        " [1]",
                                        "",
                                        "x",
                                        "{",
                                        "{\"op",
                                        "{\"x\":{\"op\":\"ping\"}}",
                                        "{\"type\":\"trade\",\"id\":\"\\\"op\\\"\"}",
                                        "{\"op\":\"ping\"} x",
                                        "{\"op\":\"ping\",}",
                                        "{}"};

    (void)unused;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fm_ws_command command = parse(texts[i], 0);
        assert_int_equal(command.op, FM_OP_INGEST);
        assert_true(fm_slice_equal(command.records, fm_slice_of(texts[i])));
    }
}

static void an_operation_is_found_wherever_it_stands(void **unused)
{
    char text[256];

    (void)unused;
    for (int before = 0; before < 70; before++)
        for (int behind = 0; behind < 20; behind++) {
            snprintf(text, sizeof(text), "{\"x\":\"%*s\",\"op\":\"ping\"%*s}", before, "", behind, "");
            assert_int_equal(parse(text, 0).op, FM_OP_PING);
            snprintf(text, sizeof(text), "{\"x\":\"%*s\",\"oq\":\"ping\"%*s}", before, "", behind, "");
            assert_int_equal(parse(text, 0).op, FM_OP_INGEST);
        }
}

static void operations_are_found_in_any_order(void **unused)
{
    fm_ws_command command;

    (void)unused;
    command = parse("{\"records\":[{\"a\":\"]\\\"}\"},{}],\"op\":\"ingest\"}", 0);
    assert_int_equal(command.op, FM_OP_INGEST);
    assert_true(fm_slice_equal(command.records, FM_SLICE("[{\"a\":\"]\\\"}\"},{}]")));
    assert_int_equal(parse(" { \"op\" : \"ping\" } ", 0).op, FM_OP_PING);
    assert_int_equal(parse("{\"op\":\"unsubscribe\",\"topics\":[]}", 0).op, FM_OP_UNSUBSCRIBE);
    command = parse("{\"from\":42,\"filter\":{\"symbol\":\"EUR*\",\"severity_min\":\"error\",\"domain\":\"live\"},"
                    "\"topics\":[\"alerts\"],"
                    "\"op\":\"subscribe\",\"more\":[1,{\"x\":null}]}",
                    0);
    assert_int_equal(command.op, FM_OP_SUBSCRIBE);
    assert_true(command.has_from && command.from == 42);
    assert_string_equal(command.filter.symbol, "EUR*");
    assert_string_equal(command.filter.domain, "live");
    assert_string_equal(command.filter.rule, "");
    assert_int_equal(command.filter.severity_min, 2);
    assert_false(parse("{\"op\":\"subscribe\",\"topics\":[\"alerts\"]}", 0).has_from);
    assert_true(parse("{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"from\":18446744073709551615}", 0).from ==
                UINT64_MAX);
}

static void what_cannot_be_done_is_told(void **unused)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        {"{\"op\":\"dance\"}", FM_operation_unknown},
        {"{\"op\":[]}", FM_operation_unknown},
        {"{\"op\":\"pi\\u006eg\"}", FM_operation_unknown},
        {"{\"op\":\"ingest\"}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\"}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":\"alerts\"}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":[]}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":[\"ticks\"]}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":[7]}", FM_ESYNTAX},
        {"{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"from\":-1}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"from\":1.5}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"from\":18446744073709551616}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"filter\":7}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"filter\":{\"x\":\"y\"}}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"filter\":{\"symbol\":\"a\\\"b\"}}", FM_parameter_invalid},
        {"{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"filter\":{\"severity_min\":\"x\"}}", FM_parameter_invalid},
    };
    char text[400];

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        parse(cases[i].text, cases[i].code);
    snprintf(text, sizeof(text), "{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"filter\":{\"symbol\":\"%0100d\"}}",
             7);
    parse(text, FM_parameter_invalid);
}

static void depth_is_bounded(void **unused)
{
    char text[400] = "{\"op\":\"ping\",\"x\":";
    size_t at = strlen(text);

    (void)unused;
    memset(text + at, '[', 100);
    memset(text + at + 100, ']', 100);
    strcpy(text + at + 200, "}");
    assert_int_equal(parse(text, 0).op, FM_OP_INGEST); /* torn for us; the decoder says what is wrong */
}

/* No byte at or behind the end is read: every prefix, in memory of exactly its size. */
static void every_prefix_is_answered(void **unused)
{
    static const char whole[] =
        "{\"op\":\"subscribe\",\"topics\":[\"alerts\"],\"filter\":{\"symbol\":\"A\\\\\"},\"from\":1}";

    (void)unused;
    for (size_t size = 0; size <= sizeof(whole) - 1; size++) {
        fm_ws_command command;
        fm_error error = {0};
        char *copy = malloc(size > 0 ? size : 1);
        memcpy(copy, whole, size);
        int result = fm_ws_command_parse((fm_slice){copy, size}, &command, &error);
        assert_true(result <= 0);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_go_to_the_decoder_as_they_are),
        cmocka_unit_test(an_operation_is_found_wherever_it_stands),
        cmocka_unit_test(operations_are_found_in_any_order),
        cmocka_unit_test(what_cannot_be_done_is_told),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(every_prefix_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
