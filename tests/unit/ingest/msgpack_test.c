/* tests/unit/ingest/msgpack_test.c - records from MessagePack: forms of values, bombs, and agreement with msgpack-c on
 * what is a value. */
#include "records.h"

#include "base/random.h"

#include <msgpack.h>
#include <stdlib.h>

#define BYTES(literal) (literal), sizeof(literal) - 1

/* Pieces of a map: fixstr keys with values. */
#define TYPE_TRADE "\xa4type\xa5trade"
#define SYMBOL                                                                                                         \
    "\xa6symbol\xa1"                                                                                                   \
    "A"
#define TS    "\xa2ts\xcf\x13\x6a\x5d\xd4\x25\xc3\xd0\x00"
#define TS_NS "1399033800000000000"
#define PRICE "\xa5price\x02"
#define GOOD  "\x84" TYPE_TRADE SYMBOL TS PRICE
#define LINE  "trade A ts=" TS_NS " price=2/0\n"
#define FIVE  "\x85" TYPE_TRADE SYMBOL TS PRICE /* and one more pair */

typedef struct sample {
    const char *body;
    size_t size;
    const char *expected;
} sample;

static void check(const sample *samples, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        line out;
        line_body(&out, FM_FORMAT_MSGPACK, samples[index].body, samples[index].size, &fm_decode_limits_preset);
        if (strcmp(out.text, samples[index].expected) != 0)
            fail_msg("case %zu gives %s expected %s", index, out.text, samples[index].expected);
    }
}
#define CHECK(samples) check(samples, sizeof(samples) / sizeof *(samples))

static void the_time_of_these_cases_is_right(void **unused)
{
    (void)unused;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    msgpack_pack_uint64(&packer, 1399033800000000000);
    assert_int_equal(buffer.size, 9);
    assert_memory_equal(buffer.data, TS + 3, 9);
    msgpack_sbuffer_destroy(&buffer);
}

static void numbers_are_integers_floats_or_text(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {BYTES(GOOD), LINE},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xcb\x3f\xf6\x29\x73\x96\xd0\x91\x7d"),
         "trade A ts=" TS_NS " price=138512/5\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xca\x3f\xc0\x00\x00"), "trade A ts=" TS_NS " price=15/1\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xca\x3f\xb1\x4b\x9d"), "trade A ts=" TS_NS " price=138512/5\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xa7"
               "1.38512"),
         "trade A ts=" TS_NS " price=138512/5\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xa1x"), "price_invalid\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), "price_invalid\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), "price_invalid\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xca\xff\x80\x00\x00"), "price_invalid\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xcb\x7f\xe1\xcc\xf3\x85\xeb\xc8\xa0"), "price_too_large\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xcb\x3f\xd3\x33\x33\x33\x33\x33\x34"), "price_too_precise\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xcb\xbf\xf8\x00\x00\x00\x00\x00\x00"), "price_negative\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xff"), "price_negative\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\x00"), "price_negative\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "price_too_large\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), "price_too_large\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xd0\x05"), "trade A ts=" TS_NS " price=5/0\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xd1\x01\x00"), "trade A ts=" TS_NS " price=256/0\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xc3"), "price_invalid\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xc0"), "price_missing\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xc4\x01"
               "5"),
         "price_invalid\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\xd4\x05"
               "5"),
         "price_invalid\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL TS "\xa5price\x91\x01"), "price_invalid\n"},
        {BYTES(FIVE "\xa3seq\xff"), "seq_invalid\n"},
        {BYTES(FIVE "\xa3seq\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"), "seq_invalid\n"},
        {BYTES(FIVE "\xa3seq\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), "seq_invalid\n"},
        {BYTES(FIVE "\xa3seq\xcd\x01\x00"), "trade A ts=" TS_NS " seq=256 price=2/0\n"},
        {BYTES("\x84\xa4type\xa5value" SYMBOL TS "\xa5value\xca\x3f\xc0\x00\x00"),
         "value A ts=" TS_NS " value=0x1.8p+0\n"},
        {BYTES("\x84\xa4type\xa5value" SYMBOL TS "\xa5value\xff"), "value A ts=" TS_NS " value=-0x1p+0\n"},
        {BYTES("\x84\xa4type\xa5value" SYMBOL TS "\xa5value\xa1"
               "1"),
         "value_invalid\n"},
        {BYTES("\x84\xa4type\xa5value" SYMBOL TS "\xa5value\xcb\xff\xf0\x00\x00\x00\x00\x00\x00"), "value_invalid\n"},
    };
    CHECK(samples);
}

