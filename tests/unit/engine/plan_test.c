/* tests/unit/engine/plan_test.c - what a rule generation makes the engine compute, what a change of it carries over, and what it leaves. */
#include "fold_bed.h"

#include <malloc.h>

static fm_rule *rule_with(fm_rule_set *set, uint32_t index, const char *id)
{
    fm_rule *rule = bed_rule(set, index, id);
    rule->has_on_event = true;
    return rule;
}

static fm_plan *plan_of(const fm_rule_set *set)
{
    fm_plan *plan = NULL;
    fm_error error = {0};
    if (fm_plan_create(set, &plan, &error) < 0)
        fail_msg("%s", error.message);
    return plan;
}

static void the_same_feature_is_computed_once(void **unused)
{
    (void)unused;
    fm_rule_set *set = bed_set(3);
    for (uint32_t r = 0; r < 3; r++) {
        char id[16];
        snprintf(id, sizeof(id), "t/%u", r);
        bed_need(rule_with(set, r, id), FM_KERNEL_FEATURE, "log_return", "move", NULL, 0);
    }
    bed_need(&set->rule[2], FM_KERNEL_FEATURE, "log_return", "slow", "window", 60); /* another parameter is another node */
    fm_plan *plan = plan_of(set);
    assert_int_equal(plan->node_count, 2);
    assert_int_equal(plan->column_count, 2);
    assert_int_equal(plan->rule[0].column[0], plan->rule[2].column[0]);
    fm_plan_destroy(plan);
    free(set);
}

static void a_feature_of_a_feature_is_another_than_of_the_price(void **unused)
{
    (void)unused;
    fm_rule_set *set = bed_set(1);
    fm_rule *rule = rule_with(set, 0, "t/of");
    bed_need(rule, FM_KERNEL_FEATURE, "ewma", "of_price", NULL, 60);
    bed_need(rule, FM_KERNEL_FEATURE, "ewma", "of_spread", NULL, 60);
    bed_need(rule, FM_KERNEL_FEATURE, "spread", "spread", NULL, 0);
    rule->needs[1].of[0] = 2;
    rule->needs[1].of_count = 1;
    rule->needs[2].hidden = true;
    fm_plan *plan = plan_of(set);
    assert_int_equal(plan->node_count, 3);
    assert_int_equal(plan->column_count, 3); /* the hidden one feeds another */
    assert_int_equal(plan->rule[0].visible, 2);
    for (uint32_t n = 0; n < plan->node_count; n++) /* inputs come first */
        assert_true(plan->node[n].of_count == 0 || plan->node[n].of_node[0] < (int)n);
    fm_plan_destroy(plan);
    free(set);
}

static void needs_in_a_circle_are_refused(void **unused)
{
    (void)unused;
    fm_rule_set *set = bed_set(1);
    fm_rule *rule = rule_with(set, 0, "t/circle");
    bed_need(rule, FM_KERNEL_FEATURE, "ewma", "a", NULL, 60);
    bed_need(rule, FM_KERNEL_FEATURE, "ewma", "b", NULL, 60);
    rule->needs[0].of[0] = 1;
    rule->needs[1].of[0] = 0;
    rule->needs[0].of_count = rule->needs[1].of_count = 1;
    fm_plan *plan;
    fm_error error = {0};
    assert_int_equal(fm_plan_create(set, &plan, &error), FM_EINVAL);
    assert_non_null(strstr(error.message, "circle"));
    free(set);
}

static void more_features_than_there_is_room_for_are_refused(void **unused)
{
    (void)unused;
    fm_rule_set *set = bed_set(40);
    for (uint32_t r = 0; r < 40; r++) {
        char id[16];
        snprintf(id, sizeof(id), "t/%02u", r);
        fm_rule *rule = rule_with(set, r, id);
        for (int n = 0; n < 10; n++)
            bed_need(rule, FM_KERNEL_FEATURE, "log_return", "move", "window", 1 + r * 10 + n);
    }
    fm_plan *plan;
    fm_error error = {0};
    assert_int_equal(fm_plan_create(set, &plan, &error), FM_ELIMIT);
    free(set);
}

