/* tests/unit/journal/dump_test.c - a line an event, with names and decimals from the dictionary on the way. */
#include "journal_bed.h"

#include "journal/dump.h"

typedef struct frame_builder {
    _Alignas(8) char bytes[4096];
    size_t size;
    uint32_t count;
} frame_builder;

static void add(frame_builder *frame, fm_event event, const void *behind, size_t size)
{
    event.extra_words = (uint16_t)((size + 7) / 8);
    if (event.kind >= FM_KIND_CONTROL)
        event.as.control.text_size = (uint16_t)size;
    memset(frame->bytes + frame->size, 0, 64 + 8u * event.extra_words);
    memcpy(frame->bytes + frame->size, &event, 64);
    if (size > 0)
        memcpy(frame->bytes + frame->size + 64, behind, size);
    frame->size += 64 + 8u * event.extra_words;
    frame->count++;
}

/* Dictionary, trade, quote, value, status, kill: in partition 3. */
static void write_sample(fm_bed *bed)
{
    frame_builder frame = {.size = 0};
    add(&frame, (fm_event){.ts_ns = 1, .kind = FM_DOMAIN}, "live", 4);
    add(&frame, (fm_event){.ts_ns = 1, .kind = FM_STREAM, .as.control.index = 1}, "XNAS\0L1", 7);
    add(&frame, (fm_event){.ts_ns = 1, .kind = FM_SOURCE, .as.control.index = 1}, "file \"a\"", 8);
    add(&frame, (fm_event){.ts_ns = 1, .kind = FM_SERIES, .as.control = {.price_scale = 4, .size_scale = 0}},
        "BAC\0XNAS", 8);
    add(&frame,
        (fm_event){.ts_ns = 2,
                   .kind = FM_TRADE,
                   .side = FM_BUY,
                   .stream = 1,
                   .conditions = 1u << 5 | 1u,
                   .seq = 9,
                   .as.trade = {.price = 138512, .size = 100, .id_hash = 7}},
        NULL, 0);
    fm_origin origin = {.source = 1, .row = 4, .seq_index = 2};
    add(&frame,
        (fm_event){.ts_ns = 3,
                   .kind = FM_QUOTE,
                   .flags = FM_FLAG_ORIGIN | FM_FLAG_LATE,
                   .seq = FM_SEQ_ABSENT,
                   .as.quote = {.bid = 9, .bid_size = 0, .ask = FM_ABSENT, .ask_size = FM_ABSENT}},
        &origin, sizeof(origin));
    add(&frame, (fm_event){.ts_ns = 4, .kind = FM_SCALE, .as.control = {.price_scale = 6, .size_scale = 2}}, NULL, 0);
    add(&frame,
        (fm_event){.ts_ns = 5, .kind = FM_TRADE, .seq = FM_SEQ_ABSENT, .as.trade = {.price = -1234567, .size = 5}},
        NULL, 0);
    add(&frame,
        (fm_event){.ts_ns = 6, .kind = FM_VALUE, .series = 77, .seq = FM_SEQ_ABSENT, .as.value = {.value = 1.5}}, NULL,
        0);
    add(&frame, (fm_event){.ts_ns = 7, .kind = FM_STATUS, .seq = FM_SEQ_ABSENT, .as.status = {.phase = FM_PHASE_HALT}},
        NULL, 0);
    add(&frame, (fm_event){.ts_ns = 8, .kind = FM_KILL, .as.control = {.at_sequence = 5}}, "spike\0deadline", 14);
    add(&frame, (fm_event){.ts_ns = 9, .kind = FM_CLOCK}, NULL, 0);
    bed_open(bed);
    fm_journal_append(fm_journal_writer_of(bed->journal, 0), 3, 1, frame.count, 1000, frame.bytes, frame.size);
    bed_append(bed, 0, 4, 2);
    bed_close(bed);
}

static char *dumped(fm_bed *bed, const fm_journal_dump_options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fm_error error = {0};
    bed->config.read_only = true;
    bed_open(bed);
    assert_int_equal(fm_journal_dump(bed->journal, options, out, &error), 0);
    fclose(out);
    bed_close(bed);
    bed->config.read_only = false;
    return text;
}

