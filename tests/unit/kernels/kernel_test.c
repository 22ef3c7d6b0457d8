/* tests/unit/kernels/kernel_test.c - what every kernel in the table keeps, whatever it computes. */
#include "series.h"

#include "base/error.h"

#define ROWS 6000

#define each_kernel(kernel)                                                                                            \
    for (const fm_kernel *kernel = fm_kernels[0], *const *at_ = fm_kernels; kernel != NULL; kernel = *++at_)

static const char *const DETECTOR_OUTPUTS[] = {"score", "p", "expected", "ready"};

static void check_field(const fm_kernel *kernel, const fm_field *field)
{
    if (field->unit == NULL || field->help == NULL || field->help[0] == '\0')
        fail_msg("%s: field %s lacks unit or help", kernel->name, field->name);
}

static void every_descriptor_is_complete(void **unused)
{
    (void)unused;
    each_kernel(kernel)
    {
        if (!kernel->name || !kernel->summary || !kernel->source || !kernel->warm_up || !kernel->cost ||
            kernel->layout == 0)
            fail_msg("%s: a text or the layout is missing", kernel->name);
        assert_non_null(kernel->state_size);
        assert_non_null(kernel->init);
        assert_non_null(kernel->score);
        assert_non_null(kernel->update);
        assert_true(fm_kernel_field_count(kernel->params) <= FM_KERNEL_PARAMS_MAX);
        assert_in_range(fm_kernel_field_count(kernel->inputs), 1, FM_KERNEL_INPUTS_MAX);
        assert_in_range(fm_kernel_field_count(kernel->outputs), 1, FM_KERNEL_OUTPUTS_MAX);
        for (int i = 0; kernel->params[i].name != NULL; i++) {
            const fm_field *field = &kernel->params[i];
            check_field(kernel, field);
            assert_true(field->low < field->high);
            assert_true(isnan(field->preset) || (field->preset >= field->low && field->preset <= field->high));
        }
        for (int i = 0; kernel->inputs[i].name != NULL; i++)
            check_field(kernel, &kernel->inputs[i]);
        for (int i = 0; kernel->outputs[i].name != NULL; i++)
            check_field(kernel, &kernel->outputs[i]);
        double params[FM_KERNEL_PARAMS_MAX];
        params_of(kernel, 0, params);
        assert_int_equal(kernel->state_size(params) % 8, 0);
        if (kernel->kind == FM_KERNEL_DETECTOR)
            for (int i = 0; i < 4; i++)
                assert_string_equal(kernel->outputs[i].name, DETECTOR_OUTPUTS[i]);
    }
}

static void a_kernel_is_found_by_kind_and_name_and_no_other(void **unused)
{
    (void)unused;
    each_kernel(kernel)
    {
        assert_ptr_equal(fm_kernel_find(kernel->kind, kernel->name), kernel);
        assert_int_equal(fm_kernel_field_index(kernel->outputs, kernel->outputs[0].name), 0);
    }
    assert_null(fm_kernel_find(FM_KERNEL_FEATURE, "ewma_z"));
    assert_null(fm_kernel_find(FM_KERNEL_FEATURE, "ewm"));
    assert_null(fm_kernel_find(FM_KERNEL_FEATURE, ""));
    const fm_kernel *ewma = fm_kernel_find(FM_KERNEL_FEATURE, "ewma");
    assert_int_equal(fm_kernel_field_index(ewma->outputs, "z"), 1);
    assert_int_equal(fm_kernel_field_index(ewma->outputs, "zz"), -1);
}

