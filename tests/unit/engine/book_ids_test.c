/* tests/unit/engine/book_ids_test.c - orders whose ids a client has chosen to stand in one place of the table. */
#include "book_events.h"

#include <time.h>

enum { ORDERS = 20000 };

/* x such that x * odd = 1. */
static uint64_t inverse_of(uint64_t odd)
{
    uint64_t inverse = odd;
    for (int i = 0; i < 6; i++)
        inverse *= 2 - odd * inverse;
    return inverse;
}

static uint64_t unshifted(uint64_t mixed, int by)
{
    uint64_t value = mixed;
    for (int done = by; done < 64; done += by)
        value = mixed ^ value >> by;
    return value;
}

/* The n-th id that book_orders.c mixes, with the seed 0, to the upper half 1. */
static uint64_t chosen(uint32_t n)
{
    uint64_t mixed = (UINT64_C(1) << 32 | n) * inverse_of(UINT64_C(0xbf58476d1ce4e5b9));
    mixed = unshifted(mixed, 29) * inverse_of(UINT64_C(0x9e3779b97f4a7c15));
    return unshifted(mixed, 32);
}

static fm_order_book *fill(uint64_t id_seed, clock_t *took)
{
    fm_order_book *book = book_of(100, ORDERS);
    book->limits.id_seed = id_seed;
    clock_t begin = clock();
    for (uint32_t n = 0; n < ORDERS; n++)
        apply(book, ADD(chosen(n), FM_BUY + (int)n % 2, 1000 + n % 7 + 10 * (n % 2), 1 + n % 5));
    for (uint32_t n = 0; n < ORDERS; n += 3)
        apply(book, CANCEL(chosen(n), FM_ABSENT));
    *took = clock() - begin;
    return book;
}

static void ids_collide_for_those_only_who_know_the_seed(void **unused)
{
    (void)unused;
    clock_t known, secret;
    fm_order_book *one = fill(0, &known), *other = fill(UINT64_C(0x6a09e667f3bcc908), &secret);
    size_t size = fm_book_save_size(one);
    char *bytes = malloc(size), *same = malloc(size);
    assert_int_equal(fm_book_save_size(other), size);
    fm_book_save(one, bytes);
    fm_book_save(other, same);
    assert_memory_equal(bytes, same, size); /* the seed is nobody's business */
    assert_int_equal(one->order_count, ORDERS - (ORDERS + 2) / 3);
    assert_true(5 * secret < known);
    free(bytes);
    free(same);
    book_free(one);
    book_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_collide_for_those_only_who_know_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
