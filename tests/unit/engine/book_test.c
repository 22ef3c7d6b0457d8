/* tests/unit/engine/book_test.c - what each kind of record means for an order book, in small literal cases. */
#include "book_events.h"

enum { B = FM_BUY, S = FM_SELL };

static void assert_level(const fm_order_book *book, int side, uint32_t depth, int64_t price, int64_t size,
                         uint32_t orders)
{
    const fm_book_level *level = fm_book_level_at(book, (fm_side)side, depth);
    assert_non_null(level);
    assert_int_equal(level->price, price);
    assert_int_equal(level->size, size);
    assert_int_equal(level->orders, orders);
}

static void assert_place(const fm_order_book *book, uint64_t id, uint32_t orders_ahead, int64_t size_ahead)
{
    fm_book_place place;
    assert_true(fm_book_find(book, id, &place));
    assert_int_equal(place.orders_ahead, orders_ahead);
    assert_int_equal(place.size_ahead, size_ahead);
}

static void levels_are_sorted_from_the_touch_outwards(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(100, 100);
    const int64_t price[] = {100, 98, 101, -5, 99, 0, 97};
    for (int i = 0; i < 7; i++) {
        apply(book, ADD((uint64_t)i, B, price[i], 10 + i));
        apply(book, ADD((uint64_t)(100 + i), S, 300 - price[i], 20 + i));
    }
    const int64_t sorted[] = {101, 100, 99, 98, 97, 0, -5};
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(fm_book_level_at(book, FM_BUY, i)->price, sorted[i]);
        assert_int_equal(fm_book_level_at(book, FM_SELL, i)->price, 300 - sorted[i]);
    }
    assert_null(fm_book_level_at(book, FM_BUY, 7));
    assert_int_equal(fm_book_depth(book, FM_BUY, 2), 12 + 10);
    assert_int_equal(fm_book_depth(book, FM_SELL, 0), 0);
    assert_int_equal(fm_book_depth(book, FM_SELL, 99), 7 * 20 + 21);
    assert_near(fm_book_imbalance(book, 1), (12.0 - 22.0) / (12.0 + 22.0), 1e-15);
    book_free(book);
}

static void an_empty_book_has_no_touch_and_no_imbalance(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(1, 1);
    assert_int_equal(book->touch[0].price, FM_ABSENT);
    assert_true(isnan(fm_book_imbalance(book, 10)));
    assert_null(fm_book_level_at(book, FM_SELL, 0));
    assert_int_equal(fm_book_bytes(book), 0);
    apply(book, ADD(7, B, 100, 5));
    assert_near(fm_book_imbalance(book, 10), 1.0, 0.0);
    book_free(book);
}

static void orders_queue_by_time_and_keep_their_place_when_they_shrink(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    apply(book, ADD(1, B, 100, 5));
    apply(book, ADD(2, B, 100, 7));
    apply(book, ADD(3, B, 100, 11));
    assert_place(book, 3, 2, 12);
    apply(book, MODIFY(1, B, 100, 2)); /* smaller: stays first */
    assert_false(book->change.lost_place);
    assert_place(book, 2, 1, 2);
    apply(book, MODIFY(1, B, 100, 3)); /* larger: goes to the end */
    assert_true(book->change.lost_place);
    assert_place(book, 1, 2, 18);
    apply(book, MODIFY(2, B, 99, 7)); /* another price: the end there */
    apply(book, MODIFY(2, B, 100, 7));
    assert_place(book, 2, 2, 14);
    assert_level(book, B, 0, 100, 21, 3);
    assert_null(fm_book_level_at(book, FM_BUY, 1));
    apply(book, MODIFY(3, FM_SIDE_NONE, FM_ABSENT, 1)); /* what is not given stays */
    assert_level(book, B, 0, 100, 11, 3);
    assert_place(book, 1, 1, 1);
    book_free(book);
}