static void a_parameter_outside_its_range_is_refused(void **unused)
{
    (void)unused;
    test_state state = {0};
    each_kernel(kernel)
    {
        double params[FM_KERNEL_PARAMS_MAX];
        for (int i = 0; kernel->params[i].name != NULL; i++) {
            const fm_field *field = &kernel->params[i];
            double wrong[] = {field->low - 1.0, field->high * 2.0, NAN, INFINITY, -INFINITY};
            for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
                params_of(kernel, 1, params);
                test_state_make(&state, kernel->state_size(params));
                params[i] = wrong[j];
                if (kernel->init(state.bytes, params) != FM_EINVAL)
                    fail_msg("%s takes %s = %g", kernel->name, field->name, wrong[j]);
            }
            for (int j = 0; j < 2; j++) {
                params_of(kernel, 1, params);
                params[i] = j == 0 ? field->low : field->high;
                test_state_make(&state, kernel->state_size(params));
                if (kernel->init(state.bytes, params) != 0)
                    fail_msg("%s refuses %s = %g", kernel->name, field->name, params[i]);
            }
        }
    }
    test_state_free(&state);
}

static void check_step_one(const fm_kernel *kernel, int output, int short_ones)
{
    test_market market;
    market_init(&market, 8);
    test_state whole = {0}, one = {0};
    start(kernel, short_ones, &whole);
    start(kernel, short_ones, &one);
    for (int i = 0; i < rows_for(&whole, ROWS); i++) {
        test_row row = market_next(&market, kernel);
        if (i % 97 == 5)
            row.in[0] = NAN;
        double out[FM_KERNEL_OUTPUTS_MAX] = {0};
        kernel->step(whole.bytes, row.ts_ns, row.in, out);
        double alone = kernel->step_one[output](one.bytes, row.ts_ns, row.in);
        if (!same_numbers(&out[output], &alone, 1) || !same_state(&whole, &one))
            fail_msg("%s: step_one[%d] differs from step in row %d", kernel->name, output, i);
    }
    test_state_free(&whole);
    test_state_free(&one);
}

static void step_one_is_step_for_who_reads_that_output(void **unused)
{
    (void)unused;
    int functions = 0;
    each_kernel(kernel)
    {
        for (int k = 0; k < FM_KERNEL_OUTPUTS_MAX; k++) {
            if (kernel->step_one[k] == NULL)
                continue;
            functions++;
            assert_true(k < fm_kernel_field_count(kernel->outputs) && kernel->step != NULL);
            check_step_one(kernel, k, 0);
            check_step_one(kernel, k, 1);
        }
    }
    assert_true(functions > 0);
}

static void check_step(const fm_kernel *kernel, int short_ones)
{
    test_market market;
    market_init(&market, 7);
    test_state stepped = {0}, split = {0};
    start(kernel, short_ones, &stepped);
    start(kernel, short_ones, &split);
    for (int i = 0; i < rows_for(&stepped, ROWS); i++) {
        test_row row = market_next(&market, kernel);
        if (i % 97 == 5)
            row.in[0] = NAN;
        double a[FM_KERNEL_OUTPUTS_MAX] = {0}, b[FM_KERNEL_OUTPUTS_MAX] = {0};
        run(kernel, &stepped, &row, a);
        kernel->score(split.bytes, row.ts_ns, row.in, b);
        kernel->update(split.bytes, row.ts_ns, row.in);
        if (!same_numbers(a, b, FM_KERNEL_OUTPUTS_MAX) || !same_state(&stepped, &split))
            fail_msg("%s: step differs from score then update in row %d", kernel->name, i);
    }
    test_state_free(&stepped);
    test_state_free(&split);
}

static void step_is_score_then_update_bit_for_bit(void **unused)
{
    (void)unused;
    each_kernel(kernel)
    {
        for (int short_ones = 0; kernel->step != NULL && short_ones < 2; short_ones++)
            check_step(kernel, short_ones);
    }
}

