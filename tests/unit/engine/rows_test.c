/* tests/unit/engine/rows_test.c - episodes, cooldowns, caps, strikes: one claim each, with rules that are C functions. */
#include "fold_bed.h"

typedef struct scene {
    bed         *b;
    bed_log      log;
    fm_rule_set *set;
    double       seen[64]; /* what a body notes */
    uint32_t     seen_count;
} scene;

static int when_above_zero(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    call->hit[k] = call->matrix[(size_t)call->row[k] * call->stride + call->column[0]] > 0;
    return 0;
}

/* One rule that holds while the newest value is above zero: the log return of a series e^n, or a handler. */
static fm_rule *begin(scene *s, const char *id, bed_body body)
{
    fm_fold_config config = bed_config();
    *s = (scene){0};
    s->b = bed_open(&config);
    s->b->body_context = s;
    s->set = bed_set(1);
    fm_rule *rule = bed_rule(s->set, 0, id);
    rule->has_when = body == when_above_zero;
    rule->has_on_event = !rule->has_when;
    if (rule->has_when) /* of two equal values in a row it is 0; of a rise above 0 */
        bed_need(rule, FM_KERNEL_FEATURE, "log_return", "move", NULL, 0);
    s->b->body[0] = body;
    return rule;
}

static void use(scene *s)
{
    bed_know(s->b, s->set);
    bed_use(s->b, &s->log, s->set);
    bed_fold(s->b, &s->log);
}

static void send(scene *s, const fm_record *record)
{
    assert_int_equal(bed_admit(s->b, &s->log, "run", record), 1);
}

/* Up: `when` holds; down: it does not. In milliseconds after BED_T0. */
static void step(scene *s, const char *symbol, int64_t at_ms, bool up)
{
    static double level = 1000;
    level += up ? 1 : -1;
    fm_record record = bed_value(BED_T0 + at_ms * FM_NS_PER_MS, symbol, level);
    send(s, &record);
}

static void end(scene *s)
{
    bed_close(s->b);
    bed_log_fini(&s->log);
    free(s->set);
}

static int64_t alert_ms(const scene *s, uint32_t i)
{
    assert_true(i < s->b->alert_count);
    return (s->b->alert[i].event_ns - BED_T0) / FM_NS_PER_MS;
}

static void an_episode_raises_one_alert_and_the_next_another(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "t/when", when_above_zero);
    use(&s);
    step(&s, "A", 0, true); /* the first has no return yet */
    for (int i = 1; i < 10; i++)
        step(&s, "A", i, true);
    step(&s, "A", 10, false);
    for (int i = 11; i < 20; i++)
        step(&s, "A", i, true);
    bed_fold(s.b, &s.log);
    assert_int_equal(s.b->alert_count, 2);
    assert_int_equal(alert_ms(&s, 0), 1);
    assert_int_equal(alert_ms(&s, 1), 11);
    end(&s);
}

static void a_condition_must_hold_for_its_time_without_a_break(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "t/for", when_above_zero)->for_ns = 5 * FM_NS_PER_MS;
    use(&s);
    step(&s, "A", 0, true);
    for (int i = 1; i <= 5; i++) /* 1..5: not long enough */
        step(&s, "A", i, true);
    step(&s, "A", 6, false);
    for (int i = 7; i <= 14; i++) /* 7..14: at 12 it is */
        step(&s, "A", i, true);
    bed_fold(s.b, &s.log);
    assert_int_equal(s.b->alert_count, 1);
    assert_int_equal(alert_ms(&s, 0), 12);
    assert_non_null(strstr(s.b->alert[0].body, "\"start_time\":1399033800007000000"));
    end(&s);
}

static void the_cooldown_counts_from_when_the_episode_last_held(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "t/cool", when_above_zero)->cooldown_ns = 10 * FM_NS_PER_MS;
    use(&s);
    step(&s, "A", 0, true);
    for (int i = 1; i <= 20; i++) /* alert at 1, holds until 20 */
        step(&s, "A", i, true);
    step(&s, "A", 21, false);
    step(&s, "A", 29, true); /* 9 ms after 20: held back */
    step(&s, "A", 30, true); /* 10 ms: the same episode may now */
    bed_fold(s.b, &s.log);
    assert_int_equal(s.b->alert_count, 2);
    assert_int_equal(alert_ms(&s, 1), 30);
    end(&s);
}

static void instruments_and_domains_have_episodes_of_their_own(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "t/own", when_above_zero);
    use(&s);
    step(&s, "A", 0, true);
    step(&s, "B", 0, true);
    step(&s, "A", 1, true);
    step(&s, "B", 1, true);
    fm_record other = bed_value(BED_T0, "A", 1);
    assert_int_equal(bed_admit(s.b, &s.log, "second", &other), 1);
    other.value = 2;
    other.ts_ns++;
    assert_int_equal(bed_admit(s.b, &s.log, "second", &other), 1);
    bed_fold(s.b, &s.log);
    assert_int_equal(s.b->alert_count, 3);
    end(&s);
}

static int always(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    return bed_emit(call, k, k, "");
}