static void what_leaves_is_told_with_its_age_and_size(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    assert_int_equal(apply(book, ADD(1, B, 100, 9)), FM_BOOK_ENDED | FM_BOOK_TOUCHED | FM_BOOK_ACTED);
    assert_int_equal(book->change.action, FM_ORDER_ADD);
    assert_true(book->change.at_touch);
    assert_near(fm_book_age_s(&book->change), 0.0, 0.0);
    assert_int_equal(apply(book, at(T0 + 1500 * FM_NS_PER_MS, CANCEL(1, 4))),
                     FM_BOOK_ENDED | FM_BOOK_TOUCHED | FM_BOOK_ACTED);
    assert_int_equal(book->change.action, FM_ORDER_CANCEL);
    assert_int_equal(book->change.size, 4);
    assert_int_equal(book->change.rest, 5);
    assert_near(fm_book_age_s(&book->change), 1.5, 0.0);
    apply(book, at(T0 - 1, EXECUTE(1, 1))); /* a clock that runs backwards makes nobody younger than new */
    assert_int_equal(book->change.action, FM_ORDER_EXECUTE);
    assert_int_equal(book->change.executed, 1);
    assert_near(fm_book_age_s(&book->change), 0.0, 0.0);
    apply(book, CANCEL(1, FM_ABSENT));
    assert_int_equal(book->change.size, 4);
    assert_int_equal(book->change.rest, 0);
    assert_null(fm_book_level_at(book, FM_BUY, 0));
    const fm_book_churn *churn = &book->side[0].churn;
    assert_true(churn->adds == 1 && churn->cancels == 2 && churn->executes == 1 && churn->modifies == 0);
    book_free(book);
}

static void what_leaves_after_a_notice_of_its_fill_is_executed(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    for (uint64_t id = 1; id <= 4; id++)
        apply(book, ADD(id, S, 100, 10));
    assert_int_equal(apply(book, flagged(FM_FLAG_MORE, FILL(1, 10))), 0);
    apply(book, flagged(FM_FLAG_MORE, FILL(2, 1)));
    apply(book, flagged(FM_FLAG_MORE, FILL(2, 2)));
    apply(book, flagged(FM_FLAG_MORE, FILL(3, 4)));
    assert_level(book, S, 0, 100, 40, 4);
    assert_int_equal(apply(book, flagged(FM_FLAG_MORE, CANCEL(1, 10))), FM_BOOK_ACTED);
    assert_int_equal(book->change.action, FM_ORDER_EXECUTE);
    assert_int_equal(book->change.executed, 10);
    apply(book, flagged(FM_FLAG_MORE, MODIFY(2, S, 100, 7)));
    assert_int_equal(book->change.action, FM_ORDER_EXECUTE);
    assert_int_equal(book->change.size, 3);
    assert_int_equal(book->change.rest, 7);
    apply(book, flagged(FM_FLAG_MORE, CANCEL(3, 6)));
    assert_int_equal(book->change.size, 6); /* two of it were no fill */
    assert_int_equal(book->change.executed, 4);
    apply(book, CANCEL(3, 1)); /* the notice is used up */
    assert_int_equal(book->change.action, FM_ORDER_CANCEL);
    apply(book, FILL(4, 10)); /* the notice ends its event: what comes later is another matter */
    apply(book, CANCEL(4, 10));
    assert_int_equal(book->change.action, FM_ORDER_CANCEL);
    assert_int_equal(book->side[1].churn.executes, 3);
    assert_int_equal(book->side[1].churn.cancels, 2);
    apply(book, FILL(99, 1)); /* of an order that never rested: no fault */
    assert_int_equal(book->counts.passing, 1);
    assert_int_equal(book->degraded, 0);
    book_free(book);
}

