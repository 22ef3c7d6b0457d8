/* tests/unit/ingest/likely_test.c - a guess changes no result: records of one shape, read as expected pairs and read in
 * the general way, which is forced by keys written as no feed writes them. */
#include "records.h"

#include "base/random.h"

enum { ROUNDS = 20000, RECORDS = 6, KEYS_MAX = 20 };

typedef struct bytes {
    char data[32768];
    size_t size;
} bytes;

typedef struct choice {
    const char *key;
    const char *json[24];    /* values; the usual ones first */
    const char *msgpack[24]; /* the first byte of each is its length */
} choice;

#define NAME_64 "0123456789012345678901234567890123456789012345678901234567890123"
#define DECIMALS                                                                                                       \
    {"1.38512",                                                                                                        \
     "100",                                                                                                            \
     "250.25",                                                                                                         \
     "0.1",                                                                                                            \
     "1.50",                                                                                                           \
     "5.0",                                                                                                            \
     "0",                                                                                                              \
     "00",                                                                                                             \
     "1.",                                                                                                             \
     ".5",                                                                                                             \
     "1e2",                                                                                                            \
     "1.5E1",                                                                                                          \
     "123456789012345",                                                                                                \
     "1234567890123456",                                                                                               \
     "0.000000001",                                                                                                    \
     "0.0000000001",                                                                                                   \
     "-1",                                                                                                             \
     "\"1.5\"",                                                                                                        \
     "null"},                                                                                                          \
    {                                                                                                                  \
        "\011\xcb\x3f\xf6\x29\x73\x71\xf7\x5b\x10", "\001\x64", "\011\xcb\x40\x6f\x48\x00\x00\x00\x00\x00",            \
            "\001\x00", "\003\xcd\x13\x88", "\005\xce\x00\x01\x00\x00", "\002\xcc\xff",                                \
            "\011\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", "\011\xcf\x00\x20\x00\x00\x00\x00\x00\x00",                    \
            "\011\xcf\x00\x20\x00\x00\x00\x00\x00\x01", "\002\xd0\xff", "\011\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",    \
            "\011\xcb\xbf\xf8\x00\x00\x00\x00\x00\x00", "\011\xcb\x3e\x11\x2e\x0b\xe8\x26\xd6\x95",                    \
            "\011\xcb\x3f\xd5\x55\x55\x55\x55\x55\x55",                                                                \
            "\004\xa3"                                                                                                 \
            "1.5",                                                                                                     \
            "\007\xa6"                                                                                                 \
            "250.25",                                                                                                  \
            "\003\xa2"                                                                                                 \
            "7.",                                                                                                      \
            "\004\xa3"                                                                                                 \
            "1e2",                                                                                                     \
            "\004\xa3"                                                                                                 \
            "007",                                                                                                     \
            "\001\xc0"                                                                                                 \
    }