static void every_kind_is_printed_with_names_and_decimals(void **unused)
{
    (void)unused;
    static const char expected[] =
        "{\"partition\":3,\"sequence\":1,\"kind\":\"domain\",\"ts\":1,\"receive\":1000,\"index\":0,\"text\":\"live\"}\n"
        "{\"partition\":3,\"sequence\":2,\"kind\":\"stream\",\"ts\":1,\"receive\":1000,\"index\":1,\"venue\":\"XNAS\","
        "\"channel\":\"L1\"}\n"
        "{\"partition\":3,\"sequence\":3,\"kind\":\"source\",\"ts\":1,\"receive\":1000,\"index\":1,\"text\":\"file "
        "\\\"a\\\"\"}\n"
        "{\"partition\":3,\"sequence\":4,\"kind\":\"series\",\"ts\":1,\"receive\":1000,\"index\":0,\"price_scale\":4,"
        "\"size_scale\":0,"
        "\"domain\":\"live\",\"symbol\":\"BAC\",\"venue\":\"XNAS\"}\n"
        "{\"partition\":3,\"sequence\":5,\"kind\":\"trade\",\"ts\":2,\"receive\":1000,\"series\":0,\"symbol\":\"BAC\","
        "\"venue\":\"XNAS\","
        "\"channel\":\"L1\",\"price\":13.8512,\"size\":100,\"side\":\"buy\",\"id_hash\":7,"
        "\"conditions\":[\"regular\",\"intermarket_sweep\"],\"seq\":9}\n"
        "{\"partition\":3,\"sequence\":6,\"kind\":\"quote\",\"ts\":3,\"receive\":1000,\"series\":0,\"symbol\":\"BAC\","
        "\"bid\":0.0009,"
        "\"bid_size\":0,\"src\":\"file \\\"a\\\"\",\"n\":4,\"seq_index\":2,\"late\":true}\n"
        "{\"partition\":3,\"sequence\":7,\"kind\":\"scale\",\"ts\":4,\"receive\":1000,\"index\":0,\"price_scale\":6,"
        "\"size_scale\":2}\n"
        "{\"partition\":3,\"sequence\":8,\"kind\":\"trade\",\"ts\":5,\"receive\":1000,\"series\":0,\"symbol\":\"BAC\","
        "\"price\":-1.234567,"
        "\"size\":0.05}\n"
        "{\"partition\":3,\"sequence\":9,\"kind\":\"value\",\"ts\":6,\"receive\":1000,\"series\":77,\"value\":1.5}\n"
        "{\"partition\":3,\"sequence\":10,\"kind\":\"status\",\"ts\":7,\"receive\":1000,\"series\":0,\"symbol\":"
        "\"BAC\",\"phase\":\"halt\"}\n"
        "{\"partition\":3,\"sequence\":11,\"kind\":\"kill\",\"ts\":8,\"receive\":1000,\"index\":0,\"at_sequence\":5,"
        "\"rule\":\"spike\","
        "\"reason\":\"deadline\"}\n"
        "{\"partition\":3,\"sequence\":12,\"kind\":\"clock\",\"ts\":9,\"receive\":1000,\"index\":0,\"domain\":\"live\"}"
        "\n";
    fm_bed bed;
    bed_init(&bed);
    write_sample(&bed);
    char *text = dumped(&bed, &(fm_journal_dump_options){.partitions = 1u << 3, .from = 1, .limit = UINT64_MAX});
    assert_string_equal(text, expected);
    free(text);
    bed_fini(&bed);
}