static void what_cannot_be_is_counted_and_changes_nothing(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    apply(book, ADD(0, B, 100, 5));
    apply(book, ADD(UINT64_MAX, S, 101, 5));
    const int64_t big = FM_MAGNITUDE_MAX + 1;
    const fm_event bad[] = {ADD(1, B, FM_ABSENT, 5),
                            ADD(1, B, big, 5),
                            ADD(1, B, -big, 5),
                            ADD(1, B, 1, 0),
                            ADD(1, B, 1, -1),
                            ADD(1, B, 1, FM_ABSENT),
                            ADD(1, B, 1, big),
                            ADD(1, 0, 1, 1),
                            ADD(1, 7, 1, 1),
                            CANCEL(0, 0),
                            CANCEL(0, -1),
                            EXECUTE(0, FM_ABSENT),
                            MODIFY(0, 9, 1, 1),
                            MODIFY(0, B, big, 1),
                            MODIFY(0, B, 1, -1),
                            MODIFY(0, B, 1, big),
                            FILL(0, 0),
                            FILL(0, FM_ABSENT),
                            order_event((fm_order_action)0, 0, B, 1, 1),
                            order_event((fm_order_action)77, 0, B, 1, 1)};
    const uint32_t count = sizeof(bad) / sizeof(*bad);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(apply(book, bad[i]), FM_BOOK_ENDED);
        assert_int_equal(book->counts.malformed, i + 1);
    }
    assert_level(book, B, 0, 100, 5, 1);
    assert_level(book, S, 0, 101, 5, 1);
    assert_int_equal(book->order_count, 2);
    assert_int_equal(book->degraded, 0);
    book_free(book);
}

static void unknown_orders_are_counted_and_degrade_the_book_until_a_clear(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    assert_int_equal(apply(book, CANCEL(5, 1)), FM_BOOK_ENDED);
    apply(book, EXECUTE(5, 1));
    assert_int_equal(book->counts.unknown, 2);
    assert_int_equal(book->degraded, FM_BOOK_UNKNOWN);
    assert_int_equal(apply(book, MODIFY(6, B, 100, 3)), FM_BOOK_ENDED | FM_BOOK_TOUCHED); /* tells enough to be taken */
    assert_level(book, B, 0, 100, 3, 1);
    apply(book, CANCEL(6, 1));
    assert_true(isnan(fm_book_age_s(&book->change)));
    apply(book, MODIFY(7, FM_SIDE_NONE, 100, 3));
    assert_int_equal(book->counts.unknown, 4);
    assert_int_equal(book->order_count, 1);
    apply(book, CLEAR());
    assert_int_equal(book->degraded, 0);
    assert_int_equal(book->order_count, 0);
    assert_int_equal(book->touch[0].price, FM_ABSENT);
    assert_int_equal(book->counts.unknown, 4);
    book_free(book);
}

static void a_second_add_replaces_the_first(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    apply(book, ADD(1, B, 100, 5));
    apply(book, ADD(1, S, 105, 6));
    assert_int_equal(book->counts.duplicate, 1);
    assert_null(fm_book_level_at(book, FM_BUY, 0));
    assert_level(book, S, 0, 105, 6, 1);
    assert_int_equal(book->order_count, 1);
    book_free(book);
}

static void a_snapshot_counts_as_no_churn_and_its_orders_have_no_age(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    const uint16_t part = FM_FLAG_SNAPSHOT | FM_FLAG_MORE;
    apply(book, ADD(9, B, 90, 1));
    apply(book, flagged(part, CLEAR()));
    assert_int_equal(apply(book, numbered(20, flagged(part, ADD(1, B, 100, 5)))), 0);
    apply(book, numbered(19, flagged(FM_FLAG_SNAPSHOT, ADD(2, S, 101, 5))));
    assert_int_equal(book->counts.backwards, 0); /* the rows of a snapshot stand in any order */
    assert_int_equal(book->side[0].churn.adds, 0);
    assert_int_equal(book->touch[0].price, 100);
    apply(book, at(T0 + 5, CANCEL(1, 1)));
    assert_int_equal(book->change.action, FM_ORDER_CANCEL);
    assert_true(isnan(fm_book_age_s(&book->change)));
    fm_book_place place;
    assert_true(fm_book_find(book, 1, &place) && place.from_snapshot && place.added_ns == T0);
    book_free(book);
}

