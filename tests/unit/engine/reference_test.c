/* tests/unit/engine/reference_test.c - corporate actions: prices go on as if nothing had happened, and equal state is equal bytes. */
#include "fold_bed.h"

#include "engine/reference.h"

#define HOUR (3600 * FM_NS_PER_S)

static double move[64]; /* log returns that the rule saw */
static uint32_t seen;

static int note(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    const double *row = call->matrix + (size_t)call->row[k] * call->stride;
    move[seen++] = row[call->column[0]];
    call->hit[k] = 0;
    return 0;
}

typedef struct scene {
    bed              *b;
    bed_log           log;
    fm_rule_set      *set;
    fm_reference_set *reference;
} scene;

static const fm_reference_set *held; /* of the scene: what the log names */

static const fm_reference_set *reference_of(void *context, const char *hash)
{
    char text[33];
    (void)context;
    fm_hash128_hex(held->hash, text);
    return strcmp(text, hash) == 0 ? held : NULL;
}

static void refer(scene *s)
{
    char hash[33];
    fm_hash128_hex(s->reference->hash, hash);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        bed_control(s->b, &s->log, p, FM_REFERENCE, BED_T0, &(fm_control){0}, fm_slice_of(hash));
}

static void parse(scene *s, const char *actions)
{
    char text[2000];
    fm_error error = {0};
    snprintf(text, sizeof(text), FM_REFERENCE_HEAD "instrument A equity - - -\n%s", actions);
    if (fm_reference_parse(fm_slice_of(text), &s->reference, &error) < 0)
        fail_msg("%s", error.message);
    held = s->reference;
}

/* One rule over trades of class equity alone. */
static void begin(scene *s, const char *actions)
{
    fm_fold_config config = bed_config();
    config.reference_of = reference_of;
    seen = 0;
    *s = (scene){.b = bed_open(&config), .set = bed_set(1)};
    fm_rule *rule = bed_rule(s->set, 0, "t/moves");
    rule->has_when = true;
    snprintf(rule->match.class_, sizeof(rule->match.class_), "equity");
    bed_need(rule, FM_KERNEL_FEATURE, "log_return", "move", NULL, 0);
    s->b->body[0] = note;
    bed_know(s->b, s->set);
    parse(s, actions);
    refer(s);
    bed_use(s->b, &s->log, s->set);
}

static void end(scene *s)
{
    bed_close(s->b);
    bed_log_fini(&s->log);
    free(s->set);
    fm_reference_free(s->reference);
}

static const fm_series *trade(scene *s, int64_t ts_ns, int64_t price)
{
    fm_record record = bed_trade(ts_ns, "A", price, 2);
    record.number[1].mantissa = 100;
    assert_int_equal(bed_admit(s->b, &s->log, "run", &record), 1);
    bed_fold(s->b, &s->log);
    return s->b->partition[fm_partition_of(FM_SLICE("A"))].series[0];
}

static void at(char *out, int64_t ts_ns, const char *rest)
{
    sprintf(out + strlen(out), "action %lld %s\n", (long long)ts_ns, rest);
}

static void a_split_is_no_crash(void **unused)
{
    (void)unused;
    scene s;
    char actions[200] = "";
    at(actions, BED_T0 + HOUR, "split 4 -");
    begin(&s, actions);
    for (int i = 0; i < 5; i++)
        trade(&s, BED_T0 + i, 40000);
    const fm_series *series = trade(&s, BED_T0 + HOUR, 10010);
    assert_near(series->last_price, 400.40, 1e-12);
    assert_near(series->last_size, 25.0, 0);
    assert_near(fm_series_quoted(series, series->last_price), 100.10, 0);
    assert_int_equal(fm_counter(&s.b->counters, FM_METRIC_ACTIONS_APPLIED), 1);
    trade(&s, BED_T0 + 2 * HOUR, 10020);
    for (uint32_t i = 0; i < seen; i++)
        assert_true(fabs(move[i]) < 0.002);
    assert_int_equal(seen, 6); /* all but the first, which has no return: the class matched */
    end(&s);
}

static void a_dividend_and_a_roll_leave_the_price_where_it_was(void **unused)
{
    (void)unused;
    scene s;
    char actions[200] = "";
    at(actions, BED_T0 + HOUR, "dividend 2 -");
    at(actions, BED_T0 + 2 * HOUR, "roll 15 -");
    begin(&s, actions);
    trade(&s, BED_T0, 10000);
    trade(&s, BED_T0 + HOUR, 9800);
    trade(&s, BED_T0 + 2 * HOUR, 11300);
    trade(&s, BED_T0 + 2 * HOUR + 1, 11300);
    assert_int_equal(seen, 3);
    for (uint32_t i = 0; i < seen; i++)
        assert_near(move[i], 0.0, 1e-14);
    end(&s);
}

