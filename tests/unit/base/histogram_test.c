/* tests/unit/base/histogram_test.c */
#include "assert_near.h"

#include "base/histogram.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void any_quantile_is_within_its_bound(void **unused)
{
    (void)unused;
    enum { COUNT = 10000 };
    static uint64_t values[COUNT];
    static const double quantiles[] = {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0};
    fm_random random;
    for (uint64_t seed = 0; seed < 8; seed++) {
        fm_histogram histogram = {0};
        fm_random_seed(&random, seed);
        for (int i = 0; i < COUNT; i++) {
            values[i] = fm_random_next(&random) >> fm_random_below(&random, 64);
            fm_histogram_add(&histogram, values[i]);
        }
        qsort(values, COUNT, sizeof(values[0]), compare);
        for (int i = 0; i < 8; i++) {
            int rank = (int)ceil(quantiles[i] * COUNT);
            uint64_t exact = values[rank > 0 ? rank - 1 : 0], told = fm_histogram_quantile(&histogram, quantiles[i]);
            if (told < exact || (double)(told - exact) > 0.032 * (double)exact)
                fail_msg("seed %d, q %g: %llu for %llu", (int)seed, quantiles[i], (unsigned long long)told,
                         (unsigned long long)exact);
        }
    }
}

static void small_values_are_exact(void **unused)
{
    (void)unused;
    for (uint64_t value = 0; value < 64; value++) {
        fm_histogram histogram = {0};
        fm_histogram_add(&histogram, value);
        fm_histogram_add(&histogram, 1000000);
        assert_int_equal(fm_histogram_quantile(&histogram, 0.5), value);
    }
}

static void the_edges_of_the_range_have_buckets(void **unused)
{
    (void)unused;
    fm_histogram histogram = {0};
    assert_int_equal(fm_histogram_quantile(&histogram, 0.5), 0);
    fm_histogram_add(&histogram, UINT64_MAX);
    assert_true(fm_histogram_quantile(&histogram, 0.5) == UINT64_MAX);
    assert_int_equal(histogram.bucket[FM_HISTOGRAM_BUCKETS - 1], 1);
    fm_histogram_add(&histogram, 0);
    assert_int_equal(histogram.bucket[0], 1);
    for (int power = 0; power < 64; power++) {
        for (int off = -1; off <= 1; off++)
            fm_histogram_add(&histogram, (UINT64_C(1) << power) + (uint64_t)(int64_t)off);
    }
    assert_int_equal(histogram.count, 2 + 192);
    assert_true(fm_histogram_quantile(&histogram, 2.0) == UINT64_MAX);
    assert_int_equal(fm_histogram_quantile(&histogram, -1.0), 0);
}

static void merged_parts_are_the_whole(void **unused)
{
    (void)unused;
    static fm_histogram whole, parts[2];
    fm_random random;
    fm_random_seed(&random, 9);
    for (int i = 0; i < 5000; i++) {
        uint64_t value = fm_random_below(&random, 1 << 20);
        fm_histogram_add(&whole, value);
        fm_histogram_add(&parts[i % 3 == 0], value);
    }
    fm_histogram_merge(&parts[0], &parts[1]);
    assert_memory_equal(&whole, &parts[0], sizeof(whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_quantile_is_within_its_bound),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(the_edges_of_the_range_have_buckets),
        cmocka_unit_test(merged_parts_are_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