/* 3 a minute of event time; a late record does not go back to a minute that has ended. */
static void the_rate_cap_counts_minutes_of_the_domain(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "t/cap", always)->alerts_per_minute = 3;
    use(&s);
    int64_t minute = 60000 - BED_T0 / FM_NS_PER_MS % 60000;
    for (int i = 0; i < 10; i++)
        step(&s, "A", minute - 10 + i, true); /* the last ten milliseconds of a minute */
    for (int i = 0; i < 10; i++) {
        step(&s, "A", minute + i, true);
        step(&s, "A", minute - 5, true); /* late */
    }
    bed_fold(s.b, &s.log);
    assert_int_equal(s.b->alert_count, 6);
    assert_int_equal(alert_ms(&s, 2), minute - 8);
    assert_int_equal(alert_ms(&s, 3), minute);
    const fm_rule_health *health = &s.b->partition[fm_partition_of(FM_SLICE("A"))].domain[0].health[0];
    assert_int_equal(health->alerts, 6);
    assert_int_equal(health->capped, 24);
    end(&s);
}

static void alerts_of_one_start_have_different_ids(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "t/ordinal", always);
    use(&s);
    for (int i = 0; i < 50; i++)
        step(&s, "A", 5, true);
    bed_fold(s.b, &s.log);
    assert_int_equal(s.b->alert_count, 50);
    for (uint32_t i = 0; i < 50; i++)
        for (uint32_t j = 0; j < i; j++)
            assert_true(strncmp(s.b->alert[i].body, s.b->alert[j].body, 70) != 0); /* the id stands in it */
    end(&s);
}

static int fails_on_b(bed *b, fm_rule_call *call, uint32_t k)
{
    scene *s = b->body_context;
    if (call->event[k]->as.value.value < 0)
        return FM_ERULE;
    s->seen_count++;
    return bed_emit(call, k, 1, "");
}

static void three_strikes_end_a_rule_in_one_partition_and_domain_only(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "t/fails", fails_on_b);
    use(&s);
    fm_record good = bed_value(BED_T0, "GOOD", 1), bad = bed_value(BED_T0, "BAD", -1), fine = bed_value(BED_T0, "BAD", 1);
    assert_int_not_equal(fm_partition_of(FM_SLICE("GOOD")), fm_partition_of(FM_SLICE("BAD")));
    for (int i = 0; i < 5; i++) {
        send(&s, &good);
        send(&s, &bad);
        send(&s, &fine); /* seen until the third strike */
    }
    assert_int_equal(bed_admit(s.b, &s.log, "second", &fine), 1);
    bed_fold(s.b, &s.log);
    const fm_rule_health *health = &s.b->partition[fm_partition_of(FM_SLICE("BAD"))].domain[0].health[0];
    assert_int_equal(health->errors, 3);
    assert_true(health->quarantined);
    assert_string_equal(health->error, "t/fails.lua:7: row failed on purpose");
    assert_int_equal(s.seen_count, 5 + 2 + 1);
    assert_int_equal(s.b->alert_count, 8);
    end(&s);
}

static int notes_price(bed *b, fm_rule_call *call, uint32_t k)
{
    scene *s = b->body_context;
    assert_non_null(call->scale);
    s->seen[s->seen_count++] = fm_decimal(call->event[k]->as.trade.price, call->scale[k][0]);
    return 0;
}

/* The scale of an instrument grows within a batch; every record is read with the one that it was logged with. */
static void handlers_see_prices_in_the_scale_of_their_record(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "t/scale", notes_price);
    use(&s);
    static const struct {
        int64_t price;
        int     scale;
    } sent[] = {{15, 1}, {1525, 3}, {16, 1}, {15250001, 7}, {2, 0}};
    for (int i = 0; i < 5; i++) {
        fm_record trade = bed_trade(BED_T0 + i, "A", sent[i].price, sent[i].scale);
        send(&s, &trade);
    }
    bed_fold(s.b, &s.log);
    static const double expected[] = {1.5, 1.525, 1.6, 1.5250001, 2};
    assert_int_equal(s.seen_count, 5);
    for (int i = 0; i < 5; i++)
        assert_true(s.seen[i] == expected[i]);
    end(&s);
}

static int asks(bed *b, fm_rule_call *call, uint32_t k)
{
    scene *s = b->body_context;
    s->seen_count += bed_is_timer(call, k);
    return bed_timer(call, k, FM_NS_PER_S);
}

/* No row may come of it, and no state: where it would stand among the records depends on what other rules have. */
static void a_timer_of_a_rule_without_a_handler_for_it_is_nothing(void **unused)
{
    (void)unused;
    scene s;
    begin(&s, "t/asks", asks);
    use(&s);
    step(&s, "A", 0, true);
    bed_fold(s.b, &s.log);
    assert_int_equal(fm_fold_due(&s.b->partition[fm_partition_of(FM_SLICE("A"))], 0), INT64_MAX);
    step(&s, "A", 5000, true);
    bed_fold(s.b, &s.log);
    assert_int_equal(s.seen_count, 0);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_episode_raises_one_alert_and_the_next_another),
        cmocka_unit_test(a_condition_must_hold_for_its_time_without_a_break),
        cmocka_unit_test(the_cooldown_counts_from_when_the_episode_last_held),
        cmocka_unit_test(instruments_and_domains_have_episodes_of_their_own),
        cmocka_unit_test(the_rate_cap_counts_minutes_of_the_domain),
        cmocka_unit_test(alerts_of_one_start_have_different_ids),
        cmocka_unit_test(three_strikes_end_a_rule_in_one_partition_and_domain_only),
        cmocka_unit_test(handlers_see_prices_in_the_scale_of_their_record),
        cmocka_unit_test(a_timer_of_a_rule_without_a_handler_for_it_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
