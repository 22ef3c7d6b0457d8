/* tests/unit/kernels/ranks_test.c - the fading quantile sketch against exact faded ranks. */
#include "assert_near.h"

#include "base/fmath.h"
#include "base/random.h"
#include "kernels/common/ranks.h"

#include <string.h>

#define ROWS   9000
#define MEMORY 2000.0f

typedef float sample(fm_random *random);

static float uniform(fm_random *random)
{
    return (float)fm_random_unit(random);
}

static float normal(fm_random *random)
{
    return (float)fm_random_normal(random);
}

static float log_normal(fm_random *random)
{
    return (float)fm_exp(2.0 * fm_random_normal(random));
}

static float past[ROWS];
static double weight[ROWS];

/* What the sketch promises to be near to: rows of weight 1, all faded by one factor whenever their sum passes the
 * memory. The waiting ones are not faded yet. */
static void fade(int count, int fresh)
{
    double total = 0.0;
    for (int i = 0; i < count - fresh; i++)
        total += weight[i];
    if (total + fresh > (double)MEMORY)
        for (int i = 0; i < count - fresh; i++)
            weight[i] *= ((double)MEMORY - fresh) / total;
}

static double exact_p(int count, float value)
{
    double below = 0.0, equal = 0.0, all = 0.0;
    for (int i = 0; i < count; i++) {
        below += past[i] < value ? weight[i] : 0.0;
        equal += past[i] == value ? weight[i] : 0.0;
        all += weight[i];
    }
    double side = fmin(all - below, below + equal), p = 2.0 * (side + 1.0) / (all + 1.0);
    return p < 1.0 ? p : 1.0;
}

static void check_sample(sample *next, const char *name)
{
    fm_random random;
    fm_random_seed(&random, 41);
    fm_ranks ranks;
    fm_ranks_init(&ranks, FM_RANKS_WAITING);
    double worst = 1.0;
    for (int i = 0; i < ROWS; i++) {
        float value = next(&random);
        if (i > 0) {
            double ratio = fm_rank_p(fm_ranks_of(&ranks, value)) / exact_p(i, value);
            worst = fmax(worst, fmax(ratio, 1.0 / ratio));
        }
        past[i] = value;
        weight[i] = 1.0;
        fm_ranks_add(&ranks, value, MEMORY);
        if (ranks.waiting_count == 0)
            fade(i + 1, FM_RANKS_WAITING);
    }
    if (worst > 1.25)
        fail_msg("%s: a p is %.3f times the exact one", name, worst);
    print_message("%s: worst factor %.3f\n", name, worst);
}

static void a_tail_probability_is_within_a_factor_of_1_25_of_the_exact_one(void **unused)
{
    (void)unused;
    check_sample(uniform, "uniform");
    check_sample(normal, "normal");
    check_sample(log_normal, "log-normal");
}

static void few_different_values_are_counted_exactly(void **unused)
{
    (void)unused;
    fm_ranks ranks;
    fm_ranks_init(&ranks, FM_RANKS_WAITING);
    for (int i = 0; i < 1900; i++)
        fm_ranks_add(&ranks, (float)(i % 19), MEMORY);
    for (int i = 0; i < 19; i++) {
        fm_rank rank = fm_ranks_of(&ranks, (float)i);
        assert_near(rank.below, 100.0 * i, 1e-6);
        assert_near(rank.equal, 100.0, 1e-6);
        assert_near(rank.all, 1900.0, 1e-6);
    }
    assert_int_equal(ranks.centroid_count, 19);
}

static void the_past_fades_to_the_memory(void **unused)
{
    (void)unused;
    fm_ranks ranks;
    fm_ranks_init(&ranks, FM_RANKS_WAITING);
    for (int i = 0; i < 3200; i++)
        fm_ranks_add(&ranks, 1.0f, MEMORY);
    assert_near(fm_ranks_of(&ranks, 1.0f).all, 2000.0, 1e-5);
    for (int i = 0; i < 2016; i++)
        fm_ranks_add(&ranks, 2.0f, MEMORY);
    fm_rank rank = fm_ranks_of(&ranks, 1.5f);
    assert_near(rank.below / rank.all, fm_exp(-2016.0 / 2000.0), 1e-2); /* in steps of 32 rows */
}

static void it_holds_under_any_order_and_any_size_of_values(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < 4; kind++) {
        fm_ranks ranks;
        fm_ranks_init(&ranks, 4);
        for (int i = 0; i < 200000; i++) {
            float value = kind == 0   ? (float)i
                          : kind == 1 ? (float)-i
                          : kind == 2 ? (i % 2 ? 2e30f : -2e30f) / (float)(i + 1)
                                      : (float)(i % 977) * 1e-30f;
            fm_ranks_add(&ranks, value, kind == 3 ? 64.0f : MEMORY);
            assert_in_range(ranks.centroid_count, 0, FM_RANKS_CENTROIDS);
            assert_in_range(ranks.waiting_count, 0, FM_RANKS_WAITING - 1);
            double p = fm_rank_p(fm_ranks_of(&ranks, value));
            assert_true(p > 0.0 && p <= 1.0);
        }
        for (int i = 1; i < ranks.centroid_count; i++)
            assert_true(ranks.mean[i - 1] < ranks.mean[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tail_probability_is_within_a_factor_of_1_25_of_the_exact_one),
        cmocka_unit_test(few_different_values_are_counted_exactly),
        cmocka_unit_test(the_past_fades_to_the_memory),
        cmocka_unit_test(it_holds_under_any_order_and_any_size_of_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
