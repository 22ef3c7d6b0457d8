/* tests/unit/engine/timers_test.c - timers against a model that is a list: one timer a rule and instrument, the last word about it counts,
 * they fire in the order (due, rule, symbol), before the first record at or past them, and what was put off leaves nothing behind. */
#include "fold_bed.h"

enum { RULES = 4, SYMBOLS = 12 };

typedef struct scene {
    bed         *b;
    bed_log      log;
    fm_rule_set *set;
    fm_partition *partition;
    int64_t      due[RULES][SYMBOLS]; /* the model; INT64_MAX = none. Symbols by series index. */
} scene;

static int quiet(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    (void)call;
    (void)k;
    return 0;
}

/* Twelve symbols of one partition. */
static void symbols_of_one_partition(char symbol[SYMBOLS][16])
{
    uint32_t found = 0;
    for (uint32_t i = 0; found < SYMBOLS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "S%u", i * 7919 % 10007); /* in no order */
        if (fm_partition_of(fm_slice_of(name)) == 5)
            memcpy(symbol[found++], name, sizeof(name));
    }
}

static void begin(scene *s, bed_body body)
{
    char symbol[SYMBOLS][16];
    fm_fold_config config = bed_config();
    *s = (scene){.b = bed_open(&config), .set = bed_set(RULES)};
    for (uint32_t r = 0; r < RULES; r++) {
        char id[16];
        snprintf(id, sizeof(id), "t/%u", r);
        fm_rule *rule = bed_rule(s->set, r, id);
        rule->has_on_event = rule->has_on_timer = true;
        s->b->body[r] = body;
        for (uint32_t i = 0; i < SYMBOLS; i++)
            s->due[r][i] = INT64_MAX;
    }
    bed_know(s->b, s->set);
    bed_use(s->b, &s->log, s->set);
    symbols_of_one_partition(symbol);
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        fm_record record = bed_value(BED_T0, symbol[i], 100000); /* so that says_when asks for nothing soon */
        assert_int_equal(bed_admit(s->b, &s->log, "run", &record), 1);
    }
    bed_fold(s->b, &s->log);
    s->partition = &s->b->partition[5];
}

static void end(scene *s)
{
    bed_close(s->b);
    bed_log_fini(&s->log);
    free(s->set);
}

static bool sooner(const scene *s, uint32_t rule, uint32_t series, uint32_t than_rule, uint32_t than_series)
{
    int64_t due = s->due[rule][series], than = s->due[than_rule][than_series];
    if (due != than)
        return due < than;
    if (rule != than_rule)
        return rule < than_rule;
    return strcmp(s->partition->series[series]->symbol, s->partition->series[than_series]->symbol) < 0;
}

static bool first_of(const scene *s, uint32_t *rule, uint32_t *series)
{
    *rule = *series = 0;
    for (uint32_t r = 0; r < RULES; r++)
        for (uint32_t i = 0; i < SYMBOLS; i++)
            if (sooner(s, r, i, *rule, *series)) {
                *rule = r;
                *series = i;
            }
    return s->due[*rule][*series] != INT64_MAX;
}

