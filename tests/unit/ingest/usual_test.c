/* tests/unit/ingest/usual_test.c - records that are read in one go give what the general way gives, and so does every
 * record that is nearly like them: one byte changed, cut, put in or left out, keys moved, numbers at their limits. */
#include "assert_near.h"
#include "both_ways.h"

#include <stdio.h>
#include <stdlib.h>

#define TRADE "{\"type\":\"trade\",\"symbol\":\"EURUSD\",\"venue\":\"XBAR\",\"ts\":1399033800000000000,"
#define QUOTE "{\"type\":\"quote\",\"symbol\":\"SPY\",\"venue\":\"XBAR\",\"ts\":1399033800000100000,"

static const char *const records[] = {
    TRADE "\"price\":1.38512,\"size\":100,\"side\":\"buy\"}",
    TRADE "\"price\":1050.2,\"size\":2500,\"seq\":1000017}",
    QUOTE "\"bid\":189.25,\"bid_size\":300,\"ask\":189.27,\"ask_size\":1200}",
    QUOTE "\"bid\":0.50,\"ask\":0.75,\"seq\":7,\"seq_index\":4294967295}",
    "{\"type\": \"trade\", \"symbol\": \"A\", \"ts\": 1399033800000000000, \"price\": 7, \"side\": \"sell\"}",
    "{\"type\": \"quote\", \"ts\": 1399033800000000000, \"symbol\": \"A\", \"bid\": 2, \"ask\": 3.0}",
    TRADE "\"price\":2,\"size\":0,\"channel\":\"one two\",\"session\":\"s\",\"src\":\"f\",\"n\":12}",
    "{\"type\":\"trade\",\"symbol\":\"AAPL240621C00190000\",\"ts\":1399033800000000000,\"price\":0.1,"
    "\"id\":\"t-1\",\"buyer\":\"0123456789abcdef0\",\"seller\":\"b\"}",
};
#define COUNT (sizeof records / sizeof *records)

/* Memory of just the body's size, so that a sanitizer sees a byte read beyond it. */
static unsigned exactly(fm_format format, const char *body, size_t size)
{
    char *copy = malloc(size + !size);
    assert_non_null(copy);
    memcpy(copy, body, size);
    unsigned taken = both_ways(format, copy, size, &fm_decode_limits_preset);
    free(copy);
    return taken;
}

/* The record stands first, in the middle and last; the others teach its shape. */
static unsigned among_others(const char *usual, const char *record, size_t size)
{
    static const char *const separators[] = {"\n", "\r\n", ",", ", "};
    unsigned taken = 0;
    for (int form = 0; form < 4; form++) {
        char body[8192];
        size_t used = 0;
#define PUT(data, count) (memcpy(body + used, data, count), used += (count))
        if (form >= 2)
            PUT("[", 1);
        for (int place = 0; place < 7; place++) {
            if (place > 0)
                PUT(separators[form], strlen(separators[form]));
            if (place % 3 == 0)
                PUT(record, size);
            else
                PUT(usual, strlen(usual));
        }
        if (form >= 2)
            PUT("]", 1);
#undef PUT
        taken += exactly(form < 2 ? FM_FORMAT_NDJSON : FM_FORMAT_JSON, body, used);
    }
    return taken;
}

static void usual_records_are_taken_wherever_they_stand(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(among_others(records[i], records[i], strlen(records[i])), 4 * 7);
        assert_int_equal(exactly(FM_FORMAT_NDJSON, records[i], strlen(records[i])), 1);
        assert_int_equal(exactly(FM_FORMAT_JSON, records[i], strlen(records[i])), 1);
        for (size_t other = 0; other < COUNT; other++)
            assert_int_equal(among_others(records[i], records[other], strlen(records[other])), 4 * 7);
    }
}

/* The general way forgets what it knew of the shapes. */
static void the_second_record_of_a_shape_is_read_in_one_go(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT; i++) {
        fm_decoder decoder;
        fm_record record;
        char body[4096] = "";
        for (int place = 0; place < 8; place++)
            strcat(strcat(body, records[i]), "\n");
        fm_decoder_init(&decoder, FM_FORMAT_NDJSON, body, strlen(body), &fm_decode_limits_preset);
        for (int place = 0; place < 8; place++) {
            assert_int_equal(fm_decoder_next(&decoder, &record), 1);
            assert_int_equal(decoder.index, place);
            assert_true(place == 0 || decoder.reach_known);
        }
        assert_int_equal(fm_decoder_next(&decoder, &record), 0);
    }
}