static void an_instrument_has_the_rules_that_match_it(void **unused)
{
    (void)unused;
    fm_rule_set *set = bed_set(3);
    snprintf(rule_with(set, 0, "t/a")->match.symbol, 10, "EUR*");
    snprintf(rule_with(set, 1, "t/b")->match.venue, 10, "X?AA");
    snprintf(rule_with(set, 2, "t/c")->match.class_, 10, "equity"); /* there is no reference data yet: none has a class */
    bed_need(&set->rule[0], FM_KERNEL_FEATURE, "log_return", "move", NULL, 0);
    fm_plan *plan = plan_of(set);
    const fm_layout *none = fm_plan_layout(plan, FM_SLICE("USDJPY"), FM_SLICE("XNAS"), FM_SLICE(""));
    const fm_layout *first = fm_plan_layout(plan, FM_SLICE("EURUSD"), FM_SLICE("XNAS"), FM_SLICE(""));
    const fm_layout *both = fm_plan_layout(plan, FM_SLICE("EURUSD"), FM_SLICE("XAAA"), FM_SLICE(""));
    assert_int_equal(none->rule_count, 0);
    assert_int_equal(none->node_count, 0);
    assert_int_equal(first->rule_count, 1);
    assert_int_equal(both->rule_count, 2);
    assert_ptr_equal(first, fm_plan_layout(plan, FM_SLICE("EURGBP"), FM_SLICE(""), FM_SLICE("")));
    assert_int_equal(fm_layout_rule(both, 1), 1);
    assert_int_equal(fm_layout_rule(first, 1), -1);
    fm_plan_destroy(plan);
    free(set);
}

/* ---- carrying over ---- */

static int counts(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    call->slots[k][0]++;
    return 0;
}

static fm_rule_set *counting(const char *slot, uint32_t state_version, const char *text)
{
    fm_rule_set *set = bed_set(1);
    fm_rule *rule = rule_with(set, 0, "t/count");
    bed_slot(rule, slot, 0);
    bed_need(rule, FM_KERNEL_FEATURE, "ewma", "mean", NULL, 60);
    rule->state_version = state_version;
    rule->hash = fm_hash128_of(text, strlen(text));
    return set;
}

static double slot_after(const char *slot, uint32_t state_version)
{
    fm_fold_config config = bed_config();
    bed *b = bed_open(&config);
    bed_log log = {0};
    fm_rule_set *old = counting("n", 1, "old"), *fresh = counting(slot, state_version, "new");
    bed_know(b, old);
    bed_know(b, fresh);
    b->body[0] = counts;
    bed_use(b, &log, old);
    for (int i = 0; i < 10; i++) {
        fm_record record = bed_value(BED_T0 + i, "A", i);
        assert_int_equal(bed_admit(b, &log, "run", &record), 1);
    }
    bed_use(b, &log, fresh);
    fm_record record = bed_value(BED_T0 + 10, "A", 10);
    assert_int_equal(bed_admit(b, &log, "run", &record), 1);
    bed_fold(b, &log);
    const fm_series *series = b->partition[fm_partition_of(FM_SLICE("A"))].series[0];
    double value = fm_block_rule(series->layout, series->block, 0)->slot[0];
    bed_close(b);
    bed_log_fini(&log);
    free(old);
    free(fresh);
    return value;
}

static void slots_are_carried_over_by_name_and_version(void **unused)
{
    (void)unused;
    assert_near(slot_after("n", 1), 10, 0); /* of 11 values the first has no mean before it */
    assert_near(slot_after("m", 1), 1, 0);
    assert_near(slot_after("n", 2), 1, 0);
}

