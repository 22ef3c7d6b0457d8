/* What the tools write, the server's own decoder reads back as the same record, digit for digit. */
#include "tool/wire.h"

#include "assert_near.h"
#include "base/random.h"
#include "ingest/decode.h"

#include <string.h>

static void assert_decimal(int64_t mantissa, int scale, const char *expected)
{
    char text[32];
    size_t size = fm_wire_decimal((fm_decimal_number){mantissa, scale}, text);
    text[size] = '\0';
    assert_string_equal(text, expected);
}

static void decimals_are_written_digit_for_digit(void **unused)
{
    (void)unused;
    assert_decimal(0, 0, "0");
    assert_decimal(5, 0, "5");
    assert_decimal(-5, 2, "-0.05");
    assert_decimal(138512, 5, "1.38512");
    assert_decimal(100, 2, "1.00");
    assert_decimal(7, 9, "0.000000007");
    assert_decimal(FM_MAGNITUDE_MAX, 9, "9007199.254740992");
    assert_decimal(-FM_MAGNITUDE_MAX, 0, "-9007199254740992");
}

static fm_record trade(void)
{
    return (fm_record){.ts_ns = INT64_C(1399033800000000000),
                       .kind = FM_TRADE,
                       .side = FM_BUY,
                       .conditions = 1u << 5 | 1u << 31,
                       .seq = 12,
                       .seq_index = 3,
                       .row = 7,
                       .number = {{138512, 5}, {100, 0}, {FM_ABSENT, 0}, {FM_ABSENT, 0}},
                       .symbol = FM_SLICE("EURUSD"),
                       .venue = FM_SLICE("XBAR"),
                       .source = FM_SLICE("abc")};
}

static void a_trade_is_one_line_with_the_names_of_the_wire(void **unused)
{
    (void)unused;
    char out[FM_WIRE_RECORD_MAX];
    fm_record record = trade();
    size_t size = fm_wire_json(&record, out);
    out[size] = '\0';
    assert_string_equal(
        out, "{\"type\":\"trade\",\"symbol\":\"EURUSD\",\"ts\":1399033800000000000,\"price\":1.38512,\"size\":100,"
             "\"side\":\"buy\",\"conditions\":[\"intermarket_sweep\",\"odd_lot\"],\"venue\":\"XBAR\",\"seq\":12,"
             "\"seq_index\":3,\"src\":\"abc\",\"n\":7}\n");
}

static void an_absent_side_is_left_out(void **unused)
{
    (void)unused;
    char out[FM_WIRE_RECORD_MAX];
    fm_record record = {.kind = FM_QUOTE,
                        .ts_ns = 1,
                        .seq = FM_SEQ_ABSENT,
                        .row = FM_SEQ_ABSENT,
                        .symbol = FM_SLICE("A\"\\"),
                        .number = {{FM_ABSENT, 0}, {FM_ABSENT, 0}, {13920, 4}, {500, 0}}};
    size_t size = fm_wire_json(&record, out);
    out[size] = '\0';
    assert_string_equal(out,
                        "{\"type\":\"quote\",\"symbol\":\"A\\\"\\\\\",\"ts\":1,\"ask\":1.3920,\"ask_size\":500}\n");
}