static const choice choices[] = {
    {"type",
     {"\"trade\"", "\"quote\"", "\"trade\"", "\"quote\"", "\"value\"", "\"tr\\u0061de\"", "\"bar\"", "5", "null"},
     {"\006\xa5trade", "\006\xa5quote", "\006\xa5trade", "\006\xa5quote", "\006\xa5value", "\007\xd9\005trade",
      "\004\xa3"
      "bar",
      "\001\5"}},
    {"symbol",
     {"\"EURUSD\"", "\"A\"", "\"BRK.B\"", "\"0123456789abcdef\"", "\"0123456789abcde\"", "\"" NAME_64 "\"",
      "\"" NAME_64 "5\"", "\"a b\"", "\"\"", "\"a\\\"b\"", "\"\xc3\xa9\"", "\"a\tb\"", "7", "null"},
     {"\007\xa6"
      "EURUSD",
      "\002\xa1"
      "A",
      "\021\xb0"
      "0123456789abcdef",
      "\022\xb1"
      "0123456789abcdef0",
      "\004\xa3"
      "a b",
      "\001\xa0",
      "\004\xa3"
      "a\x7f"
      "b",
      "\003\xa2\xc3\xa9", "\002\xa1\xff", "\001\7", "\001\xc0"}},
    {"ts",
     {"1399033800000000000", "1399033800123456789", "1500000000000000000", "1399033800000000000.0",
      "13990338000000000000", "139903380000000000", "0399033800000000000", "139903380000000000x", "9999033800000000000",
      "\"1399033800000000000\"", "\"2014-05-02T12:30:00Z\"", "null"},
     {"\011\xcf\x13\x6a\x5a\x51\x1e\x23\x80\x00", "\011\xcf\x13\x6a\x5a\x51\x1e\x23\x80\x01",
      "\011\xd3\x13\x6a\x5a\x51\x1e\x23\x80\x00", "\011\xcf\xff\x6a\x5a\x51\x1e\x23\x80\x00", "\001\1", "\001\xc0"}},
    {"price", DECIMALS},
    {"size", DECIMALS},
    {"bid", DECIMALS},
    {"bid_size", DECIMALS},
    {"ask", DECIMALS},
    {"venue",
     {"\"XBAR\"", "\"a b\"", "\"" NAME_64 "\"", "\"\"", "\"\\u0041\"", "1"},
     {"\005\xa4XBAR",
      "\004\xa3"
      "a b",
      "\001\xa0", "\001\1"}},
    {"seq",
     {"5", "123456", "0", "5.0", "5e0", "05", "123456789012345", "1234567890123456", "-1", "\"5\"", "null"},
     {"\001\5", "\003\xcd\1\2", "\005\xce\1\2\3\4", "\011\xcf\1\2\3\4\5\6\7\1", "\011\xcf\xff\2\3\4\5\6\7\1",
      "\002\xd0\x05", "\001\xe0"}},
    {"side",
     {"\"buy\"", "\"sell\"", "\"hold\"", "1", "null"},
     {"\004\xa3"
      "buy",
      "\005\xa4sell", "\002\xa1x", "\001\xc0"}},
    {"id", {"\"t1\"", "\"0123456789abcdef0\"", "\"\"", "\"\\n\""}, {"\003\xa2t1", "\001\xa0"}},
    {"conditions", {"[]", "[\"odd_lot\"]", "[\"x\"]"}, {"\001\x90", "\012\x91\xa7odd_lot", "\001\xc0"}},
    {"other", {"1", "{\"type\":\"quote\"}", "[1,{}]"}, {"\001\1", "\002\x91\1"}},
};
#define CHOICES (sizeof choices / sizeof *choices)

