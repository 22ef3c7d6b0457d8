/* tests/unit/base/ring_test.c - the ring alone, and between two real threads. */
#include "assert_near.h"

#include "base/random.h"
#include "base/ring.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static fm_ring *ring_of(size_t size)
{
    fm_ring *ring = NULL;
    assert_int_equal(fm_ring_create(size, &ring), 0);
    return ring;
}

static void size_is_rounded_up_to_a_power_of_two_of_a_page_or_more(void **unused)
{
    (void)unused;
    static const size_t asked[] = {0, 1, 4096, 4097, 10000, 65536}, given[] = {4096, 4096, 4096, 8192, 16384, 65536};
    for (int i = 0; i < 6; i++) {
        fm_ring *ring = ring_of(asked[i]);
        assert_int_equal(fm_ring_size(ring), given[i]);
        fm_ring_destroy(ring);
    }
    fm_ring *none = NULL;
    assert_int_equal(fm_ring_create(SIZE_MAX, &none), FM_EINVAL);
    assert_int_equal(fm_ring_create((size_t)1 << 60, &none), FM_ENOMEM);
    assert_null(none);
    fm_ring_destroy(NULL);
}

static void nothing_is_seen_before_it_is_published(void **unused)
{
    (void)unused;
    fm_ring *ring = ring_of(4096);
    size_t size;
    strcpy(fm_ring_reserve(ring, 6), "first");
    strcpy(fm_ring_reserve(ring, 7), "second");
    assert_null(fm_ring_peek(ring, &size));
    assert_true(fm_ring_empty(ring));
    fm_ring_publish(ring);
    assert_false(fm_ring_empty(ring));
    assert_int_equal(fm_ring_used(ring), 32); /* two headers, 6 and 7 bytes rounded to 8 */
    assert_string_equal(fm_ring_peek(ring, &size), "first");
    assert_int_equal(size, 6);
    assert_string_equal(fm_ring_peek(ring, &size), "second");
    assert_int_equal(size, 7);
    assert_null(fm_ring_peek(ring, &size));
    assert_int_equal(fm_ring_used(ring), 32); /* peeked is not released */
    fm_ring_release(ring);
    assert_true(fm_ring_empty(ring));
    fm_ring_destroy(ring);
}

static void aborted_messages_leave_no_trace(void **unused)
{
    (void)unused;
    fm_ring *ring = ring_of(4096);
    size_t size;
    strcpy(fm_ring_reserve(ring, 8), "kept");
    fm_ring_publish(ring);
    assert_non_null(fm_ring_reserve(ring, 1000));
    assert_non_null(fm_ring_reserve(ring, 2000));
    fm_ring_abort(ring);
    assert_non_null(fm_ring_reserve(ring, 4096 - 16 - 8)); /* all the room is there again */
    assert_null(fm_ring_reserve(ring, 0));
    fm_ring_abort(ring);
    strcpy(fm_ring_reserve(ring, 8), "next");
    fm_ring_publish(ring);
    assert_string_equal(fm_ring_peek(ring, &size), "kept");
    assert_string_equal(fm_ring_peek(ring, &size), "next");
    assert_null(fm_ring_peek(ring, &size));
    fm_ring_destroy(ring);
}

static void a_full_ring_refuses_until_the_consumer_releases(void **unused)
{
    (void)unused;
    fm_ring *ring = ring_of(4096);
    size_t size;
    int written = 0;
    while (fm_ring_reserve(ring, 56) != NULL)
        written++;
    assert_int_equal(written, 64);
    fm_ring_publish(ring);
    assert_null(fm_ring_reserve(ring, 0));
    assert_non_null(fm_ring_peek(ring, &size));
    assert_null(fm_ring_reserve(ring, 0)); /* peeked is still in use */
    fm_ring_release(ring);
    assert_non_null(fm_ring_reserve(ring, 56));
    assert_null(fm_ring_reserve(ring, 0));
    fm_ring_destroy(ring);
}