static void a_book_is_read_at_the_end_of_the_venues_event(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    apply(book, ADD(1, B, 100, 5));
    apply(book, ADD(2, S, 101, 5));
    assert_int_equal(apply(book, flagged(FM_FLAG_MORE, ADD(3, B, 102, 1))), FM_BOOK_ACTED); /* crosses for a moment */
    assert_int_equal(book->crossing, FM_BOOK_APART);
    assert_int_equal(apply(book, CANCEL(2, 5)), FM_BOOK_ENDED | FM_BOOK_TOUCHED | FM_BOOK_ACTED);
    assert_int_equal(book->counts.crossed, 0);
    assert_int_equal(apply(book, ADD(4, B, 99, 1)), FM_BOOK_ENDED | FM_BOOK_ACTED); /* away from the touch */
    apply(book, ADD(5, S, 102, 1));
    assert_int_equal(book->crossing, FM_BOOK_LOCKED);
    apply(book, MODIFY(5, S, 99, 1));
    assert_int_equal(book->crossing, FM_BOOK_CROSSED);
    apply(book, CANCEL(5, 1));
    assert_int_equal(book->crossing, FM_BOOK_APART);
    assert_true(book->counts.locked == 1 && book->counts.crossed == 1);
    assert_int_equal(book->counts.events, 7);
    book_free(book);
}

static void a_full_book_keeps_what_is_near_the_touch_and_says_so(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(3, 4);
    apply(book, ADD(1, B, 100, 1));
    apply(book, ADD(2, B, 101, 1));
    apply(book, ADD(3, B, 102, 1));
    apply(book, ADD(4, B, 99, 1)); /* the worst of four levels */
    assert_int_equal(book->counts.left_out, 1);
    assert_int_equal(book->degraded, FM_BOOK_FULL);
    apply(book, ADD(5, B, 103, 1)); /* drives out 100 */
    assert_level(book, B, 2, 101, 1, 1);
    apply(book, ADD(6, B, 101, 1));
    apply(book, ADD(7, B, 101, 1)); /* a fifth order, no better than the worst */
    assert_int_equal(book->order_count, 4);
    apply(book, ADD(8, B, 103, 1)); /* drives out the last in the queue of the worst level: order 6 */
    assert_level(book, B, 0, 103, 2, 2);
    assert_level(book, B, 2, 101, 1, 1);
    fm_book_place place;
    assert_false(fm_book_find(book, 6, &place));
    apply(book, ADD(9, S, 110, 1)); /* the other side is empty: it gets room all the same */
    assert_level(book, S, 0, 110, 1, 1);
    assert_int_equal(book->counts.left_out, 5);
    assert_int_equal(book->degraded, FM_BOOK_FULL);
    apply(book, CLEAR());
    assert_int_equal(book->degraded, 0);
    book_free(book);
}

static void a_book_of_levels_holds_what_was_set_last(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(3, 1);
    assert_int_equal(apply(book, level_event(FM_BOOK_SET, B, 100, 7, 3)), FM_BOOK_ENDED | FM_BOOK_TOUCHED);
    assert_level(book, B, 0, 100, 7, 3);
    apply(book, SET(B, 100, 4));
    apply(book, SET(B, 99, 2));
    apply(book, SET(S, 101, 5));
    assert_level(book, B, 0, 100, 4, 0);
    assert_int_equal(book->side[0].size, 6);
    apply(book, SET(B, 100, 0)); /* size 0 takes it away, as a delete does */
    apply(book, DELETE(S, 101));
    apply(book, DELETE(S, 55)); /* not there: venues do that */
    assert_level(book, B, 0, 99, 2, 0);
    assert_null(fm_book_level_at(book, FM_SELL, 0));
    assert_int_equal(book->counts.malformed, 0);
    assert_true(book->side[0].churn.adds == 2 && book->side[0].churn.modifies == 1 && book->side[0].churn.cancels == 1);
    apply(book, SET(B, 101, -1));
    apply(book, SET(B, FM_ABSENT, 1));
    apply(book, SET(0, 101, 1));
    apply(book, level_event((fm_book_action)9, B, 100, 1, 0));
    assert_int_equal(book->counts.malformed, 4);
    for (int i = 0; i < 5; i++)
        apply(book, SET(B, 200 + i, 1));
    assert_int_equal(fm_book_level_at(book, FM_BUY, 2)->price, 202);
    assert_int_equal(book->degraded, FM_BOOK_FULL);
    apply(book, SET(S, 300, 1));
    apply(book, level_event(FM_BOOK_CLEAR, B, FM_ABSENT, FM_ABSENT, 0)); /* one side */
    assert_null(fm_book_level_at(book, FM_BUY, 0));
    assert_level(book, S, 0, 300, 1, 0);
    apply(book, level_event(FM_BOOK_CLEAR, 0, FM_ABSENT, FM_ABSENT, 0));
    assert_null(fm_book_level_at(book, FM_SELL, 0));
    assert_int_equal(book->degraded, 0);
    book_free(book);
}