/* ---- there and back ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_/\"\\:{}[],";

static fm_slice draw_name(fm_random *random, char *out)
{
    size_t size = 1 + fm_random_below(random, FM_NAME_MAX);
    for (size_t i = 0; i < size; i++)
        out[i] = alphabet[fm_random_below(random, sizeof(alphabet) - 1)];
    return (fm_slice){out, size};
}

static fm_decimal_number draw_decimal(fm_random *random)
{
    int64_t mantissa = 1 + (int64_t)(fm_random_below(random, UINT64_C(1) << 53) >> fm_random_below(random, 53));
    int32_t scale = (int32_t)fm_random_below(random, FM_SCALE_MAX + 1);
    for (; scale > 0 && mantissa % 10 == 0; scale--)
        mantissa /= 10;
    return (fm_decimal_number){mantissa, scale};
}

static void draw_bar(fm_random *random, fm_record *record)
{
    fm_decimal_number price = draw_decimal(random), volume = draw_decimal(random);
    for (int i = 0; i < 4; i++)
        record->number[i] = price;
    record->interval_ns = 1 + (int64_t)fm_random_below(random, UINT64_C(1000000000000000));
    record->volume = fm_random_below(random, 2) ? volume : (fm_decimal_number){FM_ABSENT, 0};
    record->buy_volume = fm_random_below(random, 2) ? record->volume : (fm_decimal_number){FM_ABSENT, 0};
    record->trade_count = fm_random_below(random, 2) ? fm_random_next(random) >> 2 : FM_SEQ_ABSENT;
}

/* A level or an order, with all that its action takes. */
static void draw_level(fm_random *random, fm_record *record)
{
    bool order = record->kind == FM_ORDER;
    uint8_t clear = order ? (uint8_t)FM_ORDER_CLEAR : (uint8_t)FM_BOOK_CLEAR;
    record->action = (uint8_t)(1 + fm_random_below(random, clear));
    record->book_flags = (uint8_t)(fm_random_next(random) & (FM_FLAG_MORE | FM_FLAG_SNAPSHOT));
    if (record->action == clear)
        return;
    record->side = (uint8_t)(FM_BUY + fm_random_below(random, 2));
    record->number[0] = draw_decimal(random);
    record->number[1] = !order && record->action == FM_BOOK_DELETE ? (fm_decimal_number){0, 0} : draw_decimal(random);
    if (order)
        record->order_id = fm_random_next(random);
    else if (record->action == FM_BOOK_SET)
        record->order_count = (uint32_t)fm_random_next(random);
}

static fm_record draw_record(fm_random *random, char names[5][FM_NAME_MAX])
{
    fm_record record = {
        .kind = (uint8_t)(FM_TRADE + fm_random_below(random, 7)), .seq = FM_SEQ_ABSENT, .row = FM_SEQ_ABSENT};
    record.ts_ns = INT64_C(1000000000000000000) + (int64_t)fm_random_below(random, UINT64_C(1000000000000000000));
    record.symbol = draw_name(random, names[0]);
    for (int i = 0; i < 4; i++)
        record.number[i] = (fm_decimal_number){FM_ABSENT, 0};
    if (record.kind == FM_TRADE) {
        record.side = (uint8_t)fm_random_below(random, 3);
        record.conditions = (uint32_t)(fm_random_next(random) & fm_random_next(random) & fm_random_next(random));
        record.number[0] = draw_decimal(random);
        record.number[1] = draw_decimal(random);
    } else if (record.kind == FM_QUOTE) {
        uint64_t sides = 1 + fm_random_below(random, 3);
        for (int i = 0; i < 4; i++)
            if (sides & (1u << i / 2))
                record.number[i] = draw_decimal(random);
        if (sides == 3) { /* one quote of one venue must not be crossed */
            record.number[0] = (fm_decimal_number){1, 9};
        }
    } else if (record.kind == FM_VALUE) {
        record.value = (fm_random_unit(random) - 0.5) * 1e6;
    } else if (record.kind == FM_BAR) {
        draw_bar(random, &record);
    } else if (record.kind == FM_BOOK || record.kind == FM_ORDER) {
        draw_level(random, &record);
    } else {
        record.phase = (uint32_t)(1 + fm_random_below(random, 4));
    }
    if (fm_random_below(random, 2))
        record.venue = draw_name(random, names[1]);
    if (fm_random_below(random, 2))
        record.channel = draw_name(random, names[2]);
    if (fm_random_below(random, 2)) {
        record.session = draw_name(random, names[3]);
        record.seq = fm_random_next(random) >> 2;
        record.seq_index = (uint32_t)fm_random_below(random, 3);
    }
    if (fm_random_below(random, 2)) {
        record.source = draw_name(random, names[4]);
        record.row = fm_random_next(random) >> 2;
    }
    return record;
}