static void a_lone_record_is_read_in_one_go_once_a_body_has_shown_its_shape(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT; i++)
        for (int array = 0; array < 2; array++) {
            fm_decoder decoder;
            fm_record record;
            char body[1024];
            int size = snprintf(body, sizeof body, array ? "[%s]" : "%s", records[i]);
            fm_decoder_init(&decoder, FM_FORMAT_JSON, body, (size_t)size, &fm_decode_limits_preset);
            for (int count = 0; count < 3; count++) {
                assert_int_equal(fm_decoder_next(&decoder, &record), 1);
                assert_true(count == 0 || decoder.reach_known);
                assert_int_equal(fm_decoder_next(&decoder, &record), 0);
                assert_false(decoder.torn);
                assert_true(count == 0 || decoder.reach_known);
                fm_decoder_next_body(&decoder, body, (size_t)size);
            }
        }
}

static void a_changed_byte_is_judged_as_in_the_general_way(void **unused)
{
    (void)unused;
    static const unsigned char bytes[] = {0,   '\t', '\n', '\r', ' ',  '!', '"', ',', '-', '.', '0',  '1',  '5',  '9',
                                          ':', 'E',  '[',  ']',  '\\', '_', 'e', '{', '}', '~', 0x7f, 0x80, 0xc3, 0xff};
    for (size_t i = 0; i < COUNT; i++)
        for (size_t at = 0; at < strlen(records[i]); at++)
            for (size_t b = 0; b < sizeof bytes; b++) {
                char changed[512];
                size_t size = strlen(records[i]);
                memcpy(changed, records[i], size);
                changed[at] = (char)bytes[b];
                among_others(records[i], changed, size);
            }
}

static void a_byte_put_in_or_left_out_is_judged_as_in_the_general_way(void **unused)
{
    (void)unused;
    static const char bytes[] = " \t\n\r\"\\,.0e}";
    for (size_t i = 0; i < COUNT; i++)
        for (size_t at = 0; at <= strlen(records[i]); at++) {
            char changed[512];
            size_t size = strlen(records[i]);
            memcpy(changed, records[i], at);
            memcpy(changed + at, records[i] + at + 1, size - at);
            among_others(records[i], changed, at < size ? size - 1 : size);
            memcpy(changed + at + 1, records[i] + at, size - at);
            for (size_t b = 0; b < sizeof bytes; b++) {
                changed[at] = bytes[b];
                among_others(records[i], changed, size + 1);
            }
        }
}

static void a_body_cut_anywhere_is_judged_as_in_the_general_way(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT; i++) {
        char body[2048] = "[";
        for (int count = 0; count < 5; count++)
            strcat(strcat(body, count ? "," : ""), records[i]);
        for (size_t size = 0; size <= strlen(body); size++)
            exactly(FM_FORMAT_JSON, body, size);
        for (char *at = strstr(body, "},"); at; at = strstr(at, "},"))
            at[1] = '\n';
        for (size_t size = 0; size < strlen(body); size++)
            exactly(FM_FORMAT_NDJSON, body + 1, size);
    }
}

/* However much of the body is left: a shape that is no usual one is never read as one. */
static void shapes_are_judged_as_in_the_general_way_in_long_bodies(void **unused)
{
    (void)unused;
    static const char *const shapes[] = {
        TRADE "\"size\":100}",
        TRADE "\"price\":1,\"price\":2}",
        TRADE "\"price\":1,\"bid\":2}",
        TRADE "\"price\":1,\"n\":2}",
        QUOTE "\"bid\":1}",
        "{\"type\":\"quote\",\"symbol\":\"SPY\",\"venue\":\"XBAR\",\"bid\":1,\"ask\":2,\"ask_size\":100,\"seq\":"
        "100000}",
        TRADE "\"price\":1}",
    };
    const size_t most = (size_t)1 << 18;
    char *body = malloc(most);
    assert_non_null(body);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t used = 0, size = strlen(shapes[i]);
        for (; used + size + 1 <= most; used += size + 1) {
            memcpy(body + used, shapes[i], size);
            body[used + size] = '\n';
        }
        both_ways(FM_FORMAT_NDJSON, body, used, &fm_decode_limits_preset);
    }
    free(body);
}