static void the_other_form_changes_nothing_until_its_clear(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    apply(book, ADD(1, B, 100, 5));
    apply(book, SET(B, 100, 77));
    assert_level(book, B, 0, 100, 5, 1);
    assert_int_equal(book->counts.other_form, 1);
    apply(book, level_event(FM_BOOK_CLEAR, B, FM_ABSENT, FM_ABSENT, 0));
    assert_int_equal(book->order_count, 1);
    apply(book, level_event(FM_BOOK_CLEAR, 0, FM_ABSENT, FM_ABSENT, 0));
    apply(book, SET(B, 100, 77));
    apply(book, ADD(1, B, 100, 5));
    assert_level(book, B, 0, 100, 77, 0);
    assert_int_equal(book->counts.other_form, 3);
    book_free(book);
}

static void sequences_that_jump_or_run_backwards_are_told(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    apply(book, numbered(10, SET(B, 100, 1)));
    apply(book, numbered(10, SET(B, 100, 2)));
    apply(book, numbered(500, SET(B, 100, 3))); /* a channel counts other instruments too */
    assert_int_equal(book->counts.gaps, 0);
    apply(book, numbered(499, SET(B, 100, 4)));
    assert_int_equal(book->counts.backwards, 1);
    assert_int_equal(book->degraded, 0);
    book->limits.contiguous = true;
    apply(book, numbered(501, SET(B, 100, 5)));
    assert_int_equal(book->counts.gaps, 1);
    assert_int_equal(book->degraded, FM_BOOK_GAP);
    apply(book, numbered(900, flagged(FM_FLAG_SNAPSHOT, level_event(FM_BOOK_CLEAR, 0, FM_ABSENT, FM_ABSENT, 0))));
    apply(book, numbered(901, SET(B, 100, 5)));
    assert_int_equal(book->degraded, 0);
    apply(book, SET(B, 100, 6)); /* none given: nothing to say */
    assert_int_equal(book->counts.gaps, 1);
    book_free(book);
}

static void sizes_that_would_overflow_a_sum_are_refused(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(1000, 1000);
    for (uint64_t id = 0; id < 600; id++)
        apply(book, ADD(id, B, (int64_t)id % 2, FM_MAGNITUDE_MAX));
    assert_int_equal(book->order_count, 512);
    assert_int_equal(book->counts.malformed, 88);
    assert_int_equal(book->side[0].size, INT64_C(1) << 62);
    apply(book, CANCEL(0, 1));
    apply(book, MODIFY(0, B, FM_ABSENT, FM_MAGNITUDE_MAX));
    apply(book, ADD(999, B, 5, 1));
    assert_int_equal(book->counts.malformed, 89);
    assert_near(fm_book_imbalance(book, 1000), 1.0, 0.0);
    book_free(book);
}

static void growing_scales_move_prices_sizes_and_drop_what_does_not_fit(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10);
    apply(book, ADD(1, B, 100, 5));
    apply(book, ADD(2, B, 100, FM_MAGNITUDE_MAX / 10));
    apply(book, ADD(3, B, -FM_MAGNITUDE_MAX, 5));
    apply(book, ADD(4, S, 101, 5));
    fm_book_rescale(book, 0, 0);
    assert_int_equal(book->degraded, 0);
    fm_book_rescale(book, 2, 1);
    assert_level(book, B, 0, 10000, 50 + FM_MAGNITUDE_MAX / 10 * 10, 2);
    assert_level(book, S, 0, 10100, 50, 1);
    assert_null(fm_book_level_at(book, FM_BUY, 1));
    assert_int_equal(book->counts.left_out, 1);
    assert_int_equal(book->degraded, FM_BOOK_LOST);
    assert_int_equal(apply(book, SET(B, 1, 1)), FM_BOOK_ENDED); /* the touch moved with the units */
    fm_book_rescale(book, 0, 1);
    assert_level(book, B, 0, 10000, 500, 1);
    fm_book_rescale(book, 18, 18);
    assert_int_equal(book->order_count, 0);
    assert_true(book->side[0].size == 0 && book->side[1].size == 0);
    book_free(book);
}