static void another_asset_under_the_ticker_begins_anew(void **unused)
{
    (void)unused;
    scene s;
    char actions[200] = "";
    at(actions, BED_T0 + HOUR, "relist - -");
    begin(&s, actions);
    for (int i = 0; i < 3; i++)
        trade(&s, BED_T0 + i, 1);
    trade(&s, BED_T0 + HOUR, 1800); /* eighteen hundred times the price: no return, it is not the same thing */
    assert_int_equal(seen, 2);
    trade(&s, BED_T0 + HOUR + 1, 1818);
    assert_int_equal(seen, 3);
    assert_near(move[2], 0.00995033085316808, 1e-12);
    end(&s);
}

static void a_renamed_instrument_is_closed(void **unused)
{
    (void)unused;
    scene s;
    char actions[200] = "";
    at(actions, BED_T0 + HOUR, "rename - META");
    begin(&s, actions);
    assert_int_equal(trade(&s, BED_T0, 100)->phase, 0);
    assert_int_equal(trade(&s, BED_T0 + HOUR, 100)->phase, FM_PHASE_CLOSED);
    end(&s);
}

static void what_was_before_the_first_record_is_history(void **unused)
{
    (void)unused;
    scene s;
    char actions[200] = "";
    at(actions, BED_T0 - HOUR, "split 7 -");
    at(actions, BED_T0, "split 4 -");
    begin(&s, actions);
    assert_near(trade(&s, BED_T0, 10000)->price_ratio, 1.0, 0);
    end(&s);
}

static void a_late_record_from_before_an_action_shows_no_price(void **unused)
{
    (void)unused;
    scene s;
    char actions[200] = "";
    at(actions, BED_T0 + HOUR, "split 4 -");
    begin(&s, actions);
    trade(&s, BED_T0, 40000);
    trade(&s, BED_T0 + HOUR, 10000);
    const fm_series *series = trade(&s, BED_T0 + HOUR - 1, 40000);
    assert_near(series->last_price, 400.0, 0);
    assert_int_equal(fm_counter(&s.b->counters, FM_METRIC_BEFORE_ACTION), 1);
    trade(&s, BED_T0 + HOUR + 1, 10000);
    for (uint32_t i = 0; i < seen; i++)
        assert_near(move[i], 0.0, 1e-14);
    end(&s);
}

static void an_action_told_of_after_it_happened_changes_nothing(void **unused)
{
    (void)unused;
    scene s;
    char actions[200] = "";
    begin(&s, "");
    fm_reference_set *first = s.reference;
    trade(&s, BED_T0, 40000);
    trade(&s, BED_T0 + HOUR, 10000);
    at(actions, BED_T0 + HOUR, "split 4 -");
    at(actions, BED_T0 + 2 * HOUR, "split 2 -");
    parse(&s, actions);
    refer(&s);
    assert_near(trade(&s, BED_T0 + HOUR + 1, 10000)->price_ratio, 1.0, 0);
    assert_near(trade(&s, BED_T0 + 2 * HOUR, 5000)->price_ratio, 2.0, 0);
    fm_reference_free(first);
    end(&s);
}

