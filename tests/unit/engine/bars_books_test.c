/* tests/unit/engine/bars_books_test.c - what bars, levels of books and orders set off in an instrument. */
#include "probes.h"

PROBE(bar_probe, 5, {.name = "open"}, {.name = "high"}, {.name = "low"}, {.name = "close"}, {.name = "volume"});
PROBE(x_probe, 1, {.name = "x"});
PROBE(quote_probe, 4, {.name = "bid"}, {.name = "ask"}, {.name = "bid_size"}, {.name = "ask_size"});
PROBE(depth_probe, 2, {.name = "bid_depth"}, {.name = "ask_depth"});
PROBE(order_probe, 3, {.name = "action"}, {.name = "order_age"}, {.name = "order_size"});
PROBE(event_probe, 1, {.name = "event"});
PROBE(pair_probe, 2, {.name = "x"}, {.name = "x2"});
PROBE(mixed_probe, 2, {.name = "price"}, {.name = "open"});

static int64_t now_ns;

static fm_record bar(int64_t open, int64_t high, int64_t low, int64_t close)
{
    fm_record record = bed_record(FM_BAR, now_ns += FM_NS_PER_S, "A");
    const int64_t price[] = {open, high, low, close};
    for (int i = 0; i < 4; i++)
        record.number[i] = (fm_decimal_number){price[i], 1};
    record.interval_ns = 60 * FM_NS_PER_S;
    record.volume = (fm_decimal_number){250, 0};
    record.buy_volume = (fm_decimal_number){FM_ABSENT, 0};
    record.trade_count = FM_SEQ_ABSENT;
    return record;
}

static fm_record level(fm_side side, int64_t price, int64_t size, bool more)
{
    fm_record record = bed_record(FM_BOOK, now_ns += FM_NS_PER_S, "A");
    record.action = size > 0 ? FM_BOOK_SET : FM_BOOK_DELETE;
    record.side = (uint8_t)side;
    record.number[0] = (fm_decimal_number){price, 1};
    record.number[1] = (fm_decimal_number){size, 0};
    record.book_flags = more ? FM_FLAG_MORE : 0;
    return record;
}

static fm_record order(fm_order_action action, uint64_t id, fm_side side, int64_t price, int64_t size)
{
    fm_record record = bed_record(FM_ORDER, now_ns += FM_NS_PER_S, "A");
    record.action = (uint8_t)action;
    record.order_id = id;
    record.side = (uint8_t)side;
    record.number[0] = (fm_decimal_number){price, 1};
    record.number[1] = (fm_decimal_number){size, 0};
    return record;
}

static fm_record quote(int64_t bid, int64_t ask)
{
    fm_record record = bed_record(FM_QUOTE, now_ns += FM_NS_PER_S, "A");
    const int64_t number[] = {bid, 5, ask, 5};
    for (int i = 0; i < 4; i++)
        record.number[i] = (fm_decimal_number){number[i], i % 2 == 0};
    return record;
}

static void a_bar_steps_what_reads_bars(void **unused)
{
    (void)unused;
    probes p;
    now_ns = BED_T0;
    probes_begin(&p);
    for (int i = 0; i < 6; i++)
        probes_need(&p, &bar_probe, i, 0, 0, 0);
    probes_use(&p);
    fm_record one = bar(15, 20, 10, 18), trade = bed_trade(now_ns + 1, "A", 15, 1);
    probes_send(&p, &one);
    static const double expected[] = {1, 1.5, 2, 1, 1.8, 250};
    assert_memory_equal(last(&p), expected, sizeof(expected));
    probes_send(&p, &trade);
    assert_true(last(&p)[0] == 1); /* a trade is no bar: the handler sees it, the kernel does not */
    assert_int_equal(p.kind[p.count - 1], FM_TRADE);
    probes_end(&p);
}

/* Trades, then mids, then closes, then values: what an instrument has ever had of the first decides. */
static void the_default_series_is_of_the_best_source_there_ever_was(void **unused)
{
    (void)unused;
    probes p;
    now_ns = BED_T0;
    probes_begin(&p);
    probes_need(&p, &x_probe, 0, 0, 0, 0);
    probes_need(&p, &x_probe, 1, 0, 0, 0);
    probes_use(&p);
    fm_record sent[] = {
        bed_value(now_ns, "A", 7), bar(15, 20, 10, 18), bed_value(now_ns, "A", 8), quote(0, 30), quote(20, 30), bar(15, 20, 10, 18), quote(22, 30),
        bed_trade(now_ns + 1, "A", 40, 1), quote(20, 30), level(FM_BUY, 25, 1, false), bed_value(now_ns, "A", 9), bar(15, 20, 10, 18),
        bed_trade(now_ns + 2, "A", 50, 1)};
    sent[3].number[0].mantissa = sent[3].number[1].mantissa = FM_ABSENT; /* one side has no mid */
    static const double expected[][2] = {{1, 7},   {2, 1.8}, {2, 1.8}, {2, 1.8}, {3, 2.5}, {3, 2.5}, {4, 2.6},
                                         {5, 4}, {5, 4}, {5, 4},   {5, 4},   {5, 4},   {6, 5}};
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
        probes_send(&p, &sent[i]);
        assert_near(last(&p)[0], expected[i][0], 0);
        assert_near(last(&p)[1], expected[i][1], 1e-12);
    }
    probes_end(&p);
}