static void put(bytes *out, const void *data, size_t size)
{
    assert_true(size <= sizeof out->data - out->size);
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static const char *draw(fm_random *random, const char *const *values)
{
    uint32_t count = 0;
    while (values[count])
        count++;
    uint32_t usual = count < 3 ? count : 3;
    return values[fm_random_below(random, fm_random_below(random, 12) ? usual : count)];
}

/* Each pair in both ways: usual[] may be guessed, general[] never is. */
static void put_json(fm_random *random, bool spaced, const uint8_t *keys, unsigned count, bytes *usual, bytes *general)
{
    for (unsigned k = 0; k < count; k++) {
        const choice *one = &choices[keys[k]];
        const char *value = draw(random, one->json);
        char text[256];
        int size = snprintf(text, sizeof text, "%s%s\"%s\":%s%s", k ? "," : "{", k && spaced ? " " : "", one->key,
                            spaced ? " " : "", value);
        put(usual, text, (size_t)size);
        size = snprintf(text, sizeof text, "%s\t\"%s\":\t%s", k ? "," : "{", one->key, value);
        put(general, text, (size_t)size);
    }
    put(usual, count ? "}\n" : "{}\n", count ? 2 : 3);
    put(general, count ? "\t}\n" : "{}\n", 3);
}

static void put_msgpack(fm_random *random, const uint8_t *keys, unsigned count, bytes *usual, bytes *general)
{
    char head = (char)(0x80 + count), long_head[3] = {(char)0xde, 0, (char)count};
    put(usual, count < 16 ? &head : long_head, count < 16 ? 1 : 3);
    put(general, long_head, 3);
    for (unsigned k = 0; k < count; k++) {
        const choice *one = &choices[keys[k]];
        const char *value = draw(random, one->msgpack);
        char size = (char)strlen(one->key), text = (char)(0xa0 + size), long_text[2] = {(char)0xd9, size};
        put(usual, &text, 1);
        put(general, long_text, 2);
        put(usual, one->key, strlen(one->key));
        put(general, one->key, strlen(one->key));
        put(usual, value + 1, (size_t)*value);
        put(general, value + 1, (size_t)*value);
    }
}

/* Keys of a shape in a random order, the type often first; seldom one of them twice. */
static unsigned draw_shape(fm_random *random, uint8_t keys[KEYS_MAX])
{
    unsigned count = 0;
    for (uint8_t k = 0; k < CHOICES; k++)
        if (k < 3 ? fm_random_below(random, 40) : fm_random_below(random, 2))
            keys[count++] = k;
    if (fm_random_below(random, 2))
        for (unsigned k = count; k > 1 + fm_random_below(random, 2); k--) {
            unsigned other = fm_random_below(random, k);
            uint8_t moved = keys[k - 1];
            keys[k - 1] = keys[other];
            keys[other] = moved;
        }
    if (count > 0 && fm_random_below(random, 10) == 0)
        for (unsigned more = fm_random_below(random, 5); more > 0; more--) {
            keys[count] = keys[fm_random_below(random, count)];
            count++;
        }
    return count;
}

static void both_ways_agree(fm_format format)
{
    static bytes usual, general;
    static line a, b, c;
    static fm_decoder learnt; /* from all bodies before */
    fm_random random;
    unsigned accepted = 0;
    fm_decoder_init(&learnt, format, "", 0, &fm_decode_limits_preset);
    for (unsigned round = 0; round < ROUNDS; round++) {
        fm_random_seed(&random, round);
        usual.size = general.size = 0;
        uint8_t shapes[2][KEYS_MAX];
        unsigned counts[2] = {draw_shape(&random, shapes[0]), draw_shape(&random, shapes[1])};
        bool spaced = fm_random_below(&random, 2);
        for (unsigned record = 0; record < RECORDS; record++) {
            unsigned shape = fm_random_below(&random, 4) == 0;
            if (format == FM_FORMAT_NDJSON)
                put_json(&random, spaced, shapes[shape], counts[shape], &usual, &general);
            else
                put_msgpack(&random, shapes[shape], counts[shape], &usual, &general);
        }
        line_body(&a, format, usual.data, usual.size, &fm_decode_limits_preset);
        line_body(&b, format, general.data, general.size, &fm_decode_limits_preset);
        if (strcmp(a.text, b.text) != 0)
            fail_msg("seed %u\n%.*s\ngives\n%s\nin the general way\n%s", round,
                     format == FM_FORMAT_MSGPACK ? 0 : (int)usual.size, usual.data, a.text, b.text);
        fm_decoder_next_body(&learnt, usual.data, usual.size);
        line_decoder(&c, &learnt);
        if (strcmp(a.text, c.text) != 0)
            fail_msg("seed %u\n%.*s\ngives\n%s\nand behind the bodies before\n%s", round,
                     format == FM_FORMAT_MSGPACK ? 0 : (int)usual.size, usual.data, a.text, c.text);
        accepted += strstr(a.text, " ts=") != NULL;
    }
    assert_true(accepted > ROUNDS / 4);
}

static void guessed_json_is_what_the_general_way_reads(void **unused)
{
    (void)unused;
    both_ways_agree(FM_FORMAT_NDJSON);
}

static void guessed_msgpack_is_what_the_general_way_reads(void **unused)
{
    (void)unused;
    both_ways_agree(FM_FORMAT_MSGPACK);
}

static void a_key_that_stands_twice_in_every_record_is_refused_in_every_record(void **unused)
{
    (void)unused;
    char body[4096] = "", expected[1024] = "";
    for (int record = 0; record < 20; record++) {
        strcat(body, "{\"type\":\"trade\",\"symbol\":\"A\",\"ts\":1399033800000000000,\"price\":1,\"price\":1}\n");
        strcat(expected, "key_duplicate\n");
    }
    assert_body(FM_FORMAT_NDJSON, body, strlen(body), expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guessed_json_is_what_the_general_way_reads),
        cmocka_unit_test(guessed_msgpack_is_what_the_general_way_reads),
        cmocka_unit_test(a_key_that_stands_twice_in_every_record_is_refused_in_every_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