/* A kernel that both generations need goes on as if nothing had been. */
static void kernels_are_carried_over(void **unused)
{
    (void)unused;
    double mean[2] = {0};
    for (int change = 0; change < 2; change++) {
        fm_fold_config config = bed_config();
        bed *b = bed_open(&config);
        bed_log log = {0};
        fm_rule_set *old = counting("n", 1, "old"), *fresh = counting("n", 1, "new");
        bed_need(&fresh->rule[0], FM_KERNEL_FEATURE, "log_return", "move", NULL, 0);
        bed_know(b, old);
        bed_know(b, fresh);
        b->body[0] = counts;
        bed_use(b, &log, old);
        for (int i = 0; i < 40; i++) {
            if (i == 20 && change)
                bed_use(b, &log, fresh);
            fm_record record = bed_value(BED_T0 + i * FM_NS_PER_S, "A", 1 + i % 7);
            assert_int_equal(bed_admit(b, &log, "run", &record), 1);
        }
        bed_fold(b, &log);
        const fm_series *series = b->partition[fm_partition_of(FM_SLICE("A"))].series[0];
        const fm_plan *plan = b->partition[fm_partition_of(FM_SLICE("A"))].plan;
        mean[change] = fm_block_outputs(series->layout, series->block)[plan->rule[0].column[0]];
        bed_close(b);
        bed_log_fini(&log);
        free(old);
        free(fresh);
    }
    assert_true(mean[0] == mean[1] && mean[0] > 1);
}

/* ---- what many generations leave ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
size_t __sanitizer_get_current_allocated_bytes(void);
static size_t memory_in_use(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
#endif

/* Each with other sizes, as a day of editing makes them: two plans at most are kept, and no memory. */
static void a_thousand_generations_leave_nothing(void **unused)
{
    (void)unused;
    fm_fold_config config = bed_config();
    bed *b = bed_open(&config);
    size_t after_first = 0, most = 0;
    b->body[0] = counts;
    for (uint32_t g = 0; g < 1000; g++) {
        char text[16];
        bed_log log = {0};
        snprintf(text, sizeof(text), "%u", g);
        fm_rule_set *set = counting("n", 1, text);
        for (uint32_t s = 0; s < g % 15; s++) {
            char slot[16];
            snprintf(slot, sizeof(slot), "s%u", s);
            bed_slot(&set->rule[0], slot, s);
        }
        const fm_rule_set *old = b->set_count > 0 ? b->set[0] : NULL;
        b->set_count = 0;
        bed_know(b, set);
        bed_use(b, &log, set);
        uint32_t from = 0;
        for (int i = 0; i < 40; i++) {
            char symbol[16];
            snprintf(symbol, sizeof(symbol), "S%d", i);
            fm_record record = bed_value(BED_T0 + g, symbol, i);
            assert_int_equal(bed_admit(b, &log, "run", &record), 1);
        }
        for (uint32_t i = from; i < log.count; i++)
            bed_apply(b, &log, i);
        bed_fold_run(b);
        assert_true(b->fold->plan_count <= 2); /* this one, and the one without rules */
        free((void *)old);
        bed_log_fini(&log);
        if (g == 50)
            after_first = memory_in_use();
        most = g > 50 && memory_in_use() > most ? memory_in_use() : most;
    }
    printf("%zu bytes after 50 generations, at most %zu until 1000\n", after_first, most);
    assert_true(after_first > 0 && most < after_first + (256u << 10));
    const fm_rule_set *last = b->set[0];
    bed_close(b);
    free((void *)last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_feature_is_computed_once),
        cmocka_unit_test(a_feature_of_a_feature_is_another_than_of_the_price),
        cmocka_unit_test(needs_in_a_circle_are_refused),
        cmocka_unit_test(more_features_than_there_is_room_for_are_refused),
        cmocka_unit_test(an_instrument_has_the_rules_that_match_it),
        cmocka_unit_test(slots_are_carried_over_by_name_and_version),
        cmocka_unit_test(kernels_are_carried_over),
        cmocka_unit_test(a_thousand_generations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