static void bytes_that_contradict_themselves_are_refused(void **unused)
{
    (void)unused;
    fm_order_book *book = book_of(10, 10), *other = book_of(10, 10);
    apply(book, ADD(1, B, 100, 5));
    apply(book, ADD(2, B, 100, 5));
    apply(book, ADD(3, S, 101, 5));
    apply(book, flagged(FM_FLAG_MORE, FILL(2, 5)));
    size_t size;
    char *bytes = saved(book, &size), *copy = malloc(size + 1);
    assert_non_null(copy);
    assert_int_equal(fm_book_load(other, bytes, size), 0);
    assert_same_book(book, other);
    apply(other, CANCEL(2, 5));
    assert_int_equal(other->change.action, FM_ORDER_EXECUTE); /* a notice outlives the snapshot */
    uint32_t refused = 0, taken = 0;
    for (size_t cut = 0; cut < size; cut++) {
        book_free(other);
        other = book_of(10, 10);
        assert_int_equal(fm_book_load(other, bytes, cut), FM_ECORRUPT);
        assert_int_equal(other->order_count + other->side[0].level_count + other->side[1].level_count, 0);
    }
    for (size_t i = 0; i < size; i++) {
        memcpy(copy, bytes, size);
        copy[i] ^= 0x55;
        book_free(other);
        other = book_of(10, 10);
        int result = fm_book_load(other, copy, size);
        assert_true(result == 0 || result == FM_ECORRUPT);
        refused += result != 0;
        taken += result == 0; /* a count, a time: wrong, and no danger */
        if (result == 0) {
            char *again = saved(other, &size);
            assert_memory_equal(again, copy, size);
            free(again);
            apply(other, CANCEL(1, 1));
        }
    }
    assert_true(refused > 60 && taken > 60);
    memcpy(copy, bytes, size);
    copy[size] = 0;
    book_free(other);
    other = book_of(10, 10);
    assert_int_equal(fm_book_load(other, copy, size + 1), FM_ECORRUPT);
    free(copy);
    free(bytes);
    book_free(other);
    book_free(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_sorted_from_the_touch_outwards),
        cmocka_unit_test(an_empty_book_has_no_touch_and_no_imbalance),
        cmocka_unit_test(orders_queue_by_time_and_keep_their_place_when_they_shrink),
        cmocka_unit_test(what_leaves_is_told_with_its_age_and_size),
        cmocka_unit_test(what_leaves_after_a_notice_of_its_fill_is_executed),
        cmocka_unit_test(what_cannot_be_is_counted_and_changes_nothing),
        cmocka_unit_test(unknown_orders_are_counted_and_degrade_the_book_until_a_clear),
        cmocka_unit_test(a_second_add_replaces_the_first),
        cmocka_unit_test(a_snapshot_counts_as_no_churn_and_its_orders_have_no_age),
        cmocka_unit_test(a_book_is_read_at_the_end_of_the_venues_event),
        cmocka_unit_test(a_full_book_keeps_what_is_near_the_touch_and_says_so),
        cmocka_unit_test(a_book_of_levels_holds_what_was_set_last),
        cmocka_unit_test(the_other_form_changes_nothing_until_its_clear),
        cmocka_unit_test(sequences_that_jump_or_run_backwards_are_told),
        cmocka_unit_test(sizes_that_would_overflow_a_sum_are_refused),
        cmocka_unit_test(growing_scales_move_prices_sizes_and_drop_what_does_not_fit),
        cmocka_unit_test(bytes_that_contradict_themselves_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