/* A bar with all it may have, and an order and a level. */
static void bars_levels_and_orders_are_printed_whole(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    frame_builder frame = {.size = 0};
    struct {
        fm_bar_rest rest;
        fm_origin origin;
    } behind = {{.interval_ns = 60000000000, .volume = 1500, .buy_volume = 25, .trade_count = 7}, {.row = 4}};
    add(&frame, (fm_event){.ts_ns = 1, .kind = FM_SERIES, .as.control = {.price_scale = 2, .size_scale = 1}}, "E\0", 2);
    add(&frame,
        (fm_event){.ts_ns = 2,
                   .kind = FM_BAR,
                   .flags = FM_FLAG_ORIGIN,
                   .seq = FM_SEQ_ABSENT,
                   .as.bar = {.open = 150, .high = 200, .low = 125, .close = 175}},
        &behind, sizeof(behind));
    add(&frame,
        (fm_event){.ts_ns = 3,
                   .kind = FM_BOOK,
                   .side = FM_BUY,
                   .flags = FM_FLAG_SNAPSHOT | FM_FLAG_MORE,
                   .seq = FM_SEQ_ABSENT,
                   .as.book = {.price = 150, .size = 30, .order_count = 2, .action = FM_BOOK_SET}},
        NULL, 0);
    add(&frame,
        (fm_event){
            .ts_ns = 4,
            .kind = FM_ORDER,
            .side = FM_SELL,
            .seq = 5,
            .as.order =
                {.price = FM_ABSENT, .size = 30, .order_id = UINT64_MAX, .account = 9, .action = FM_ORDER_EXECUTE}},
        NULL, 0);
    bed_open(&bed);
    fm_journal_append(fm_journal_writer_of(bed.journal, 0), 3, 1, frame.count, 1000, frame.bytes, frame.size);
    bed_close(&bed);
    char *text = dumped(&bed, &(fm_journal_dump_options){.partitions = 1u << 3, .from = 2, .limit = UINT64_MAX});
    assert_string_equal(
        text,
        "{\"partition\":3,\"sequence\":2,\"kind\":\"bar\",\"ts\":2,\"receive\":1000,\"series\":0,\"symbol\":\"E\","
        "\"open\":1.50,\"high\":2.00,\"low\":1.25,\"close\":1.75,\"interval\":60000000000,\"volume\":150.0,"
        "\"buy_volume\":2.5,\"trades\":7,\"n\":4}\n"
        "{\"partition\":3,\"sequence\":3,\"kind\":\"book\",\"ts\":3,\"receive\":1000,\"series\":0,\"symbol\":\"E\","
        "\"action\":\"set\",\"side\":\"buy\",\"price\":1.50,\"size\":3.0,\"snapshot\":true,\"more\":true,\"orders\":2}"
        "\n"
        "{\"partition\":3,\"sequence\":4,\"kind\":\"order\",\"ts\":4,\"receive\":1000,\"series\":0,\"symbol\":\"E\","
        "\"action\":\"execute\",\"order\":18446744073709551615,\"side\":\"sell\",\"size\":3.0,\"account\":9,"
        "\"seq\":5}\n");
    free(text);
    bed_fini(&bed);
}

static void a_dump_may_begin_and_end_anywhere_and_still_knows_the_names(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    write_sample(&bed);
    char *text = dumped(&bed, &(fm_journal_dump_options){.partitions = UINT64_MAX, .from = 8, .limit = 1});
    assert_string_equal(
        text,
        "{\"partition\":3,\"sequence\":8,\"kind\":\"trade\",\"ts\":5,\"receive\":1000,\"series\":0,\"symbol\":\"BAC\","
        "\"price\":-1.234567,\"size\":0.05}\n");
    free(text);
    text = dumped(&bed, &(fm_journal_dump_options){.partitions = 1u << 4, .from = 2, .limit = 10});
    assert_ptr_equal(strstr(text, "{\"partition\":4,\"sequence\":2,"), text);
    assert_null(strstr(text + 3, "partition\""));
    free(text);
    bed_fini(&bed);
}

static void an_output_that_takes_no_more_is_told(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    write_sample(&bed);
    bed.config.read_only = true;
    bed_open(&bed);
    FILE *out = fopen("/dev/full", "w");
    assert_non_null(out);
    setvbuf(out, NULL, _IONBF, 0);
    fm_error error = {0};
    fm_journal_dump_options all = {.partitions = UINT64_MAX, .limit = UINT64_MAX};
    assert_int_equal(fm_journal_dump(bed.journal, &all, out, &error), FM_EIO);
    assert_true(error.message[0] != '\0');
    fclose(out);
    bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_printed_with_names_and_decimals),
        cmocka_unit_test(bars_levels_and_orders_are_printed_whole),
        cmocka_unit_test(a_dump_may_begin_and_end_anywhere_and_still_knows_the_names),
        cmocka_unit_test(an_output_that_takes_no_more_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
