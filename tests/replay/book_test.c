/* tests/replay/book_test.c - recorded order books through their file formats into engine/book: what the venues' books
 * were. links: ingest engine
 *
 * The recordings are market/book in $FMADS_TESTDATA; without one the test is skipped by its name, with CI=true it
 * fails. */
#include "assert_near.h"

#include "base/random.h"
#include "engine/book.h"
#include "ingest/file_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static const char *data_file(const char *name)
{
    static char path[700];
    const char *data = getenv("FMADS_TESTDATA"), *ci = getenv("CI");
    snprintf(path, sizeof path, "%s/market/book/%s", data ? data : FMADS_SOURCE_DIR "/../shared/data", name);
    if (access(path, R_OK) == 0)
        return path;
    if (ci && strcmp(ci, "true") == 0)
        fail_msg("%s is not there", name);
    print_message("skipped: %s is not there (FMADS_TESTDATA)\n", name);
    skip();
    return NULL;
}

static fm_file_reader *reader_of(const char *name, const char *format)
{
    fm_file_reader *reader;
    fm_error error;
    if (fm_file_reader_open(data_file(name), NULL, NULL, NULL, &reader, &error) < 0)
        fail_msg("%s: %s", name, error.message);
    assert_string_equal(fm_file_reader_format(reader), format);
    return reader;
}

static bool next(fm_file_reader *reader, fm_record *record)
{
    fm_error error;
    int result = fm_file_reader_next(reader, record, &error);
    if (result < 0)
        fail_msg("%s", error.message);
    return result > 0;
}

static int64_t scaled(fm_decimal_number number, int scale)
{
    if (number.mantissa == FM_ABSENT)
        return FM_ABSENT;
    assert_true(number.scale <= scale);
    for (; number.scale < scale; number.scale++)
        number.mantissa *= 10;
    return number.mantissa;
}

static fm_event event_of(const fm_record *record, int price_scale, int size_scale)
{
    fm_event event = {.ts_ns = record->ts_ns,
                      .kind = record->kind,
                      .side = record->side,
                      .flags = record->book_flags,
                      .seq = record->seq};
    int64_t price = scaled(record->number[0], price_scale), size = scaled(record->number[1], size_scale);
    if (record->kind == FM_ORDER)
        event.as.order =
            (fm_order){.price = price, .size = size, .order_id = record->order_id, .action = record->action};
    else
        event.as.book =
            (fm_book){.price = price, .size = size, .order_count = record->order_count, .action = record->action};
    return event;
}

static fm_order_book new_book(void)
{
    fm_order_book book;
    fm_book_init(&book, &(fm_book_limits){.levels_max = 4096, .orders_max = 65536});
    return book;
}

static bool is_of_book(const fm_record *record)
{
    return record->kind == FM_BOOK || record->kind == FM_ORDER;
}

/* ---- CME ---- */

#define OPEN_NS INT64_C(1703545200001000000) /* 2023-12-25T23:00:00.001Z */

/* Saved and loaded the book goes on the same; `book` is the loaded one from then on. */
static void reload(fm_order_book *book)
{
    size_t size = fm_book_save_size(book);
    char *bytes = malloc(size), *again = malloc(size);
    assert_true(bytes != NULL && again != NULL);
    fm_book_save(book, bytes);
    fm_order_book other = new_book();
    assert_int_equal(fm_book_load(&other, bytes, size), 0);
    fm_book_save(&other, again);
    assert_memory_equal(bytes, again, size);
    fm_book_fini(book);
    *book = other;
    free(bytes);
    free(again);
}