static void state_restored_goes_on_to_the_same_bytes(void **unused)
{
    (void)unused;
    scene s;
    char actions[300] = "";
    at(actions, BED_T0 + HOUR, "split 4 -");
    at(actions, BED_T0 + 2 * HOUR, "dividend 1 -");
    at(actions, BED_T0 + 3 * HOUR, "split 2 -");
    begin(&s, actions);
    uint32_t p = fm_partition_of(FM_SLICE("A"));
    fm_fold_config config = s.b->config;
    trade(&s, BED_T0, 40000);
    trade(&s, BED_T0 + HOUR + 5, 10000);
    fm_text middle = {0}, whole = {0}, again = {0};
    fm_snapshot_put(&s.b->partition[p], &middle);
    bed *other = bed_open(&config);
    fm_error error = {0};
    other->body[0] = note;
    bed_know(other, s.set);
    if (fm_snapshot_get(other->fold, &other->partition[p], middle.data, middle.size, &error) < 0)
        fail_msg("%s", error.message);
    fm_snapshot_put(&other->partition[p], &again);
    assert_int_equal(again.size, middle.size);
    assert_memory_equal(again.data, middle.data, middle.size);
    uint32_t from = s.log.count;
    trade(&s, BED_T0 + 2 * HOUR, 9900);
    trade(&s, BED_T0 + 4 * HOUR, 4950);
    for (uint32_t e = from; e < s.log.count; e++) {
        assert_int_equal(fm_admission_note(&other->partition[p].admission, &config.limits, bed_event(&s.log, e)), 0);
        assert_int_equal(fm_fold_apply(other->fold, &other->partition[p], bed_event(&s.log, e), BED_T0, &error), 0);
    }
    assert_int_equal(fm_fold_run(other->fold, &error), 0);
    fm_text_clear(&again);
    fm_snapshot_put(&s.b->partition[p], &whole);
    fm_snapshot_put(&other->partition[p], &again);
    assert_int_equal(again.size, whole.size);
    assert_memory_equal(again.data, whole.data, whole.size);
    fm_text_fini(&middle);
    fm_text_fini(&whole);
    fm_text_fini(&again);
    bed_close(other);
    end(&s);
}

/* Forty times a millionfold: each is allowed, all of them together are no price. */
static void absurd_ratios_leave_numbers_that_can_be_kept(void **unused)
{
    (void)unused;
    static const char *const KIND[] = {"split 1000000 -", "split 0.000001 -", "dividend 399.99999 -", "roll -399.99999 -"};
    for (int kind = 0; kind < 4; kind++) {
        scene s;
        char actions[1990] = "";
        for (int i = 1; i <= 40; i++)
            at(actions, BED_T0 + i * HOUR, KIND[kind]);
        begin(&s, actions);
        const fm_series *series = NULL;
        for (int i = 0; i <= 40; i++)
            series = trade(&s, BED_T0 + i * HOUR, 40000);
        assert_true(series->price_ratio >= 1.0 / FM_RATIO_MAX && series->price_ratio <= FM_RATIO_MAX);
        assert_true(isfinite(series->last_price) && series->last_price > 0.0 && isfinite(series->last_size));
        end(&s);
    }
}

static void refer_to(scene *s, const char *text)
{
    fm_error error = {0};
    if (fm_reference_parse(fm_slice_of(text), &s->reference, &error) < 0)
        fail_msg("%s", error.message);
    held = s->reference;
    refer(s);
    bed_fold(s->b, &s->log);
}

static void tell_market(scene *s, const char *symbol, double price)
{
    struct {
        fm_cross_text head;
        char name[8];
    } text = {.head = {.value = price, .spread = NAN}};
    snprintf(text.name, sizeof(text.name), "%s", symbol);
    bed_control(s->b, &s->log, fm_partition_of(FM_SLICE("A")), FM_CROSS, BED_T0, &(fm_control){.index = FM_CROSS_MARKET},
                (fm_slice){(const char *)&text, sizeof(text.head) + strlen(symbol) + 1});
    bed_fold(s->b, &s->log);
}

static void the_price_of_the_old_market_is_none_of_the_new(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "");
    fm_reference_set *set[4] = {s.reference};
    const fm_series *series = trade(&s, BED_T0, 40000);
    refer_to(&s, FM_REFERENCE_HEAD "instrument A equity tech SPY -\n");
    set[1] = s.reference;
    tell_market(&s, "SPY", 450.0);
    assert_near(series->cross[FM_CROSS_OF_MARKET], 450.0, 0);
    refer_to(&s, FM_REFERENCE_HEAD "instrument A equity energy SPY -\n");
    set[2] = s.reference;
    assert_near(series->cross[FM_CROSS_OF_MARKET], 450.0, 0); /* the same market still */
    refer_to(&s, FM_REFERENCE_HEAD "instrument A equity tech QQQ -\n");
    assert_true(isnan(series->cross[FM_CROSS_OF_MARKET]));
    tell_market(&s, "QQQ", 380.0);
    assert_near(series->cross[FM_CROSS_OF_MARKET], 380.0, 0);
    for (int i = 0; i < 3; i++)
        fm_reference_free(set[i]);
    end(&s);
}