static void timers_fire_as_a_list_of_them_would(void **unused)
{
    (void)unused;
    scene s;
    fm_random random;
    const char *text = getenv("FMADS_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : 3, fired = 0;
    printf("seed %llu (FMADS_SEED)\n", (unsigned long long)seed);
    begin(&s, quiet);
    fm_random_seed(&random, seed);
    int64_t now = BED_T0;
    for (int i = 0; i < 200000; i++) {
        if (fm_random_below(&random, 5) > 0) { /* asked for: sooner, later, or at the time of many others */
            uint32_t r = (uint32_t)fm_random_below(&random, RULES), at = (uint32_t)fm_random_below(&random, SYMBOLS);
            int64_t due = now + FM_NS_PER_S * (int64_t)(1 + fm_random_below(&random, fm_random_below(&random, 4) == 0 ? 100000 : 5));
            s.due[r][at] = due;
            fm_timer_ask_for(s.partition, s.partition->series[at], r, due);
            continue;
        }
        now += (int64_t)fm_random_below(&random, 3 * FM_NS_PER_S);
        uint32_t rule, series;
        fm_timer top;
        while (first_of(&s, &rule, &series) && s.due[rule][series] <= now) {
            assert_true(fm_timer_top(s.partition, 0, &top));
            assert_int_equal(top.due_ns, s.due[rule][series]);
            assert_int_equal(top.rule, rule);
            assert_int_equal(top.series, series);
            fm_timer_pop(s.partition, 0);
            s.due[rule][series] = INT64_MAX;
            fired++;
        }
        bool any = first_of(&s, &rule, &series);
        assert_int_equal(fm_fold_due(s.partition, 0), any ? s.due[rule][series] : INT64_MAX);
        assert_true(s.partition->domain[0].heap_capacity <= 8 * RULES * SYMBOLS); /* what was put off does not pile up */
    }
    assert_true(fired > 5000);
    end(&s);
}

static void a_heap_made_anew_fires_the_same(void **unused)
{
    (void)unused;
    scene s;
    fm_random random;
    fm_random_seed(&random, 9);
    begin(&s, quiet);
    for (int i = 0; i < 3000; i++) {
        uint32_t r = (uint32_t)fm_random_below(&random, RULES), at = (uint32_t)fm_random_below(&random, SYMBOLS);
        s.due[r][at] = BED_T0 + (int64_t)fm_random_below(&random, 10) * FM_NS_PER_S;
        fm_timer_ask_for(s.partition, s.partition->series[at], r, s.due[r][at]);
    }
    fm_fold_timers(s.b->fold, s.partition);
    uint32_t rule, series;
    fm_timer top;
    while (first_of(&s, &rule, &series)) {
        assert_true(fm_timer_top(s.partition, 0, &top));
        assert_true(top.due_ns == s.due[rule][series] && top.rule == rule && top.series == series);
        fm_timer_pop(s.partition, 0);
        s.due[rule][series] = INT64_MAX;
    }
    assert_false(fm_timer_top(s.partition, 0, &top));
    end(&s);
}

/* ---- through the fold ---- */

static int says_when(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    if (bed_is_timer(call, k))
        return bed_emit(call, k, (double)(call->event[k]->ts_ns - BED_T0) / 1e9, "");
    return call->rule == 0 ? bed_timer(call, k, (int64_t)(call->event[k]->as.value.value * 1e9)) : 0;
}

static void send(scene *s, uint32_t series, double at_s, double ask_s)
{
    fm_record record = bed_value(BED_T0 + (int64_t)(at_s * 1e9), s->partition->series[series]->symbol, ask_s);
    assert_int_equal(bed_admit(s->b, &s->log, "run", &record), 1);
    bed_fold(s->b, &s->log);
}

static void a_timer_fires_before_the_first_record_at_or_past_it(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, says_when);
    send(&s, 0, 10, 5); /* due at 15 */
    send(&s, 1, 14.999, 1000);
    assert_int_equal(s.b->alert_count, 0);
    send(&s, 1, 15, 1000);
    assert_int_equal(s.b->alert_count, 1);
    assert_int_equal(s.b->alert[0].event_ns, BED_T0 + 15 * FM_NS_PER_S);
    assert_int_equal(s.b->alert[0].sequence, s.partition->applied); /* of the record that brought the time */
    end(&s);
}

static void a_record_puts_its_timer_off_and_a_late_one_does_not_fire_any(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, says_when);
    for (int i = 0; i < 50; i++)
        send(&s, 0, 10 + i, 5); /* the last one: due at 64 */
    for (uint32_t i = 1; i < SYMBOLS; i++)
        send(&s, i, 60, 1000);
    send(&s, 0, 12, 3); /* late: asked for at the domain's time at least, so due at 61 */
    assert_int_equal(s.b->alert_count, 0);
    send(&s, 1, 62, 1000);
    assert_int_equal(s.b->alert_count, 1);
    assert_int_equal(s.b->alert[0].event_ns, BED_T0 + 61 * FM_NS_PER_S);
    end(&s);
}

static void a_clock_fires_what_no_record_does(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, says_when);
    send(&s, 0, 10, 5);
    uint32_t before = s.b->alert_count;
    bed_control(s.b, &s.log, 5, FM_CLOCK, BED_T0 + 16 * FM_NS_PER_S, &(fm_control){.index = 0}, (fm_slice){"", 0});
    bed_fold(s.b, &s.log);
    assert_int_equal(s.b->alert_count, before + 1);
    fm_record record = bed_value(BED_T0 + (int64_t)(15.5 * 1e9), s.partition->series[0]->symbol, 1000);
    assert_int_equal(bed_admit(s.b, &s.log, "run", &record), 1);
    const fm_event *event = bed_event(&s.log, s.log.count - 1);
    assert_true(event->flags & FM_FLAG_LATE); /* the clock moved the domain's time */
    end(&s);
}

static void no_timer_is_due_earlier_than_a_second_after_it_was_asked_for(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, says_when);
    send(&s, 0, 10, 0.001);
    uint32_t before = s.b->alert_count;
    send(&s, 1, 10.9, 1000);
    assert_int_equal(s.b->alert_count, before);
    send(&s, 1, 11, 1000);
    assert_int_equal(s.b->alert_count, before + 1);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_as_a_list_of_them_would),
        cmocka_unit_test(a_heap_made_anew_fires_the_same),
        cmocka_unit_test(a_timer_fires_before_the_first_record_at_or_past_it),
        cmocka_unit_test(a_record_puts_its_timer_off_and_a_late_one_does_not_fire_any),
        cmocka_unit_test(a_clock_fires_what_no_record_does),
        cmocka_unit_test(no_timer_is_due_earlier_than_a_second_after_it_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