static void score_has_no_effect_and_missing_input_changes_nothing(void **unused)
{
    (void)unused;
    test_state state = {0}, before = {0};
    each_kernel(kernel)
    {
        test_market market;
        double params[FM_KERNEL_PARAMS_MAX];
        market_init(&market, 8);
        start(kernel, 1, &state);
        params_of(kernel, 1, params);
        for (int i = 0; i < rows_for(&state, ROWS); i++) {
            test_row row = market_next(&market, kernel), missing = row;
            double out[FM_KERNEL_OUTPUTS_MAX];
            test_state_copy(&before, &state);
            row.in[0] *= 1.5;
            kernel->score(state.bytes, row.ts_ns, row.in, out);
            row.in[0] /= 1.5;
            assert_true(same_state(&state, &before));
            for (int j = 0; j < input_count(kernel, params); j++) {
                if (kernel->inputs[j].optional)
                    continue;
                missing = row;
                missing.in[j] = NAN;
                missing.ts_ns += FM_NS_PER_S;
                kernel->update(state.bytes, missing.ts_ns, missing.in);
                run(kernel, &state, &missing, out);
                if (!same_state(&state, &before))
                    fail_msg("%s: NaN in %s changes the state", kernel->name, kernel->inputs[j].name);
            }
            run(kernel, &state, &row, out);
        }
    }
    test_state_free(&state);
    test_state_free(&before);
}

static void outputs_are_never_infinite_whatever_comes_in(void **unused)
{
    (void)unused;
    static const double HOSTILE[] = {0.0,    -0.0,     5e-324, -5e-324,  2.2e-308,  1e-300, 1e-100, 1e-9,   1.0,
                                     1.0,    1.0,      -1.0,   1e9,      9.1e15,    1e99,   1e100,  1e150,  1e308,
                                     -1e308, 1.79e308, -1e100, INFINITY, -INFINITY, NAN,    100.0,  100.01, 99.99};
    static const int64_t TIMES[] = {
        0, 1, -1, 1000000000, -1000000000, INT64_MAX, INT64_MIN, INT64_MAX - 1, 1399032000000000000};
    test_state state = {0};
    each_kernel(kernel)
    {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            fm_random random;
            fm_random_seed(&random, seed);
            start(kernel, (int)(seed % 2), &state);
            int64_t ts_ns = -5 * FM_NS_PER_S;
            for (int i = 0; i < ROWS; i++) {
                test_row row = {0};
                ts_ns += (int64_t)fm_random_below(&random, FM_NS_PER_S);
                row.ts_ns = seed > 2 && fm_random_below(&random, 200) == 0 ? TIMES[fm_random_below(&random, 9)] : ts_ns;
                for (int j = 0; kernel->inputs[j].name != NULL; j++)
                    row.in[j] = HOSTILE[fm_random_below(&random, sizeof(HOSTILE) / sizeof(HOSTILE[0]))];
                double out[FM_KERNEL_OUTPUTS_MAX];
                run(kernel, &state, &row, out);
                for (int j = 0; kernel->outputs[j].name != NULL; j++)
                    if (isinf(out[j]))
                        fail_msg("%s: %s is infinite in row %d (seed %d)", kernel->name, kernel->outputs[j].name, i,
                                 (int)seed);
            }
        }
    }
    test_state_free(&state);
}

static void a_hostile_value_does_not_blind_a_kernel_for_good(void **unused)
{
    (void)unused;
    test_state state = {0};
    each_kernel(kernel)
    {
        test_market market;
        market_init(&market, 9);
        start(kernel, 1, &state);
        double out[FM_KERNEL_OUTPUTS_MAX];
        int answers = 0;
        for (int i = 0; i < 2 * ROWS; i++) {
            test_row row = market_next(&market, kernel);
            if (i == ROWS / 2)
                for (int j = 0; j < FM_KERNEL_INPUTS_MAX; j++)
                    row.in[j] = 1e100;
            run(kernel, &state, &row, out);
            answers += i > ROWS && !isnan(out[0]); /* a silence may leave a short window empty */
        }
        if (answers == 0)
            fail_msg("%s: no answer after one value of 1e100", kernel->name);
    }
    test_state_free(&state);
}