/* Nobody waits for the text of a large market. */
static void fifty_thousand_sectors_are_sorted_once(void **unused)
{
    (void)unused;
    fm_text text = {0};
    fm_error error = {0};
    fm_reference_set *set;
    fm_text_put(&text, FM_REFERENCE_HEAD);
    for (int i = 10000; i < 60000; i++)
        fm_text_printf(&text, "instrument I%d - S%d - -\n", i, 10000 + i * 7919 % 50000);
    assert_int_equal(fm_reference_parse((fm_slice){text.data, text.size}, &set, &error), 0);
    assert_int_equal(set->sector_count, 50000);
    for (uint32_t i = 0; i < set->instrument_count; i++)
        assert_string_equal(set->instrument[i].in_sector->name, set->instrument[i].sector);
    fm_reference_free(set);
    fm_text_fini(&text);
}

/* A text with a byte wrong is refused with its line, or is a set; cut anywhere, too. */
static void damaged_texts_are_refused_or_read(void **unused)
{
    (void)unused;
    static const char TEXT[] = FM_REFERENCE_HEAD "calendar X\noffset -9223372036854775808 -18000\noffset 1394348400 -14400\nsession 1 570 960\n"
                                                 "session 2 -420 960\nholiday 16191\nhalf 16192 780\ncalendar Y\noffset -9223372036854775808 0\n"
                                                 "instrument A equity tech B X\naction 1399033800000000000 split 4 -\n"
                                                 "action 1399033800000000001 dividend 0.5 -\naction 1399033800000000002 relist - -\n"
                                                 "instrument B - tech - Y\naction 1 rename - A\ninstrument C - - A -\n";
    const size_t size = sizeof(TEXT) - 1;
    fm_random random;
    fm_random_seed(&random, 7);
    for (uint32_t i = 0; i < 60000; i++) {
        size_t kept = i % 3 == 0 ? (size_t)fm_random_below(&random, size + 1) : size;
        char *cut = memcpy(malloc(kept + (kept == 0)), TEXT, kept); /* no longer than it is, so that a read past its end is seen */
        for (uint64_t flips = fm_random_below(&random, 4); flips > 0 && kept > 0; flips--) {
            static const char BYTES[] = "\0\n -0919ez.\xff";
            size_t where = (size_t)fm_random_below(&random, kept);
            cut[where] = fm_random_below(&random, 2) ? BYTES[fm_random_below(&random, sizeof(BYTES) - 1)] : (char)(cut[where] ^ (1 << fm_random_below(&random, 8)));
        }
        fm_error error = {0};
        fm_reference_set *set = NULL;
        if (fm_reference_parse((fm_slice){cut, kept}, &set, &error) < 0)
            assert_true(error.message[0] != '\0');
        for (uint32_t c = 0; set != NULL && c < set->calendar_count; c++)
            (void)fm_calendar_at(&set->calendar[c], BED_T0 + (int64_t)i * HOUR);
        fm_reference_free(set);
        free(cut);
    }
    fm_error error = {0};
    fm_reference_set *set;
    assert_int_equal(fm_reference_parse((fm_slice){NULL, 0}, &set, &error), FM_ESYNTAX);
}

static void a_set_that_is_lost_is_an_error(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "");
    union {
        uint64_t align;
        char bytes[FM_ADMIT_BYTES_MAX];
    } out;
    fm_error error = {0};
    fm_control_entry(out.bytes, FM_REFERENCE, BED_T0, &(fm_control){0}, FM_SLICE("00112233445566778899aabbccddeeff"));
    assert_int_equal(fm_fold_apply(s.b->fold, &s.b->partition[0], (const fm_event *)out.bytes, BED_T0, &error), FM_ENOTFOUND);
    assert_non_null(strstr(error.message, "00112233445566778899aabbccddeeff"));
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_split_is_no_crash),
        cmocka_unit_test(a_dividend_and_a_roll_leave_the_price_where_it_was),
        cmocka_unit_test(another_asset_under_the_ticker_begins_anew),
        cmocka_unit_test(a_renamed_instrument_is_closed),
        cmocka_unit_test(what_was_before_the_first_record_is_history),
        cmocka_unit_test(a_late_record_from_before_an_action_shows_no_price),
        cmocka_unit_test(an_action_told_of_after_it_happened_changes_nothing),
        cmocka_unit_test(state_restored_goes_on_to_the_same_bytes),
        cmocka_unit_test(absurd_ratios_leave_numbers_that_can_be_kept),
        cmocka_unit_test(the_price_of_the_old_market_is_none_of_the_new),
        cmocka_unit_test(fifty_thousand_sectors_are_sorted_once),
        cmocka_unit_test(damaged_texts_are_refused_or_read),
        cmocka_unit_test(a_set_that_is_lost_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