static void messages_as_large_as_the_ring_pass_and_larger_ones_never(void **unused)
{
    (void)unused;
    fm_ring *ring = ring_of(4096);
    size_t size;
    assert_null(fm_ring_reserve(ring, 4096 - 7));
    assert_null(fm_ring_reserve(ring, SIZE_MAX));
    assert_null(fm_ring_reserve(ring, SIZE_MAX - 8));
    for (int i = 0; i < 5; i++) {
        char *message = fm_ring_reserve(ring, 4096 - 8);
        assert_non_null(message);
        memset(message, 'a' + i, 4096 - 8);
        fm_ring_publish(ring);
        assert_null(fm_ring_reserve(ring, 0));
        char *got = fm_ring_peek(ring, &size);
        assert_int_equal(size, 4096 - 8);
        assert_true(got[0] == 'a' + i && got[4087] == 'a' + i);
        fm_ring_release(ring);
    }
    assert_non_null(fm_ring_reserve(ring, 0)); /* an empty message is a message */
    fm_ring_publish(ring);
    assert_non_null(fm_ring_peek(ring, &size));
    assert_int_equal(size, 0);
    fm_ring_destroy(ring);
}

static void messages_are_aligned_and_contiguous_across_the_end(void **unused)
{
    (void)unused;
    fm_ring *ring = ring_of(4096);
    size_t size;
    for (int i = 0; i < 1000; i++) {
        size_t wanted = (size_t)(i * 37 % 900);
        unsigned char *message = fm_ring_reserve(ring, wanted);
        assert_non_null(message);
        assert_int_equal((uintptr_t)message % 8, 0);
        memset(message, i & 255, wanted);
        fm_ring_publish(ring);
        unsigned char *got = fm_ring_peek(ring, &size);
        assert_int_equal(size, wanted);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(got[k], i & 255);
        fm_ring_release(ring);
    }
    fm_ring_destroy(ring);
}

enum { MESSAGES = 200000 };

typedef struct passage {
    fm_ring *ring;
    uint64_t full;
} passage;

static void a_span_is_what_peeking_would_give(void **unused)
{
    (void)unused;
    fm_ring *ring = ring_of(4096);
    size_t size;
    assert_null(fm_ring_span(ring, &size));
    for (int round = 0; round < 300; round++) { /* also across the end */
        assert_int_equal(fm_ring_unpublished(ring), 0);
        for (size_t i = 0; i < 5; i++)
            memset(fm_ring_reserve(ring, 17 * i), 'a' + (int)i, 17 * i);
        assert_int_equal(fm_ring_unpublished(ring), 5 * 8 + 0 + 24 + 40 + 56 + 72);
        assert_null(fm_ring_span(ring, &size));
        fm_ring_publish(ring);
        char *at = fm_ring_span(ring, &size), *first = at;
        assert_int_equal(size, 5 * 8 + 0 + 24 + 40 + 56 + 72);
        for (int i = 0; i < 3; i++) {
            char *message = fm_ring_next(&at);
            assert_true(i == 0 || (message[0] == 'a' + i && message[17 * i - 1] == 'a' + i));
        }
        fm_ring_skip(ring, (size_t)(at - first));
        for (int i = 3; i < 5; i++) {
            char *message = fm_ring_peek(ring, &size);
            assert_int_equal(size, 17 * i);
            assert_true(message[0] == 'a' + i && message[size - 1] == 'a' + i);
        }
        assert_null(fm_ring_span(ring, &size));
        fm_ring_release(ring);
    }
    fm_ring_destroy(ring);
}