static void a_constant_series_gives_no_alarm_and_no_infinity(void **unused)
{
    (void)unused;
    test_state state = {0};
    each_kernel(kernel)
    {
        test_market market;
        market_init(&market, 10);
        start(kernel, 1, &state);
        test_row row = market_next(&market, kernel);
        for (int i = 0; i < ROWS; i++) {
            double out[FM_KERNEL_OUTPUTS_MAX];
            row.ts_ns += 10 * FM_NS_PER_MS;
            run(kernel, &state, &row, out);
            for (int j = 0; kernel->outputs[j].name != NULL; j++)
                if (isinf(out[j]) || (strcmp(kernel->outputs[j].unit, "sigma") == 0 && fabs(out[j]) > 0.0))
                    fail_msg("%s: %s is %g on a constant series", kernel->name, kernel->outputs[j].name, out[j]);
        }
    }
    test_state_free(&state);
}

static void a_copied_state_goes_on_alike_and_a_prefix_knows_no_future(void **unused)
{
    (void)unused;
    test_state a = {0}, b[2] = {{0}};
    each_kernel(kernel)
    {
        test_market first, second;
        market_init(&first, 11);
        market_init(&second, 11);
        start(kernel, 1, &a);
        start(kernel, 1, &b[0]);
        int at = 0;
        for (int i = 0; i < rows_for(&a, ROWS); i++) {
            test_row row_a = market_next(&first, kernel), row_b = market_next(&second, kernel);
            double out_a[FM_KERNEL_OUTPUTS_MAX], out_b[FM_KERNEL_OUTPUTS_MAX];
            if (i % 50 == 17) { /* to another address, and nothing is left at the old one */
                test_state_make(&b[1 - at], a.size);
                memcpy(b[1 - at].bytes, b[at].bytes, a.size);
                memset(b[at].bytes, 0xff, a.size);
                at = 1 - at;
            }
            run(kernel, &a, &row_a, out_a);
            run(kernel, &b[at], &row_b, out_b);
            if (!same_numbers(out_a, out_b, FM_KERNEL_OUTPUTS_MAX))
                fail_msg("%s: a copied state goes on differently in row %d", kernel->name, i);
        }
        assert_true(same_state(&a, &b[at]));
    }
    test_state_free(&a);
    test_state_free(&b[0]);
    test_state_free(&b[1]);
}

static void a_late_tick_counts_as_seen_now(void **unused)
{
    (void)unused;
    test_state late = {0}, now = {0};
    each_kernel(kernel)
    {
        test_market market;
        market_init(&market, 12);
        start(kernel, 1, &late);
        start(kernel, 1, &now);
        int64_t newest_ns = INT64_MIN;
        for (int i = 0; i < ROWS; i++) {
            test_row row = market_next(&market, kernel);
            double a[FM_KERNEL_OUTPUTS_MAX], b[FM_KERNEL_OUTPUTS_MAX];
            run(kernel, &late, &row, a);
            newest_ns = row.ts_ns > newest_ns ? row.ts_ns : newest_ns;
            row.ts_ns = newest_ns;
            run(kernel, &now, &row, b);
            if (!same_numbers(a, b, FM_KERNEL_OUTPUTS_MAX))
                fail_msg("%s: a late tick moved time, row %d", kernel->name, i);
        }
    }
    test_state_free(&late);
    test_state_free(&now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_descriptor_is_complete),
        cmocka_unit_test(a_kernel_is_found_by_kind_and_name_and_no_other),
        cmocka_unit_test(a_parameter_outside_its_range_is_refused),
        cmocka_unit_test(step_is_score_then_update_bit_for_bit),
        cmocka_unit_test(step_one_is_step_for_who_reads_that_output),
        cmocka_unit_test(score_has_no_effect_and_missing_input_changes_nothing),
        cmocka_unit_test(outputs_are_never_infinite_whatever_comes_in),
        cmocka_unit_test(a_hostile_value_does_not_blind_a_kernel_for_good),
        cmocka_unit_test(a_constant_series_gives_no_alarm_and_no_infinity),
        cmocka_unit_test(a_copied_state_goes_on_alike_and_a_prefix_knows_no_future),
        cmocka_unit_test(a_late_tick_counts_as_seen_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