static void keys_and_values_of_other_forms_have_their_reasons(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {BYTES(""), ""},
        {BYTES(GOOD GOOD), LINE LINE},
        {BYTES("\x92" GOOD GOOD GOOD), LINE LINE LINE},
        {BYTES("\xdc\x00\x02" GOOD "\x05" GOOD), LINE "not_an_object\n" LINE},
        {BYTES("\x90\x90" GOOD), LINE},
        {BYTES("\x05" GOOD "\xa1x\xc0\x91\x91\x05" GOOD),
         "not_an_object\n" LINE "not_an_object\nnot_an_object\nnot_an_object\n" LINE},
        {BYTES(FIVE "\xa5price\x02" GOOD), "key_duplicate\n" LINE},
        {BYTES(FIVE "\xd9\x05price\x02"), "key_duplicate\n"},
        {BYTES("\xde\x00\x04" TYPE_TRADE SYMBOL TS PRICE), LINE},
        {BYTES("\xdf\x00\x00\x00\x04" TYPE_TRADE SYMBOL TS PRICE), LINE},
        {BYTES(FIVE "\x05\x06"), "trade A ts=" TS_NS " price=2/0 unknown=1\n"},
        {BYTES(FIVE "\x92\xa1"
                    "a\xc0\x81\x01\x02"),
         "trade A ts=" TS_NS " price=2/0 unknown=1\n"},
        {BYTES(FIVE "\xa1x\xc7\x03\x01"
                    "abc"),
         "trade A ts=" TS_NS " price=2/0 unknown=1\n"},
        {BYTES(FIVE "\xa1x\xc4\x03"
                    "\xff\xff\xff"),
         "trade A ts=" TS_NS " price=2/0 unknown=1\n"},
        {BYTES(FIVE "\xa1x\xa1\xff" GOOD), "utf8_invalid\n" LINE},
        {BYTES(FIVE "\xa1\xff\x01" GOOD), "utf8_invalid\n" LINE},
        {BYTES(FIVE "\xa5venue\xa1\xff" GOOD), "utf8_invalid\n" LINE},
        {BYTES(FIVE "\xa5venue\xa2\xc3\xa4" GOOD), "name_invalid\n" LINE},
        {BYTES(FIVE "\xa5venue\xa0"), "name_invalid\n"},
        {BYTES(FIVE "\xa5venue\x01"), "name_invalid\n"},
        {BYTES(FIVE "\xa5venue\xc0"), LINE},
        {BYTES(FIVE "\xaa"
                    "conditions\x92\xa7odd_lot\xa6"
                    "form_t"),
         "trade A ts=" TS_NS " price=2/0 conditions=80000400\n"},
        {BYTES(FIVE "\xaa"
                    "conditions\x91\x01"),
         "condition_unknown\n"},
        {BYTES(FIVE "\xaa"
                    "conditions\x01"),
         "condition_unknown\n"},
        {BYTES("\x81\xa4type\xa4"
               "news"),
         "type_unsupported\n"},
        {BYTES("\x82\xa4side\xa3"
               "bid\xa4type\xa4"
               "news"),
         "type_unsupported\n"},
        {BYTES("\x81\xa4type\x01"), "type_unknown\n"},
        {BYTES("\x80"), "type_missing\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL PRICE "\xa2ts\xca\x3f\xc0\x00\x00"), "ts_invalid\n"},
        {BYTES("\x84" TYPE_TRADE SYMBOL PRICE "\xa2ts\xb4"
               "2014-05-02T12:30:00Z"),
         LINE},
        {BYTES("\x84" TYPE_TRADE SYMBOL PRICE "\xa2ts\x01"), "ts_out_of_range\n"},
    };
    CHECK(samples);
}