static void cme_orders_build_the_book_to_its_end(void **unused)
{
    (void)unused;
    fm_file_reader *reader = reader_of("ESH4_cme_mbo_2023-12-25_first.csv.gz", "databento-mbo");
    fm_order_book book = new_book();
    fm_record record;
    uint64_t late = 0, trades = 0, executed[2] = {0}, back = 0;
    int64_t last_ns = 0;
    for (uint32_t i = 0; next(reader, &record); i++) {
        back += record.ts_ns < last_ns;
        last_ns = record.ts_ns;
        trades += record.kind == FM_TRADE;
        if (!is_of_book(&record))
            continue;
        fm_event event = event_of(&record, 2, 0);
        uint32_t result = fm_book_apply(&book, &event);
        if (result & FM_BOOK_ENDED)
            late += book.crossing != FM_BOOK_APART && record.ts_ns >= OPEN_NS;
        if ((result & FM_BOOK_ACTED) && book.change.action == FM_ORDER_EXECUTE)
            executed[book.change.side - FM_BUY]++;
        if (i % 5000 == 4999)
            reload(&book);
    }
    const fm_book_counts *counts = &book.counts;
    assert_int_equal(fm_file_reader_counts(reader)->rows, 38758);
    assert_int_equal(fm_file_reader_counts(reader)->refused, 0);
    assert_int_equal(back, 0);
    assert_int_equal(trades, 1553);
    assert_int_equal(counts->records, 38758 + 1 - 1553); /* the snapshot's clear; trades are not the book's */
    assert_int_equal(counts->unknown + counts->duplicate + counts->malformed + counts->left_out, 0);
    assert_int_equal(counts->passing, 7); /* stops that the opening auction filled before they ever rested */
    assert_int_equal(counts->backwards, 0);
    assert_int_equal(book.degraded, 0);
    assert_int_equal(counts->crossed, 891); /* all before the open */
    assert_int_equal(counts->locked, 0);
    assert_int_equal(late, 0);
    assert_int_equal(book.touch[0].price, 480975);
    assert_int_equal(book.touch[1].price, 481000);
    assert_true(executed[0] == book.side[0].churn.executes && executed[0] > 1000 && executed[1] > 1000);
    fm_book_fini(&book);
    fm_file_reader_close(reader);
}

/* ---- LOBSTER ---- */

enum { LOBSTER_LEVELS = 10 };

typedef struct lobster_row { /* of the orderbook file, from the best on; prices in 1/10,000 */
    int64_t price[2][LOBSTER_LEVELS], size[2][LOBSTER_LEVELS];
} lobster_row;

static bool read_lobster_row(gzFile file, lobster_row *row)
{
    char line[2000], *at = line;
    if (gzgets(file, line, sizeof line) == NULL)
        return false;
    for (int level = 0; level < LOBSTER_LEVELS; level++) {
        for (int side = 1; side >= 0; side--) { /* the ask stands first */
            row->price[side][level] = strtoll(at, &at, 10);
            row->size[side][level] = strtoll(at + 1, &at, 10);
            at++;
        }
    }
    return true;
}

/* An order whose add nobody has told, standing for all of its level that rested before the file begins. */
static uint64_t stand_in(int side, int64_t price)
{
    return UINT64_C(1) << 63 | (uint64_t)side << 62 | (uint64_t)price;
}

static void seed(fm_order_book *book, const lobster_row *row)
{
    for (int side = 0; side < 2; side++) {
        for (int level = 0; level < LOBSTER_LEVELS; level++) {
            fm_event event = {.kind = FM_ORDER, .side = (uint8_t)(FM_BUY + side), .seq = FM_SEQ_ABSENT};
            event.as.order = (fm_order){.price = row->price[side][level],
                                        .size = row->size[side][level],
                                        .order_id = stand_in(side, row->price[side][level]),
                                        .action = FM_ORDER_ADD};
            fm_book_apply(book, &event);
        }
    }
}

/* Levels at prices that never left the ten that are told stand as told; returns how many were compared. */
static uint32_t compare(const fm_order_book *book, const lobster_row *row, int64_t far[2])
{
    uint32_t compared = 0;
    for (int side = 0; side < 2; side++) {
        int64_t sign = side == 0 ? 1 : -1, worst = row->price[side][LOBSTER_LEVELS - 1];
        if (sign * worst > sign * far[side]) /* what lies beyond is not told any more, and unknown from now on */
            far[side] = worst;
        uint32_t level = 0;
        for (; level < LOBSTER_LEVELS && sign * row->price[side][level] >= sign * far[side]; level++, compared++) {
            const fm_book_level *mine = fm_book_level_at(book, (fm_side)(FM_BUY + side), level);
            assert_non_null(mine);
            assert_int_equal(mine->price, row->price[side][level]);
            assert_int_equal(mine->size, row->size[side][level]);
        }
    }
    return compared;
}