static void the_touch_is_the_venues_quote_when_its_event_ends(void **unused)
{
    (void)unused;
    probes p;
    now_ns = BED_T0;
    probes_begin(&p);
    for (int i = 0; i < 5; i++)
        probes_need(&p, &quote_probe, i, 0, 0, 0);
    for (int i = 0; i < 3; i++)
        probes_need(&p, &depth_probe, i, 0, 0, 0);
    probes_use(&p);
    fm_record sent[] = {level(FM_BUY, 100, 5, true), level(FM_SELL, 102, 7, true), level(FM_BUY, 99, 2, false), /* one event */
                        level(FM_BUY, 98, 3, false),                                                            /* depth alone */
                        level(FM_BUY, 103, 1, true), level(FM_SELL, 102, 0, true), level(FM_SELL, 104, 4, false)}; /* crossed on the way */
    for (int i = 0; i < 3; i++)
        probes_send(&p, &sent[i]);
    assert_int_equal(p.count, 1); /* nothing was known before the end */
    static const double first[] = {1, 10, 10.2, 5, 7, 1, 7, 7};
    assert_memory_equal(last(&p), first, sizeof(first));
    probes_send(&p, &sent[3]);
    static const double second[] = {1, 10, 10.2, 5, 7, 2, 10, 7}; /* the best did not move: no quote */
    assert_memory_equal(last(&p), second, sizeof(second));
    for (int i = 4; i < 7; i++)
        probes_send(&p, &sent[i]);
    static const double third[] = {2, 10.3, 10.4, 1, 4, 3, 11, 4};
    assert_memory_equal(last(&p), third, sizeof(third));
    const fm_series *series = p.b->partition[fm_partition_of(FM_SLICE("A"))].series[0];
    assert_int_equal(series->crossed, 0);
    assert_near(series->mid, 10.35, 1e-12);
    probes_end(&p);
}

static void an_order_tells_what_it_did(void **unused)
{
    (void)unused;
    probes p;
    now_ns = BED_T0;
    probes_begin(&p);
    for (int i = 0; i < 4; i++)
        probes_need(&p, &order_probe, i, 0, 0, 0);
    probes_need(&p, &event_probe, 0, 0, 0, 0);
    probes_use(&p);
    fm_record sent[] = {order(FM_ORDER_ADD, 1, FM_BUY, 100, 9), order(FM_ORDER_ADD, 2, FM_SELL, 110, 4), order(FM_ORDER_EXECUTE, 1, FM_BUY, FM_ABSENT, 2),
                        order(FM_ORDER_CANCEL, 9, FM_BUY, FM_ABSENT, 1), order(FM_ORDER_CANCEL, 1, FM_BUY, FM_ABSENT, FM_ABSENT)};
    static const double expected[][5] = {
        {1, 1, 0, 9, 1}, {2, 1, 0, 4, 2}, {3, 4, 2, 2, 3}, {3, 4, 2, 2, 4}, {4, 3, 4, 7, 5}}; /* the fourth is of an order nobody knows */
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
        probes_send(&p, &sent[i]);
        assert_memory_equal(last(&p), expected[i], sizeof(expected[i]));
    }
    const fm_series *series = p.b->partition[fm_partition_of(FM_SLICE("A"))].series[0];
    assert_true(isnan(series->bid) && series->ask == 11);
    probes_end(&p);
}

/* A price with more decimals raises the scale of the series; what rests in the book is worth what it was. */
static void books_grow_with_the_scales(void **unused)
{
    (void)unused;
    probes p;
    now_ns = BED_T0;
    probes_begin(&p);
    probes_need(&p, &depth_probe, 1, 0, 0, 0);
    probes_use(&p);
    fm_record bid = level(FM_BUY, 100, 5, false), ask = level(FM_SELL, 102, 7, false);
    probes_send(&p, &bid);
    probes_send(&p, &ask);
    fm_record fine = level(FM_BUY, 10025, 125, false);
    fine.number[0].scale = 3;
    fine.number[1].scale = 1;
    probes_send(&p, &fine);
    const fm_series *series = p.b->partition[fm_partition_of(FM_SLICE("A"))].series[0];
    assert_near(series->bid, 10.025, 1e-12);
    assert_near(series->ask, 10.2, 1e-12);
    assert_near(series->ask_size, 7, 0);
    assert_near(last(&p)[0], 17.5, 0);
    probes_end(&p);
}