/* Values that feeds may write for a key, good and bad ones, each in a record whose other values are usual. */
static void values_at_their_limits_are_judged_as_in_the_general_way(void **unused)
{
    (void)unused;
    static const char *const numbers[] = {
        "0",
        "00",
        "0.0",
        "0.00",
        "-0",
        "1",
        "10",
        "1.",
        "1.0",
        "1.00",
        "1.10",
        ".5",
        "0.5",
        "00.5",
        "01",
        "100.100",
        "0.000000001",
        "0.0000000001",
        "1.0000000000",
        "0.1234567890",
        "123456789012345",
        "1234567890123456",
        "12345678901234567",
        "12345678901234.5",
        "1234567890123.45",
        "123456789012.340",
        "12345678901.2340",
        "9007199254740992",
        "9007199254740993",
        "9007199254740992.0",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "1e2",
        "1.5e1",
        "1.5E-1",
        "15e-1",
        "1.5.5",
        "1 ",
        " 1",
        "1\t",
        "1-",
        "1,",
        "-1",
        "+1",
        "1x",
        "1.x",
        "null",
        "true",
        "\"1\"",
        "\"1.5\"",
        "[]",
        "{}",
        "1399033800000000000",
        "631152000000000000",
        "631151999999999999",
        "4102444800000000000",
        "4102444800000000001",
        "0631152000000000000",
        "13990338000000000000",
        "139903380000000000",
        "1399033800000000000.0",
        "1399033800000000000e0",
        "\"2014-05-02T12:30:00Z\"",
        "\"1399033800000000000\"",
        "99999999999999999999",
        "139903380000000000:",
        "139903380000000000/",
        "a399033800000000000",
    };
    static const char *const keys[] = {"ts",  "price",    "size", "bid",       "bid_size",
                                       "ask", "ask_size", "seq",  "seq_index", "n"};
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
            char key[24];
            snprintf(key, sizeof key,
                     strchr(records[i], ' ') == strstr(records[i], " \"") && records[i][8] == ' ' ? "\"%s\": "
                                                                                                  : "\"%s\":",
                     keys[k]);
            const char *found = strstr(records[i], key);
            if (!found)
                continue;
            size_t head = (size_t)(found - records[i]) + strlen(key);
            size_t value = strcspn(records[i] + head, ",}");
            for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
                char changed[512];
                int size = snprintf(changed, sizeof changed, "%.*s%s%s", (int)head, records[i], numbers[n],
                                    records[i] + head + value);
                among_others(records[i], changed, (size_t)size);
            }
        }
}

/* Pairs of a record in another order, one twice, one left out: every pair of places is tried. */
static void keys_moved_doubled_and_left_out_are_judged_as_in_the_general_way(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT; i++) {
        char pairs[16][64], *save, copy[512];
        size_t count = 0;
        strcpy(copy, records[i] + 1);
        copy[strlen(copy) - 1] = 0;
        for (char *pair = strtok_r(copy, ",", &save); pair; pair = strtok_r(NULL, ",", &save))
            strcpy(pairs[count++], pair + (*pair == ' '));
        for (size_t from = 0; from < count; from++)
            for (size_t to = 0; to <= count; to++) {
                char changed[512] = "{";
                for (size_t p = 0; p < count; p++) { /* the pair `from` instead of `to`; none for to == count */
                    const char *pair = p == to ? pairs[from] : p == from && to == count ? NULL : pairs[p];
                    if (pair)
                        strcat(strcat(changed, changed[1] ? records[i][8] == ' ' ? ", " : "," : ""), pair);
                }
                strcat(changed, "}");
                among_others(records[i], changed, strlen(changed));
                among_others(changed, changed, strlen(changed));
                among_others(changed, records[i], strlen(records[i]));
            }
    }
}

static void names_of_every_length_and_byte_are_judged_as_in_the_general_way(void **unused)
{
    (void)unused;
    for (int length = 0; length <= 70; length++)
        for (int byte = 1; byte < 256; byte += byte == 'a' ? 5 : 3) {
            char name[80], record[512];
            memset(name, 'a', sizeof name);
            name[length] = 0;
            if (length > 0)
                name[byte % length] = (char)byte;
            for (int key = 0; key < 2; key++) {
                int size = snprintf(
                    record, sizeof record,
                    "{\"type\":\"trade\",\"symbol\":\"%s\",\"venue\":\"%s\",\"ts\":1399033800000000000,\"price\":1}",
                    key ? "A" : name, key ? name : "B");
                among_others(record, record, (size_t)size);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_records_are_taken_wherever_they_stand),
        cmocka_unit_test(the_second_record_of_a_shape_is_read_in_one_go),
        cmocka_unit_test(a_lone_record_is_read_in_one_go_once_a_body_has_shown_its_shape),
        cmocka_unit_test(a_changed_byte_is_judged_as_in_the_general_way),
        cmocka_unit_test(a_byte_put_in_or_left_out_is_judged_as_in_the_general_way),
        cmocka_unit_test(a_body_cut_anywhere_is_judged_as_in_the_general_way),
        cmocka_unit_test(shapes_are_judged_as_in_the_general_way_in_long_bodies),
        cmocka_unit_test(values_at_their_limits_are_judged_as_in_the_general_way),
        cmocka_unit_test(keys_moved_doubled_and_left_out_are_judged_as_in_the_general_way),
        cmocka_unit_test(names_of_every_length_and_byte_are_judged_as_in_the_general_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