static void what_is_cut_off_or_promises_too_much_ends_the_body(void **unused)
{
    (void)unused;
    static const sample samples[] = {
        {BYTES(GOOD "\x84" TYPE_TRADE), LINE "malformed\ntorn\n"},
        {BYTES(GOOD "\xc1" GOOD), LINE "malformed\ntorn\n"},
        {BYTES(FIVE "\xa1x\xc1"), "malformed\ntorn\n"},
        {BYTES("\x93" GOOD GOOD), LINE LINE "malformed\ntorn\n"},
        {BYTES("\xdd\xff\xff\xff\xff"), "malformed\ntorn\n"},
        {BYTES("\xdd\xff\xff\xff\xff" GOOD), LINE "malformed\ntorn\n"},
        {BYTES("\xdf\xff\xff\xff\xff" TYPE_TRADE), "malformed\ntorn\n"},
        {BYTES(FIVE "\xa1x\xdd\xff\xff\xff\xff"), "malformed\ntorn\n"},
        {BYTES(FIVE "\xa1x\xdb\xff\xff\xff\xff"
                    "abc"),
         "malformed\ntorn\n"},
        {BYTES(FIVE "\xdb\xff\xff\xff\xff"
                    "abc"),
         "malformed\ntorn\n"},
        {BYTES(FIVE "\xa5venue\xdb\xff\xff\xff\xff"
                    "abc"),
         "malformed\ntorn\n"},
        {BYTES(FIVE "\xa1x\xc9\xff\xff\xff\xff\x01"), "malformed\ntorn\n"},
        {BYTES(FIVE "\xaa"
                    "conditions\xdd\xff\xff\xff\xff"),
         "malformed\ntorn\n"},
        {BYTES("\xd9"), "malformed\ntorn\n"},
        {BYTES("\x81\xa4typ"), "malformed\ntorn\n"},
    };
    CHECK(samples);
}

static void nesting_is_bounded_and_recovered_from(void **unused)
{
    (void)unused;
    enum { DEEP = 1000000 };
    char *body = malloc(DEEP + 200);
    size_t size = sizeof(FIVE "\xa1x") - 1;
    memcpy(body, FIVE "\xa1x", size);
    memset(body + size, '\x91', DEEP);
    size += DEEP;
    body[size++] = '\xc0';
    memcpy(body + size, GOOD, sizeof GOOD - 1);
    size += sizeof GOOD - 1;
    line out;
    line_body(&out, FM_FORMAT_MSGPACK, body, size, &fm_decode_limits_preset);
    assert_string_equal(out.text, "nesting_too_deep\n" LINE);

    fm_decode_limits limits = fm_decode_limits_preset;
    limits.key_bytes_max = 3;
    limits.text_bytes_max = 4;
    limits.depth_max = 2;
    static const sample samples[] = {
        {BYTES(FIVE "\xa3key\x01"), "trade A ts=" TS_NS " price=2/0 unknown=1\n"},
        {BYTES(FIVE "\xa4keys\x01"), "key_too_long\n"},
        {BYTES(FIVE "\xa1x\xa4text"), "trade A ts=" TS_NS " price=2/0 unknown=1\n"},
        {BYTES(FIVE "\xa1x\xa5texts"), "key_too_long\n"},
        {BYTES(FIVE "\xa1x\x91\x91\x01"), "trade A ts=" TS_NS " price=2/0 unknown=1\n"},
        {BYTES(FIVE "\xa1x\x91\x91\x91\x01"), "nesting_too_deep\n"},
    };
    for (size_t index = 0; index < sizeof samples / sizeof *samples; index++) {
        line_body(&out, FM_FORMAT_MSGPACK, samples[index].body, samples[index].size, &limits);
        assert_string_equal(out.text, samples[index].expected);
    }
    free(body);
}