/* Several venues: each has its own book, and the consolidated quote is the best of them. */
static void each_venue_has_its_own_book(void **unused)
{
    (void)unused;
    probes p;
    now_ns = BED_T0;
    probes_begin(&p);
    probes_need(&p, &quote_probe, 1, 0, 0, 0);
    probes_need(&p, &quote_probe, 2, 0, 0, 0);
    probes_use(&p);
    for (int i = 0; i < 2 * FM_VENUES_MAX; i++) {
        char venue[16];
        snprintf(venue, sizeof(venue), "V%d", i);
        fm_record bid = level(FM_BUY, 100 + i, 5, true), ask = level(FM_SELL, 500 - i, 7, false);
        bid.venue = ask.venue = fm_slice_of(venue);
        ask.ts_ns = bid.ts_ns = BED_T0 + i;
        probes_send(&p, &bid);
        probes_send(&p, &ask);
        assert_near(last(&p)[0], (100 + i) / 10.0, 1e-12);
        assert_near(last(&p)[1], (500 - i) / 10.0, 1e-12);
    }
    const fm_series *series = p.b->partition[fm_partition_of(FM_SLICE("A"))].series[0];
    assert_int_equal(series->book_count, FM_VENUES_MAX);
    assert_int_equal(series->top_count, FM_VENUES_MAX);
    probes_end(&p);
}

/* A kernel of two series is stepped when one of them was; the other is what it was last. */
static void several_series_step_what_is_made_of_them(void **unused)
{
    (void)unused;
    probes p;
    now_ns = BED_T0;
    probes_begin(&p);
    probes_need(&p, &x_probe, 1, 0, 0, 0);
    probes_need(&p, &bar_probe, 5, 0, 0, 0);
    probes_need(&p, &pair_probe, 0, 2, 0, 1);
    probes_need(&p, &pair_probe, 1, 2, 0, 1);
    probes_need(&p, &pair_probe, 2, 2, 0, 1);
    probes_need(&p, &pair_probe, 1, 2, 1, 0); /* the other way round is another node */
    probes_need(&p, &pair_probe, 2, 1, 0, 0); /* one series alone: the second is missing */
    probes_need(&p, &pair_probe, 2, 0, 0, 0);
    probes_use(&p);
    fm_record sent[] = {bar(10, 20, 10, 20), bed_trade(now_ns + 1, "A", 40, 1), bar(10, 20, 10, 20), bed_trade(now_ns + 1, "A", 50, 1)};
    static const double expected[][8] = {{2, 250, 1, 2, 250, 250, UNKNOWN, UNKNOWN},
                                         {4, 250, 2, 4, 250, 250, UNKNOWN, UNKNOWN},
                                         {4, 250, 3, 4, 250, 250, UNKNOWN, UNKNOWN},
                                         {5, 250, 4, 5, 250, 250, UNKNOWN, UNKNOWN}};
    for (size_t i = 0; i < 4; i++) {
        probes_send(&p, &sent[i]);
        assert_memory_equal(last(&p), expected[i], sizeof(expected[i]));
    }
    assert_int_equal(p.b->partition[fm_partition_of(FM_SLICE("A"))].plan->node_count, 6);
    probes_end(&p);
}

/* What a record cannot carry is missing, and not what some other record left behind. */
static void sources_that_never_come_together_are_missing(void **unused)
{
    (void)unused;
    probes p;
    now_ns = BED_T0;
    probes_begin(&p);
    for (int i = 0; i < 3; i++)
        probes_need(&p, &mixed_probe, i, 0, 0, 0);
    probes_use(&p);
    fm_record one = bar(10, 20, 10, 20), trade = bed_trade(now_ns + 1, "A", 40, 1);
    probes_send(&p, &one);
    assert_int_equal(p.count, 0);
    probes_send(&p, &trade);
    static const double expected[] = {1, 4, UNKNOWN};
    assert_memory_equal(last(&p), expected, sizeof(expected));
    probes_end(&p);
}

static void a_rule_looks_at_the_kinds_that_it_names(void **unused)
{
    (void)unused;
    probes p;
    now_ns = BED_T0;
    probes_begin(&p);
    p.set->rule[0].match.kinds = 1u << FM_BAR | 1u << FM_ORDER;
    probes_use(&p);
    fm_record sent[] = {bar(10, 20, 10, 20), level(FM_BUY, 100, 5, false), order(FM_ORDER_ADD, 1, FM_BUY, 100, 9), quote(10, 20),
                        bed_trade(now_ns + 1, "A", 40, 1), order(FM_ORDER_CLEAR, 0, FM_SIDE_NONE, FM_ABSENT, FM_ABSENT)};
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
        probes_send(&p, &sent[i]);
    assert_int_equal(p.count, 3);
    assert_true(p.kind[0] == FM_BAR && p.kind[1] == FM_ORDER && p.kind[2] == FM_ORDER);
    probes_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_steps_what_reads_bars),
        cmocka_unit_test(the_default_series_is_of_the_best_source_there_ever_was),
        cmocka_unit_test(the_touch_is_the_venues_quote_when_its_event_ends),
        cmocka_unit_test(an_order_tells_what_it_did),
        cmocka_unit_test(books_grow_with_the_scales),
        cmocka_unit_test(each_venue_has_its_own_book),
        cmocka_unit_test(several_series_step_what_is_made_of_them),
        cmocka_unit_test(sources_that_never_come_together_are_missing),
        cmocka_unit_test(a_rule_looks_at_the_kinds_that_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
