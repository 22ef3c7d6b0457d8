/* tests/unit/engine/cross_test.c - markets and sectors: what partitions say to each other, and that a log folded again needs nobody to say it. */
#include "fold_bed.h"

#include "base/fmath.h"

#define SECOND FM_NS_PER_S
#define NAMES  5

static const char REFERENCE[] = FM_REFERENCE_HEAD "instrument AA equity tech MKT -\ninstrument BB equity tech MKT -\ninstrument CC equity tech - -\n"
                                                  "instrument DD equity tech MKT -\ninstrument MKT etf - - -\n";
static const char *const NAME[NAMES] = {"AA", "BB", "CC", "DD", "MKT"};

static fm_reference_set *held;

static const fm_reference_set *reference_of(void *context, const char *hash)
{
    (void)context;
    (void)hash;
    return held;
}

typedef struct scene {
    bed     *b;
    bed_log  log;
    uint32_t said[4]; /* by fm_cross_kind */
} scene;

static scene *stage; /* what a fold says is put into the log of this one, as the shards do it between two commits */
static struct {
    fm_cross cross;
    char text[FM_CROSS_BYTES];
} waiting[256];
static uint32_t waiting_count;

static void on_cross(void *context, const fm_cross *cross)
{
    (void)context;
    assert_true(waiting_count < 256 && cross->text.size <= FM_CROSS_BYTES);
    waiting[waiting_count].cross = *cross;
    memcpy(waiting[waiting_count].text, cross->text.data, cross->text.size);
    waiting_count++;
    stage->said[cross->kind]++;
}

static void deliver(scene *s)
{
    while (waiting_count > 0) {
        uint32_t count = waiting_count;
        waiting_count = 0;
        static typeof(waiting[0]) now[256];
        memcpy(now, waiting, count * sizeof(now[0]));
        for (uint32_t i = 0; i < count; i++)
            for (uint64_t left = now[i].cross.targets; left != 0; left &= left - 1) {
                uint32_t p = (uint32_t)__builtin_ctzll(left);
                const fm_admission *admission = &s->b->partition[p].admission;
                if (admission->domain_count == 0)
                    bed_control(s->b, &s->log, p, FM_DOMAIN, BED_T0, &(fm_control){.index = 0}, FM_SLICE("run"));
                fm_control control = {.index = now[i].cross.kind, .domain = 0, .at_sequence = now[i].cross.position};
                bed_control(s->b, &s->log, p, FM_CROSS, now[i].cross.grid_ns, &control, (fm_slice){now[i].text, now[i].cross.text.size});
            }
        bed_fold(s->b, &s->log);
    }
}

static void begin(scene *s)
{
    fm_error error = {0};
    char hash[33];
    fm_fold_config config = bed_config();
    config.reference_of = reference_of;
    config.cross = on_cross;
    *s = (scene){.b = bed_open(&config)};
    stage = s;
    waiting_count = 0;
    if (fm_reference_parse(fm_slice_of(REFERENCE), &held, &error) < 0)
        fail_msg("%s", error.message);
    fm_hash128_hex(held->hash, hash);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        bed_control(s->b, &s->log, p, FM_REFERENCE, BED_T0, &(fm_control){0}, fm_slice_of(hash));
}

static void end(scene *s)
{
    bed_close(s->b);
    bed_log_fini(&s->log);
    fm_reference_free(held);
}

static const fm_series *series_of(const scene *s, const char *name)
{
    const fm_partition *partition = &s->b->partition[fm_partition_of(fm_slice_of(name))];
    int index = fm_admission_symbol(&partition->admission, 0, fm_slice_of(name));
    return index < 0 ? NULL : partition->series[index];
}

static void trade(scene *s, const char *name, int64_t ts_ns, int64_t price)
{
    fm_record record = bed_trade(ts_ns, name, price, 2);
    assert_int_equal(bed_admit(s->b, &s->log, "run", &record), 1);
    bed_fold(s->b, &s->log);
    deliver(s);
}

/* Cents of a name in that second. */
static int64_t price_of(int name, int64_t second)
{
    static const int64_t STEP[NAMES] = {3, -2, 1, 5, 2};
    return 10000 + STEP[name] * second;
}

static void run_minutes(scene *s, int64_t seconds)
{
    for (int64_t t = 0; t < seconds; t++)
        for (int n = 0; n < NAMES; n++)
            trade(s, NAME[n], BED_T0 + t * SECOND + (n + 1) * FM_NS_PER_MS, price_of(n, t));
}