/* Writes numbered messages of random sizes in groups, and takes back every seventh group before it writes it again. */
static void an_empty_ring_of_one_thread_begins_anew(void **unused)
{
    (void)unused;
    fm_ring *ring = ring_of(4096);
    size_t size;
    void *first = fm_ring_reserve(ring, 64);
    fm_ring_rewind(ring); /* reserved: stays */
    fm_ring_publish(ring);
    fm_ring_rewind(ring); /* published: stays */
    assert_ptr_equal(fm_ring_peek(ring, &size), first);
    fm_ring_rewind(ring); /* peeked: stays */
    assert_ptr_not_equal(fm_ring_reserve(ring, 64), first);
    fm_ring_abort(ring);
    fm_ring_release(ring);
    for (int i = 0; i < 1000; i++) { /* far more than the ring holds, always in the same place */
        fm_ring_rewind(ring);
        void *message = fm_ring_reserve(ring, 64);
        assert_ptr_equal(message, first);
        fm_ring_publish(ring);
        assert_ptr_equal(fm_ring_peek(ring, &size), first);
        assert_null(fm_ring_peek(ring, &size));
        fm_ring_release(ring);
        assert_true(fm_ring_empty(ring));
    }
    fm_ring_destroy(ring);
}

static void *produce(void *context)
{
    passage *through = context;
    fm_random random;
    fm_random_seed(&random, 11);
    uint64_t next = 0;
    for (uint64_t group = 0; next < MESSAGES; group++) {
        uint64_t count = 1 + fm_random_below(&random, 20), written = 0;
        for (; written < count && next + written < MESSAGES; written++) {
            uint64_t words = 1 + fm_random_below(&random, 30);
            uint64_t *message = fm_ring_reserve(through->ring, words * 8);
            if (message == NULL)
                break;
            for (uint64_t i = 0; i < words; i++)
                message[i] = next + written;
        }
        if (written < count && next + written < MESSAGES)
            through->full++;
        if (group % 7 == 3 || written == 0) {
            fm_ring_abort(through->ring);
            if (written == 0)
                sched_yield();
        } else {
            fm_ring_publish(through->ring);
            next += written;
        }
        assert(fm_ring_used(through->ring) <= fm_ring_size(through->ring));
    }
    return NULL;
}

static void two_threads_pass_every_message_once_and_in_order(void **unused)
{
    (void)unused;
    passage through = {.ring = ring_of(4096)};
    pthread_t producer;
    assert_int_equal(pthread_create(&producer, NULL, produce, &through), 0);
    uint64_t expected = 0;
    while (expected < MESSAGES) {
        size_t size;
        uint64_t *message;
        int taken = 0;
        for (; taken < 5 && (message = fm_ring_peek(through.ring, &size)) != NULL; taken++) {
            if (size == 0 || size % 8 != 0)
                fail_msg("message %llu has size %zu", (unsigned long long)expected, size);
            for (size_t i = 0; i < size / 8; i++) {
                if (message[i] != expected)
                    fail_msg("message %llu holds %llu", (unsigned long long)expected, (unsigned long long)message[i]);
            }
            expected++;
        }
        if (taken > 0)
            fm_ring_release(through.ring);
        else
            sched_yield();
    }
    pthread_join(producer, NULL);
    assert_true(fm_ring_empty(through.ring));
    assert_true(through.full > 0); /* the small ring was full at times, else this proves little */
    fm_ring_destroy(through.ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_is_rounded_up_to_a_power_of_two_of_a_page_or_more),
        cmocka_unit_test(nothing_is_seen_before_it_is_published),
        cmocka_unit_test(aborted_messages_leave_no_trace),
        cmocka_unit_test(a_full_ring_refuses_until_the_consumer_releases),
        cmocka_unit_test(messages_as_large_as_the_ring_pass_and_larger_ones_never),
        cmocka_unit_test(messages_are_aligned_and_contiguous_across_the_end),
        cmocka_unit_test(a_span_is_what_peeking_would_give),
        cmocka_unit_test(an_empty_ring_of_one_thread_begins_anew),
        cmocka_unit_test(two_threads_pass_every_message_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
