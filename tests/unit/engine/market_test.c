/* tests/unit/engine/market_test.c - prices of an instrument: conditions, one-sided quotes, venues and their staleness. */
#include "fold_bed.h"

static fm_rule_set *no_alerts(void)
{
    fm_rule_set *set = bed_set(1);
    bed_rule(set, 0, "t/spread")->has_when = true;
    bed_need(&set->rule[0], FM_KERNEL_FEATURE, "spread", "wide", NULL, 0);
    return set;
}

static int never(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    call->hit[k] = 0;
    return 0;
}

typedef struct scene {
    bed         *b;
    bed_log      log;
    fm_rule_set *set;
} scene;

static void begin(scene *s)
{
    fm_fold_config config = bed_config();
    *s = (scene){.b = bed_open(&config), .set = no_alerts()};
    s->b->body[0] = never;
    bed_know(s->b, s->set);
    bed_use(s->b, &s->log, s->set);
}

static void end(scene *s)
{
    bed_close(s->b);
    bed_log_fini(&s->log);
    free(s->set);
}

static const fm_series *take(scene *s, const fm_record *record)
{
    assert_int_equal(bed_admit(s->b, &s->log, "run", record), 1);
    bed_fold(s->b, &s->log);
    return s->b->partition[fm_partition_of(record->symbol)].series[0];
}

static fm_record quote(int64_t ts_ns, const char *venue, int64_t bid, int64_t bid_size, int64_t ask, int64_t ask_size)
{
    fm_record record = bed_record(FM_QUOTE, ts_ns, "A");
    const int64_t number[] = {bid, bid_size, ask, ask_size};
    for (int i = 0; i < 4; i++)
        record.number[i] = (fm_decimal_number){number[i], number[i] != FM_ABSENT && i % 2 == 0 ? 2 : 0};
    record.venue = fm_slice_of(venue);
    return record;
}

static void a_side_that_is_absent_is_unchanged_and_size_zero_withdraws(void **unused)
{
    (void)unused;
    scene s;
    begin(&s);
    fm_record record = quote(BED_T0, "X", 1000, 5, 1002, 6);
    const fm_series *series = take(&s, &record);
    assert_true(series->bid == 10.00 && series->ask == 10.02 && series->bid_size == 5 && series->ask_size == 6);
    assert_near(series->mid, 10.01, 1e-15);
    record = quote(BED_T0 + 1, "X", FM_ABSENT, FM_ABSENT, 1004, 7);
    series = take(&s, &record);
    assert_true(series->bid == 10.00 && series->ask == 10.04);
    record = quote(BED_T0 + 2, "X", 1001, 0, FM_ABSENT, FM_ABSENT);
    series = take(&s, &record);
    assert_true(isnan(series->bid) && isnan(series->bid_size) && series->ask == 10.04 && isnan(series->mid));
    end(&s);
}

static void crossed_and_locked_quotes_have_no_mid_and_are_counted(void **unused)
{
    (void)unused;
    scene s;
    begin(&s);
    fm_record record = quote(BED_T0, "X", 1000, 1, 1001, 1);
    assert_int_equal(take(&s, &record)->crossed, 0);
    record = quote(BED_T0 + 1, "Y", 1001, 1, 1003, 1); /* locks with X's ask */
    const fm_series *series = take(&s, &record);
    assert_int_equal(series->crossed, 1);
    assert_true(isnan(series->mid) && series->bid == 10.01 && series->ask == 10.01);
    record = quote(BED_T0 + 2, "Y", 1002, 1, 1003, 1);
    series = take(&s, &record);
    assert_int_equal(series->crossed, 2);
    end(&s);
}

/* A feed that names a channel and no venue has one top of book with the records that name neither. */
static void what_names_no_venue_is_one_venue(void **unused)
{
    (void)unused;
    scene s;
    begin(&s);
    fm_record record = quote(BED_T0, "", 1000, 1, 1002, 1);
    take(&s, &record);
    record = quote(BED_T0 + 1, "", 999, 1, 1001, 1);
    record.channel = FM_SLICE("L1");
    const fm_series *series = take(&s, &record);
    assert_int_equal(series->top_count, 1);
    assert_true(series->bid == 9.99 && series->ask == 10.01);
    record = quote(BED_T0 + 2, "X", 998, 1, 1003, 1);
    record.channel = FM_SLICE("L1");
    take(&s, &record);
    record = quote(BED_T0 + 3, "X", 997, 1, 1003, 1);
    record.channel = FM_SLICE("L2");
    series = take(&s, &record);
    assert_int_equal(series->top_count, 2);
    end(&s);
}

static void conditions_decide_what_moves_the_last_price(void **unused)
{
    (void)unused;
    static const struct {
        uint32_t bit;
        bool     moves;
    } row[] = {
#define CONDITION(bit, name, moves_last, counts_volume) {bit, moves_last},
#include "base/conditions.def"
#undef CONDITION
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        scene s;
        begin(&s);
        fm_record record = bed_trade(BED_T0, "A", 1000, 2);
        take(&s, &record);
        record = bed_trade(BED_T0 + 1, "A", 2000, 2);
        record.conditions = 1u << row[i].bit;
        const fm_series *series = take(&s, &record);
        assert_true(series->last_price == (row[i].moves ? 20.0 : 10.0));
        end(&s);
    }
}

