/* tests/unit/engine/duplicates_test.c - rows and sequences against models that remember everything. */
#include "fold_bed.h"

static uint64_t seed_of_run(void)
{
    const char *text = getenv("FMADS_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 42;
}

/* A row is new, seen, or lies a whole window of pages behind the largest: exactly as a list of all rows says. */
static void rows_are_judged_as_by_a_list_of_all_of_them(void **unused)
{
    (void)unused;
    enum { PAGES = 3, SPAN = 1000 * FM_ROW_PAGE_BITS };
    uint8_t *all = calloc(SPAN, 1);
    fm_source_entry source = {0};
    fm_random random;
    fm_random_seed(&random, seed_of_run());
    uint64_t high = 0, seen[3] = {0};
    bool any = false;
    for (int i = 0; i < 200000; i++) {
        uint64_t back = fm_random_below(&random, 10) == 0 ? 4 * FM_ROW_PAGE_BITS : 900; /* mostly near the largest, sometimes far behind */
        uint64_t ahead = fm_random_below(&random, 200) == 0 ? 2 * FM_ROW_PAGE_BITS : 30;
        uint64_t row = fm_random_below(&random, 3) > 0 && high > back ? high - fm_random_below(&random, back) : high + fm_random_below(&random, ahead);
        if (fm_random_below(&random, 40) == 0) /* the borders of pages */
            row = row / FM_ROW_PAGE_BITS * FM_ROW_PAGE_BITS + fm_random_below(&random, 2) * (FM_ROW_PAGE_BITS - 1);
        if (row >= SPAN)
            break;
        fm_seen expected = !any || row > high                                              ? FM_SEEN_NEW
                           : high / FM_ROW_PAGE_BITS - row / FM_ROW_PAGE_BITS >= PAGES ? FM_SEEN_TOO_OLD
                           : all[row]                                                  ? FM_SEEN_BEFORE
                                                                                       : FM_SEEN_NEW;
        fm_seen got = fm_rows_look(&source, row);
        assert_int_equal(got, expected);
        seen[got]++;
        if (got != FM_SEEN_NEW)
            continue;
        fm_rows_note(&source, PAGES * FM_ROW_PAGE_BITS, row);
        all[row] = 1;
        high = row > high ? row : high;
        any = true;
    }
    assert_true(seen[FM_SEEN_NEW] > 1000 && seen[FM_SEEN_BEFORE] > 1000 && seen[FM_SEEN_TOO_OLD] > 10);
    fm_rows_forget(&source);
    free(all);
}

static void the_largest_and_the_smallest_row_are_rows_like_others(void **unused)
{
    (void)unused;
    fm_source_entry source = {0};
    fm_rows_note(&source, FM_ROW_PAGE_BITS, 0);
    assert_int_equal(fm_rows_look(&source, 0), FM_SEEN_BEFORE);
    assert_int_equal(fm_rows_look(&source, 1), FM_SEEN_NEW);
    fm_rows_note(&source, FM_ROW_PAGE_BITS, UINT64_MAX - 1);
    assert_int_equal(fm_rows_look(&source, UINT64_MAX - 1), FM_SEEN_BEFORE);
    assert_int_equal(fm_rows_look(&source, 0), FM_SEEN_TOO_OLD);
    fm_rows_forget(&source);
    assert_int_equal(fm_rows_look(&source, 0), FM_SEEN_NEW);
}

/* A log written with a larger window, folded with a smaller one: an old row that was taken then must not clear a newer page now. */
static void a_row_from_before_the_window_leaves_newer_rows_known(void **unused)
{
    (void)unused;
    fm_source_entry source = {0};
    uint64_t high = 5 * FM_ROW_PAGE_BITS + 7;
    fm_rows_note(&source, 2 * FM_ROW_PAGE_BITS, high);
    fm_rows_note(&source, 2 * FM_ROW_PAGE_BITS, 3 * FM_ROW_PAGE_BITS + 1); /* the same place in the ring of pages */
    assert_int_equal(fm_rows_look(&source, high), FM_SEEN_BEFORE);
    fm_rows_forget(&source);
}

/* The newest 64 different keys are known, whatever came before and in whatever order; the table never loses one or keeps one. */
static void sequences_are_the_newest_keys_and_no_others(void **unused)
{
    (void)unused;
    enum { WINDOW = 64, ROUNDS = 20000 };
    fm_sequence_set set = {0};
    fm_random random;
    fm_random_seed(&random, seed_of_run());
    static uint64_t in_order[ROUNDS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        /* many share a home in the table (bits 20 and up), some wrap around its end */
        uint64_t key = 1 + fm_random_below(&random, 200) + ((fm_random_below(&random, 3) == 0 ? 127 : fm_random_below(&random, 5)) << 20);
        bool known = false;
        for (uint32_t j = count > WINDOW ? count - WINDOW : 0; j < count; j++)
            known |= in_order[j] == key;
        assert_int_equal(fm_sequences_has(&set, key), known);
        fm_sequences_note(&set, WINDOW, key);
        assert_true(fm_sequences_has(&set, key));
        if (!known)
            in_order[count++] = key;
    }
    assert_int_equal(set.count, WINDOW);
    fm_sequences_fini(&set);
}

static void a_key_tells_everything_apart_that_may_differ(void **unused)
{
    (void)unused;
    fm_stream_entry one = {.hash = 1}, two = {.hash = 2};
    int64_t day = 86400 * FM_NS_PER_S, noon = BED_T0 / day * day + day / 2;
    uint64_t key = fm_sequence_key(0, &one, 0, noon, 5, 0);
    assert_int_equal(key, fm_sequence_key(0, &one, 0, noon + 1, 5, 0)); /* the time within the day does not matter */
    assert_int_not_equal(key, fm_sequence_key(0, &one, 0, noon + day, 5, 0));
    assert_int_not_equal(key, fm_sequence_key(1, &one, 0, noon, 5, 0));
    assert_int_not_equal(key, fm_sequence_key(0, &two, 0, noon, 5, 0));
    assert_int_not_equal(key, fm_sequence_key(0, &one, 9, noon, 5, 0));
    assert_int_not_equal(key, fm_sequence_key(0, &one, 0, noon, 6, 0));
    assert_int_not_equal(key, fm_sequence_key(0, &one, 0, noon, 5, 1));
    assert_int_equal(fm_sequence_key(0, &one, 9, noon, 5, 0), fm_sequence_key(0, &one, 9, noon + day, 5, 0)); /* a session may last */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_judged_as_by_a_list_of_all_of_them),
        cmocka_unit_test(the_largest_and_the_smallest_row_are_rows_like_others),
        cmocka_unit_test(a_row_from_before_the_window_leaves_newer_rows_known),
        cmocka_unit_test(sequences_are_the_newest_keys_and_no_others),
        cmocka_unit_test(a_key_tells_everything_apart_that_may_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