static void assert_same(const fm_record *a, const fm_record *b)
{
    assert_true(a->ts_ns == b->ts_ns && a->kind == b->kind && a->side == b->side && a->conditions == b->conditions);
    assert_true(a->seq == b->seq && a->seq_index == b->seq_index && a->row == b->row && a->phase == b->phase);
    assert_true(a->kind != FM_VALUE || a->value == b->value);
    for (int i = 0; i < 4; i++) {
        assert_true(a->number[i].mantissa == b->number[i].mantissa);
        assert_true(a->number[i].mantissa == FM_ABSENT || a->number[i].scale == b->number[i].scale);
    }
    if (a->kind == FM_BAR) {
        assert_true(a->interval_ns == b->interval_ns && a->trade_count == b->trade_count);
        assert_true(a->volume.mantissa == b->volume.mantissa && a->buy_volume.mantissa == b->buy_volume.mantissa);
        assert_true(a->volume.mantissa == FM_ABSENT || a->volume.scale == b->volume.scale);
    } else if (a->kind == FM_BOOK || a->kind == FM_ORDER) {
        assert_true(a->action == b->action && a->book_flags == b->book_flags);
        assert_true(a->kind == FM_ORDER ? a->order_id == b->order_id : a->order_count == b->order_count);
    }
    assert_true(fm_slice_equal(a->symbol, b->symbol) && fm_slice_equal(a->venue, b->venue) &&
                fm_slice_equal(a->channel, b->channel));
    assert_true(fm_slice_equal(a->session, b->session) && fm_slice_equal(a->source, b->source));
    assert_int_equal(b->unknown_keys, 0);
}

static void there_and_back(fm_wire wire, fm_format format)
{
    static char out[FM_WIRE_RECORD_MAX];
    char names[5][FM_NAME_MAX];
    fm_random random;
    fm_random_seed(&random, 2014);
    for (int i = 0; i < 20000; i++) {
        fm_record record = draw_record(&random, names), back;
        size_t size = fm_wire_write(wire, &record, out);
        assert_true(size <= FM_WIRE_RECORD_MAX);
        fm_decoder decoder;
        fm_decoder_init(&decoder, format, out, size, &fm_decode_limits_preset);
        int result = fm_decoder_next(&decoder, &back);
        if (result != 1)
            fail_msg("record %d is refused: %s: %.*s", i, decoder.error.message, (int)size, out);
        assert_same(&record, &back);
        assert_int_equal(fm_decoder_next(&decoder, &back), 0);
    }
}

static void the_decoder_reads_back_what_json_says(void **unused)
{
    (void)unused;
    there_and_back(FM_WIRE_NDJSON, FM_FORMAT_NDJSON);
}

static void the_decoder_reads_back_what_msgpack_says(void **unused)
{
    (void)unused;
    there_and_back(FM_WIRE_MSGPACK, FM_FORMAT_MSGPACK);
}

/* Every name at its longest, every character escaped, every condition. */
static void the_largest_record_fits(void **unused)
{
    (void)unused;
    char out[2 * FM_WIRE_RECORD_MAX], quotes[FM_NAME_MAX];
    memset(quotes, '"', sizeof(quotes));
    fm_slice longest = {quotes, sizeof(quotes)};
    fm_record record = {.ts_ns = INT64_MAX,
                        .kind = FM_TRADE,
                        .side = FM_SELL,
                        .conditions = UINT32_MAX,
                        .seq = UINT64_MAX - 1,
                        .seq_index = UINT32_MAX,
                        .row = UINT64_MAX - 1,
                        .id_hash = UINT64_MAX,
                        .buyer = UINT32_MAX,
                        .seller = UINT32_MAX,
                        .number = {{-FM_MAGNITUDE_MAX, 9}, {-FM_MAGNITUDE_MAX, 9}, {FM_ABSENT, 0}, {FM_ABSENT, 0}},
                        .symbol = longest,
                        .venue = longest,
                        .channel = longest,
                        .session = longest,
                        .source = longest};
    assert_true(fm_wire_json(&record, out) <= FM_WIRE_RECORD_MAX);
    assert_true(fm_wire_msgpack(&record, out) <= FM_WIRE_RECORD_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_written_digit_for_digit),
        cmocka_unit_test(a_trade_is_one_line_with_the_names_of_the_wire),
        cmocka_unit_test(an_absent_side_is_left_out),
        cmocka_unit_test(the_decoder_reads_back_what_json_says),
        cmocka_unit_test(the_decoder_reads_back_what_msgpack_says),
        cmocka_unit_test(the_largest_record_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