/* ---- the consolidated quote against a model ---- */

typedef struct model_side {
    int64_t price, size, ts_ns; /* price in hundredths; size 0 = none */
} model_side;

typedef struct model_venue {
    bool       known;
    model_side side[2];
} model_venue;

static uint32_t model_count(const model_venue *venue, int count)
{
    uint32_t known = 0;
    for (int i = 0; i < count; i++)
        known += venue[i].known;
    return known;
}

/* Best of the sides renewed within a second before this quote (all, when one venue is all there is); sizes at one price add up. */
static void model_best(const model_venue *venue, int count, int side, int64_t now, double *price, double *size)
{
    int64_t best = 0, sum = 0;
    bool alone = model_count(venue, count) == 1;
    for (int i = 0; i < count; i++) {
        const model_side *s = &venue[i].side[side];
        if (!venue[i].known || s->size == 0 || (!alone && s->ts_ns < now - FM_NS_PER_S))
            continue;
        bool better = best == 0 || (side == 0 ? s->price > best : s->price < best);
        if (better)
            sum = 0;
        if (better)
            best = s->price;
        if (s->price == best)
            sum += s->size;
    }
    *price = best == 0 ? NAN : (double)best / 100;
    *size = best == 0 ? NAN : (double)sum;
}

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void the_consolidated_quote_is_the_best_of_fresh_sides(void **unused)
{
    (void)unused;
    static const char *const name[] = {"V0", "V1", "V2", "V3", "V4", "V5"};
    const char *text = getenv("FMADS_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : 77, fresh = 0;
    printf("seed %llu (FMADS_SEED)\n", (unsigned long long)seed);
    for (int venues = 1; venues <= 6; venues++) {
        scene s;
        begin(&s);
        model_venue model[6] = {0};
        fm_random random;
        fm_random_seed(&random, seed + (uint64_t)venues);
        int64_t now = BED_T0;
        for (int i = 0; i < 4000; i++) {
            int v = (int)fm_random_below(&random, (uint64_t)venues);
            now += (int64_t)fm_random_below(&random, 400 * FM_NS_PER_MS);
            int64_t at = fm_random_below(&random, 10) == 0 ? now - (int64_t)fm_random_below(&random, 3 * FM_NS_PER_S) : now; /* late */
            int64_t price = 1000 + (int64_t)fm_random_below(&random, 8), size = (int64_t)fm_random_below(&random, 4);
            uint64_t sides = fm_random_below(&random, 3);
            fm_record record = quote(at, name[v], sides != 1 ? price - 5 : FM_ABSENT, sides != 1 ? size : FM_ABSENT,
                                     sides != 0 ? price : FM_ABSENT, sides != 0 ? size : FM_ABSENT);
            const fm_series *series = take(&s, &record);
            model[v].known = true;
            for (int side = 0; side < 2; side++) {
                model_side *m = &model[v].side[side];
                if ((side == 0 && sides == 1) || (side == 1 && sides == 0))
                    continue;
                m->price = side == 0 ? price - 5 : price;
                m->size = size;
                m->ts_ns = at > m->ts_ns ? at : m->ts_ns;
            }
            double bid, bid_size, ask, ask_size;
            model_best(model, venues, 0, at, &bid, &bid_size);
            model_best(model, venues, 1, at, &ask, &ask_size);
            if (!same(bid, series->bid) || !same(ask, series->ask) || !same(bid_size, series->bid_size) || !same(ask_size, series->ask_size))
                fail_msg("%d venues, quote %d: %g x %g / %g x %g, the model has %g x %g / %g x %g", venues, i, series->bid, series->bid_size,
                         series->ask, series->ask_size, bid, bid_size, ask, ask_size);
            fresh += !isnan(series->mid);
        }
        end(&s);
    }
    assert_true(fresh > 1000);
}

/* A 33rd venue takes the place of the one that has been silent longest. */
static void the_longest_silent_venue_leaves_for_a_new_one(void **unused)
{
    (void)unused;
    scene s;
    begin(&s);
    const fm_series *series = NULL;
    char name[40][16];
    for (int i = 0; i < 40; i++) {
        snprintf(name[i], sizeof(name[i]), "V%02d", i);
        fm_record record = quote(BED_T0 + i, name[i], 1000 - i, 1, 1100 + i, 1);
        series = take(&s, &record);
    }
    assert_int_equal(series->top_count, FM_VENUES_MAX);
    assert_true(series->bid == 9.92); /* V08: the first eight have gone */
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_side_that_is_absent_is_unchanged_and_size_zero_withdraws),
        cmocka_unit_test(crossed_and_locked_quotes_have_no_mid_and_are_counted),
        cmocka_unit_test(what_names_no_venue_is_one_venue),
        cmocka_unit_test(conditions_decide_what_moves_the_last_price),
        cmocka_unit_test(the_consolidated_quote_is_the_best_of_fresh_sides),
        cmocka_unit_test(the_longest_silent_venue_leaves_for_a_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