/* A random value, with depth left. */
static void pack_random(msgpack_packer *packer, fm_random *random, int depth)
{
    uint64_t choice = fm_random_below(random, depth > 0 ? 12 : 9), size = fm_random_below(random, 40);
    static const char text[64] = "the quick brown fox jumps over the lazy dog, and then some more";
    switch (choice) {
    case 0:
        msgpack_pack_nil(packer);
        break;
    case 1:
        msgpack_pack_true(packer);
        break;
    case 2:
        msgpack_pack_int64(packer, (int64_t)(fm_random_next(random) >> fm_random_below(random, 64)));
        break;
    case 3:
        msgpack_pack_int64(packer, -(int64_t)(fm_random_next(random) >> (1 + fm_random_below(random, 63))));
        break;
    case 4:
        msgpack_pack_double(packer, fm_random_unit(random));
        break;
    case 5:
        msgpack_pack_float(packer, (float)fm_random_unit(random));
        break;
    case 6:
        msgpack_pack_str(packer, size);
        msgpack_pack_str_body(packer, text, size);
        break;
    case 7:
        msgpack_pack_bin(packer, size);
        msgpack_pack_bin_body(packer, text, size);
        break;
    case 8:
        msgpack_pack_ext(packer, size, 3);
        msgpack_pack_ext_body(packer, text, size);
        break;
    case 9:
        msgpack_pack_map(packer, size % 5);
        for (uint64_t index = 0; index < 2 * (size % 5); index++)
            pack_random(packer, random, depth - 1);
        break;
    default:
        msgpack_pack_array(packer, size % 20);
        for (uint64_t index = 0; index < size % 20; index++)
            pack_random(packer, random, depth - 1);
    }
}

/* Whether a value under an unknown key ends where msgpack-c says it ends, cut at every length. */
static void a_value_ends_where_msgpack_c_ends_it(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 21);
    for (int round = 0; round < 3000; round++) {
        msgpack_sbuffer buffer;
        msgpack_packer packer;
        msgpack_sbuffer_init(&buffer);
        msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
        msgpack_sbuffer_write(&buffer, FIVE "\xa1x", sizeof(FIVE "\xa1x") - 1);
        pack_random(&packer, &random, 4);
        size_t whole = buffer.size;
        size_t length = fm_random_below(&random, 4) ? whole : 1 + fm_random_below(&random, whole);
        msgpack_unpacked unpacked;
        msgpack_unpacked_init(&unpacked);
        size_t offset = 0;
        bool complete = msgpack_unpack_next(&unpacked, buffer.data, length, &offset) == MSGPACK_UNPACK_SUCCESS;
        line out;
        line_body(&out, FM_FORMAT_MSGPACK, buffer.data, length, &fm_decode_limits_preset);
        assert_string_equal(out.text, complete ? "trade A ts=" TS_NS " price=2/0 unknown=1\n" : "malformed\ntorn\n");
        msgpack_unpacked_destroy(&unpacked);
        msgpack_sbuffer_destroy(&buffer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_of_these_cases_is_right),
        cmocka_unit_test(numbers_are_integers_floats_or_text),
        cmocka_unit_test(keys_and_values_of_other_forms_have_their_reasons),
        cmocka_unit_test(what_is_cut_off_or_promises_too_much_ends_the_body),
        cmocka_unit_test(nesting_is_bounded_and_recovered_from),
        cmocka_unit_test(a_value_ends_where_msgpack_c_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