static void lobster_messages_give_the_book_beside_them(void **unused)
{
    (void)unused;
    fm_file_reader *reader = reader_of("LOBSTER_AAPL_2012-06-21_message_10_head.csv.gz", "lobster");
    gzFile golden = gzopen(data_file("LOBSTER_AAPL_2012-06-21_orderbook_10_head.csv.gz"), "rb");
    assert_non_null(golden);
    fm_order_book book = new_book();
    fm_record record;
    lobster_row row;
    uint32_t rows = 1, compared = 0, trades = 0, strangers = 0;
    assert_true(read_lobster_row(golden, &row)); /* what stands after the first message: the book begins with it */
    assert_true(next(reader, &record));
    seed(&book, &row);
    int64_t far[2] = {row.price[0][LOBSTER_LEVELS - 1], row.price[1][LOBSTER_LEVELS - 1]};
    while (next(reader, &record)) {
        trades += record.kind == FM_TRADE;
        if (record.kind == FM_ORDER) {
            fm_event event = event_of(&record, 4, 0);
            fm_book_place place;
            if (record.action != FM_ORDER_ADD && !fm_book_find(&book, record.order_id, &place)) {
                strangers++;
                event.as.order.order_id = stand_in(record.side - FM_BUY, event.as.order.price);
            }
            fm_book_apply(&book, &event);
        }
        if (fm_file_reader_more(reader))
            continue;
        assert_true(read_lobster_row(golden, &row));
        compared += compare(&book, &row, far);
        rows++;
    }
    assert_int_equal(rows, 999);
    assert_false(read_lobster_row(golden, &row));
    assert_int_equal(compared, 6403);
    assert_int_equal(trades, 159);
    assert_int_equal(strangers, 10); /* all rested before the file begins */
    assert_int_equal(book.counts.malformed + book.counts.duplicate, 0);
    fm_book_fini(&book);
    gzclose(golden);
    fm_file_reader_close(reader);
}

/* ---- levels ---- */

static fm_order_book book_of_file(const char *name, const char *format, int price_scale, int size_scale, uint64_t rows,
                                  uint64_t events)
{
    fm_file_reader *reader = reader_of(name, format);
    fm_order_book book = new_book();
    fm_record record;
    while (next(reader, &record)) {
        assert_int_equal(record.kind, FM_BOOK);
        fm_event event = event_of(&record, price_scale, size_scale);
        fm_book_apply(&book, &event);
    }
    assert_int_equal(fm_file_reader_counts(reader)->rows, rows);
    assert_int_equal(book.counts.events, events);
    assert_int_equal(book.counts.malformed + book.counts.left_out + book.counts.other_form + book.counts.backwards, 0);
    assert_int_equal(book.counts.crossed + book.counts.locked, 0);
    assert_int_equal(book.degraded, 0);
    assert_false(book.open);
    fm_file_reader_close(reader);
    return book;
}

static void assert_touch(const fm_order_book *book, int64_t bid, int64_t bid_size, int64_t ask, int64_t ask_size)
{
    assert_int_equal(book->touch[0].price, bid);
    assert_int_equal(book->touch[0].size, bid_size);
    assert_int_equal(book->touch[1].price, ask);
    assert_int_equal(book->touch[1].size, ask_size);
}

static void tardis_levels_end_as_the_last_row_says(void **unused)
{
    (void)unused;
    fm_order_book book =
        book_of_file("tardis_binance-futures_book_snapshot_25_BTCUSDT.csv.gz", "tardis-book-snapshot", 2, 3, 10, 10);
    assert_touch(&book, 1165707, 10881, 1165708, 1475);
    assert_int_equal(book.side[0].level_count, 25);
    assert_int_equal(book.counts.clears, 10);
    fm_book_fini(&book);
    book =
        book_of_file("tardis_deribit_incremental_book_L2_BTC-PERPETUAL.csv.gz", "tardis-incremental-book", 1, 0, 15, 1);
    fm_book_fini(&book);
}

static void binance_and_bybit_levels_are_taken(void **unused)
{
    (void)unused;
    fm_order_book book = book_of_file("BTCUSDT_binancefut_depth_snap.csv.gz", "binance-depth", 2, 3, 100, 1);
    fm_book_fini(&book);
    book = book_of_file("BTCUSDT_binancefut_depth_update.csv.gz", "binance-depth", 2, 3, 100, 1);
    fm_book_fini(&book);
    book = book_of_file("XRPUSDT_bybit_ob500_2024-12-01.jsonl.gz", "bybit-orderbook", 4, 0, 50, 50);
    assert_touch(&book, 19537, 10605, 19538, 6702);
    assert_int_equal(book.side[0].level_count + book.side[1].level_count, 1000);
    fm_book_fini(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cme_orders_build_the_book_to_its_end),
        cmocka_unit_test(lobster_messages_give_the_book_beside_them),
        cmocka_unit_test(tardis_levels_end_as_the_last_row_says),
        cmocka_unit_test(binance_and_bybit_levels_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