static void an_instrument_knows_its_market_as_of_the_last_second(void **unused)
{
    (void)unused;
    scene s;
    begin(&s);
    run_minutes(&s, 10);
    assert_near(series_of(&s, "AA")->cross[FM_CROSS_OF_MARKET], 0.01 * (double)price_of(4, 8), 1e-12);
    assert_true(isnan(series_of(&s, "CC")->cross[FM_CROSS_OF_MARKET])); /* nobody said what it is compared with */
    assert_int_equal(s.said[FM_CROSS_MARKET], 9);
    end(&s);
}

static void a_sector_is_compared_over_its_last_minute(void **unused)
{
    (void)unused;
    scene s;
    begin(&s);
    run_minutes(&s, 75);
    assert_true(s.said[FM_CROSS_RANKS] > 0);
    /* The newest comparison is that of the grid time before the last that every member has told of: prices as of just before those. */
    int64_t slot_s = 65; /* told of when a member passes second 70 */
    double value[4], sum = 0, squares = 0;
    for (int n = 0; n < 4; n++) {
        value[n] = fm_log((double)price_of(n, slot_s - 1)) - fm_log((double)price_of(n, slot_s - 61));
        sum += value[n];
    }
    for (int n = 0; n < 4; n++)
        squares += (value[n] - sum / 4) * (value[n] - sum / 4);
    const fm_series *best = series_of(&s, "DD"), *worst = series_of(&s, "BB");
    assert_near(best->cross[FM_CROSS_OF_MEAN], sum / 4, 1e-14);
    assert_near(best->cross[FM_CROSS_OF_SPREAD], sqrt(squares / 3), 1e-14);
    assert_near(best->cross[FM_CROSS_OF_RANK], 1.0, 0);
    assert_near(worst->cross[FM_CROSS_OF_RANK], 0.0, 0);
    assert_near(series_of(&s, "AA")->cross[FM_CROSS_OF_RANK], 2.0 / 3, 1e-15);
    assert_true(isnan(series_of(&s, "MKT")->cross[FM_CROSS_OF_RANK]));
    end(&s);
}

static void fewer_than_three_are_not_compared(void **unused)
{
    (void)unused;
    scene s;
    begin(&s);
    for (int64_t t = 0; t < 90; t++)
        for (int n = 0; n < 2; n++)
            trade(&s, NAME[n], BED_T0 + t * SECOND + n, price_of(n, t));
    assert_true(s.said[FM_CROSS_MEMBER] > 20);
    assert_int_equal(s.said[FM_CROSS_RANKS], 0);
    end(&s);
}

static void a_log_folded_again_needs_nobody_to_say_it(void **unused)
{
    (void)unused;
    scene s;
    begin(&s);
    run_minutes(&s, 80);
    fm_fold_config config = s.b->config;
    config.cross = NULL;
    fm_random random;
    fm_random_seed(&random, 5);
    bed *again = bed_open(&config);
    bed_replay(again, &s.log, 0, s.log.count, &random);
    bed_same_state(s.b, again);
    bed_close(again);
    end(&s);
}

static void a_torn_value_is_refused(void **unused)
{
    (void)unused;
    scene s;
    begin(&s);
    trade(&s, "AA", BED_T0, 10000);
    uint32_t p = fm_partition_of(FM_SLICE("AA"));
    static const char *const TEXT[] = {"", "short", "0123456789012345678901234567890123456789"};
    for (size_t i = 0; i < 3; i++)
        for (uint32_t kind = 0; kind < 5; kind++) {
            union {
                uint64_t align;
                char bytes[FM_ADMIT_BYTES_MAX];
            } out;
            fm_error error = {0};
            fm_control_entry(out.bytes, FM_CROSS, BED_T0, &(fm_control){.index = kind}, fm_slice_of(TEXT[i]));
            assert_int_equal(fm_fold_apply(s.b->fold, &s.b->partition[p], (const fm_event *)out.bytes, BED_T0, &error), FM_ECORRUPT);
        }
    end(&s);
}

static void grid_times_are_multiples_also_before_1970(void **unused)
{
    (void)unused;
    assert_int_equal(fm_grid_next(0, SECOND), SECOND);
    assert_int_equal(fm_grid_next(SECOND - 1, SECOND), SECOND);
    assert_int_equal(fm_grid_next(-1, SECOND), 0);
    assert_int_equal(fm_grid_next(-SECOND, SECOND), 0);
    assert_int_equal(fm_grid_next(INT64_MAX, SECOND), INT64_MAX);
    assert_true(fm_grid_next(INT64_MIN, SECOND) < INT64_MIN + 2 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instrument_knows_its_market_as_of_the_last_second),
        cmocka_unit_test(a_sector_is_compared_over_its_last_minute),
        cmocka_unit_test(fewer_than_three_are_not_compared),
        cmocka_unit_test(a_log_folded_again_needs_nobody_to_say_it),
        cmocka_unit_test(a_torn_value_is_refused),
        cmocka_unit_test(grid_times_are_multiples_also_before_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
