/* tests/unit/engine/learning_test.c - when detectors only look: in auctions and halts, and at what they call an anomaly themselves; and what
 * kernels are told from elsewhere. */
#include "fold_bed.h"

#include "engine/market.h"

#define SECOND FM_NS_PER_S

static double seen[4096][2];
static uint32_t seen_count;

static int note(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    const double *row = call->matrix + (size_t)call->row[k] * call->stride;
    seen[seen_count][0] = row[call->column[0]];
    seen[seen_count++][1] = row[call->column[1]];
    call->hit[k] = 0;
    return 0;
}

typedef struct scene {
    bed         *b;
    bed_log      log;
    fm_rule_set *set;
    int64_t      ts_ns;
} scene;

/* The score of ewma_z, and what it expects. */
static void begin(scene *s, double gate)
{
    fm_fold_config config = bed_config();
    seen_count = 0;
    *s = (scene){.b = bed_open(&config), .set = bed_set(1), .ts_ns = BED_T0};
    fm_rule *rule = bed_rule(s->set, 0, "t/level");
    rule->has_when = true;
    for (int i = 0; i < 2; i++) {
        bed_need(rule, FM_KERNEL_DETECTOR, "ewma_z", i == 0 ? "score" : "usual", "half_life", 20);
        rule->needs[i].gate = gate;
        rule->needs[i].output = i == 0 ? 0 : 2;
    }
    s->b->body[0] = note;
    bed_know(s->b, s->set);
    bed_use(s->b, &s->log, s->set);
}

static void end(scene *s)
{
    bed_close(s->b);
    bed_log_fini(&s->log);
    free(s->set);
}

static void take(scene *s, const fm_record *record)
{
    assert_int_equal(bed_admit(s->b, &s->log, "run", record), 1);
    bed_fold(s->b, &s->log);
}

static void values(scene *s, int count, double level)
{
    for (int i = 0; i < count; i++) {
        fm_record record = bed_value(s->ts_ns += SECOND, "A", level + 0.1 * (i % 5 - 2));
        take(s, &record);
    }
}

static void phase(scene *s, fm_phase to)
{
    fm_record record = bed_record(FM_STATUS, s->ts_ns, "A");
    record.phase = to;
    take(s, &record);
}

static double expected(void)
{
    return seen[seen_count - 1][1];
}

static void a_halt_teaches_nothing(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, 0);
    values(&s, 200, 100);
    double before = expected();
    assert_near(before, 100.0, 0.1);
    phase(&s, FM_PHASE_HALT);
    values(&s, 200, 50);
    assert_near(expected(), before, 0.1); /* the first of these rows was still expected by the last before */
    assert_true(seen[seen_count - 1][0] > 100);
    phase(&s, FM_PHASE_AUCTION);
    values(&s, 50, 50);
    assert_near(expected(), before, 0.1);
    phase(&s, FM_PHASE_OPEN);
    values(&s, 300, 50);
    assert_near(expected(), 50.0, 1.0);
    end(&s);
}

static void an_anomaly_behind_a_gate_teaches_nothing_for_a_while(void **unused)
{
    (void)unused;
    scene plain, gated;
    begin(&plain, 0);
    values(&plain, 400, 100);
    values(&plain, 20, 140);
    double without = expected();
    end(&plain);
    begin(&gated, 0.02);
    values(&gated, 400, 100);
    values(&gated, 20, 140);
    assert_near(expected(), 100.0, 0.1);
    assert_true(without > 101);
    values(&gated, 3000, 140); /* what lasts is the new normal */
    assert_near(expected(), 140.0, 2.0);
    end(&gated);
}

static void a_gate_is_part_of_the_state_that_goes_on(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, 0.02);
    values(&s, 400, 100);
    values(&s, 7, 140);
    bed *again = bed_open(&s.b->config);
    again->body[0] = note;
    bed_know(again, s.set);
    fm_random random;
    fm_random_seed(&random, 2);
    bed_replay(again, &s.log, 0, s.log.count, &random);
    bed_same_state(s.b, again);
    bed_close(again);
    end(&s);
}

static void sessions_markets_and_sectors_reach_the_inputs(void **unused)
{
    (void)unused;
    fm_calendar_offset utc = {INT64_MIN, 0};
    fm_calendar calendar = {.name = "T", .offset = &utc, .offset_count = 1};
    for (int day = 1; day <= 5; day++)
        calendar.session[day] = (fm_calendar_session){8 * 60, 16 * 60};
    fm_instrument instrument = {.symbol = "A", .calendar = &calendar};
    fm_series series = {.instrument = &instrument, .cross = {1, 2, 3, 4}};
    double in[FM_INPUT_COUNT];
    int64_t friday_ns = INT64_C(1398988800) * FM_NS_PER_S; /* 2014-05-02 00:00 UTC */
    fm_market_told(&series, friday_ns + 9 * 3600 * SECOND + 59 * SECOND, in);
    assert_near(in[FM_INPUT_SESSION_MINUTE], 60, 0);
    assert_near(in[FM_INPUT_DAY_TYPE], 0, 0);
    assert_near(in[FM_INPUT_MARKET], 1, 0);
    assert_near(in[FM_INPUT_SECTOR_MEAN], 2, 0);
    assert_near(in[FM_INPUT_SECTOR_SD], 3, 0);
    assert_near(in[FM_INPUT_SECTOR_RANK], 4, 0);
    fm_market_told(&series, friday_ns + 16 * 3600 * SECOND, in);
    assert_true(isnan(in[FM_INPUT_SESSION_MINUTE]) && isnan(in[FM_INPUT_DAY_TYPE]));
    fm_market_told(&series, friday_ns + 8 * 3600 * SECOND, in); /* a late one */
    assert_near(in[FM_INPUT_SESSION_MINUTE], 0, 0);
    fm_series nobody = {.cross = {NAN, NAN, NAN, NAN}};
    fm_market_told(&nobody, friday_ns, in);
    assert_true(isnan(in[FM_INPUT_SESSION_MINUTE]) && isnan(in[FM_INPUT_MARKET]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_halt_teaches_nothing),
        cmocka_unit_test(an_anomaly_behind_a_gate_teaches_nothing_for_a_while),
        cmocka_unit_test(a_gate_is_part_of_the_state_that_goes_on),
        cmocka_unit_test(sessions_markets_and_sectors_reach_the_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
