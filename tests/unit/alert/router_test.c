/* tests/unit/alert/router_test.c - what the router promises to shards and to readers. */
#include "unit/alert/fixture.h"

#include "base/random.h"

#include <pthread.h>

static void one_alert_comes_out_as_it_went_in(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    fm_router *router = router_start(&config);
    emit(router, 0, 7, 12, 3);
    wait_until(fm_router_taken(router, 0) == 1);
    assert_int_equal(fm_router_last(router), 1);
    assert_int_equal(fm_router_taken(router, 1), 0);
    seen_list list = read_all(router, 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].partition, 7);
    assert_int_equal(list.items[0].sequence, 12);
    assert_int_equal(list.items[0].ordinal, 3);
    assert_int_equal(list.items[0].id.low, id_of(7, 12, 3).low);
    free(list.items);
    router_end(router);
    folder_remove(folder);
}

static void the_client_form_adds_the_envelope_to_the_body(void **unused)
{
    (void)unused;
    fm_text text = {0};
    fm_routed_alert alert = {.router_sequence = 5,
                             .detect_ns = 2,
                             .receive_ns = 1,
                             .publish_ns = 3,
                             .domain = FM_SLICE("re\"play"),
                             .body = FM_SLICE("{\"a\":1}")};
    fm_routed_alert_json(&alert, &text);
    assert_string_equal(
        text.data,
        "{\"a\":1,\"domain\":\"re\\\"play\",\"seq\":5,\"detect_time\":2,\"receive_time\":1,\"publish_time\":3}");
    fm_text_clear(&text);
    alert.body = FM_SLICE("{}");
    fm_routed_alert_json(&alert, &text);
    assert_string_equal(
        text.data, "{\"domain\":\"re\\\"play\",\"seq\":5,\"detect_time\":2,\"receive_time\":1,\"publish_time\":3}");
    fm_text_fini(&text);
}

static void what_lies_at_or_before_the_cursor_is_dropped_but_counts_as_taken(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    fm_router *router = router_start(&config);
    emit(router, 0, 1, 10, 0);
    emit(router, 0, 1, 10, 1); /* same record, next ordinal: new */
    emit(router, 0, 1, 10, 1); /* again */
    emit(router, 0, 1, 9, 5);  /* an id never seen, but its position was passed */
    emit(router, 0, 2, 9, 5);  /* another partition: new */
    wait_until(fm_router_taken(router, 0) == 5);
    assert_int_equal(fm_router_last(router), 3);
    assert_int_equal(fm_counter(fm_router_counters(router), FM_METRIC_ROUTER_LOGGED), 3);
    assert_int_equal(fm_counter(fm_router_counters(router), FM_METRIC_ROUTER_DUPLICATE), 2);
    router_end(router);
    folder_remove(folder);
}

static void an_id_told_before_is_dropped_wherever_it_comes_from(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    fm_router *router = router_start(&config);
    made_alert made;
    emit(router, 0, 1, 10, 0);
    fm_routed_alert again = *alert_make(&made, 1, 10, 0);
    again.sequence = 500; /* a second replay: same episode, later position */
    fm_router_emit(router, 0, &again);
    wait_until(fm_router_taken(router, 0) == 2);
    assert_int_equal(fm_router_last(router), 1);
    router_end(router);

    router = router_start(&config); /* ids are read from the log */
    fm_router_emit(router, 0, &again);
    wait_until(fm_router_taken(router, 0) == 1);
    assert_int_equal(fm_router_last(router), 1);
    router_end(router);
    folder_remove(folder);
}

static void cursors_survive_the_files_they_came_from(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    config.file_bytes = 64 << 10;
    config.retain_bytes = 256 << 10;
    config.ids_max = 10; /* so that only the cursor can know */
    fm_router *router = router_start(&config);
    emit(router, 0, 5, 77, 2);
    for (uint64_t i = 1; i <= 3000; i++)
        emit(router, 1, 6, i, 0);
    fm_router_stop(router);
    assert_int_equal(fm_router_taken(router, 1), 3000);
    assert_true(fm_router_oldest(router) > 1);
    seen_list none = {0};
    assert_int_equal(fm_router_read(router, 0, 10, see, &none), FM_ENOTFOUND);
    seen_list rest = read_all(router, fm_router_oldest(router));
    assert_int_equal(rest.count, 3001 - fm_router_oldest(router));
    assert_int_equal(fm_router_count(router, 0), rest.count);
    assert_int_equal(fm_router_count(router, 2990), 11);
    free(rest.items);
    fm_router_close(router);

    router = router_start(&config);
    emit(router, 0, 5, 77, 2);
    emit(router, 0, 5, 77, 3);
    wait_until(fm_router_taken(router, 0) == 2);
    assert_int_equal(fm_router_last(router), 3002);
    router_end(router);
    folder_remove(folder);
}

static void a_file_that_a_sink_still_needed_is_a_counted_hole(void **unused)
{
    (void)unused;
    for (uint64_t needed = 0; needed < 2; needed++) {
        char *folder = folder_make_temporary();
        fm_router_config config = router_config(folder);
        config.file_bytes = 64 << 10;
        config.retain_bytes = 256 << 10;
        fm_router *router = router_start(&config);
        fm_router_sink_cursor(router, 3, 0);
        for (uint64_t i = 1; i <= 3000; i++) {
            emit(router, 1, 6, i, 0);
            if (i % 100 == 0) {
                wait_until(fm_router_taken(router, 1) == i);
                if (needed == 0)
                    fm_router_sink_cursor(router, 3, i);
            }
        }
        uint64_t holes = fm_counter(fm_router_counters(router), FM_METRIC_ROUTER_HOLES);
        if (needed == 0)
            assert_int_equal(holes, 0);
        else
            assert_true(holes > 0);
        router_end(router);
        folder_remove(folder);
    }
}

typedef struct shard_thread {
    fm_router *router;
    uint32_t shard, partitions;
    uint64_t count;
} shard_thread;

static void *emit_many(void *argument)
{
    const shard_thread *self = argument;
    fm_random random;
    fm_random_seed(&random, self->shard);
    uint64_t sequence[FM_PARTITION_COUNT] = {0};
    for (uint64_t i = 0; i < self->count; i++) {
        uint32_t partition = self->shard + self->partitions * (uint32_t)fm_random_below(&random, 8);
        emit(self->router, self->shard, partition, ++sequence[partition], 0);
    }
    return NULL;
}

static int count_in_order(void *context, const fm_routed_alert *alert)
{
    uint64_t *sequence = context;
    assert_int_equal(alert->sequence, sequence[alert->partition] + 1);
    sequence[alert->partition]++;
    return 0;
}

/* Small rings, so that the list in memory is used again and again; a reader follows meanwhile. */
static void order_per_partition_holds_through_ring_and_list(void **unused)
{
    (void)unused;
    enum { EACH = 50000 };
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    config.ring_bytes = 4096;
    config.file_bytes = 1 << 20;
    fm_router *router = router_start(&config);
    shard_thread shards[2] = {{router, 0, 2, EACH}, {router, 1, 2, EACH}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, emit_many, &shards[i]), 0);

    uint64_t sequence[FM_PARTITION_COUNT] = {0}, after = 0;
    int64_t deadline = now_ns() + 60 * FM_NS_PER_S;
    while (after < 2 * EACH && now_ns() < deadline) {
        int got = fm_router_read(router, after, 777, count_in_order, sequence);
        assert_true(got >= 0);
        after += (uint64_t)got;
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(after, 2 * EACH);
    assert_int_equal(fm_router_taken(router, 0), EACH);
    assert_int_equal(fm_router_taken(router, 1), EACH);
    assert_true(fm_counter(fm_router_counters(router), FM_METRIC_ROUTER_SPILLED) > 0);
    assert_int_equal(fm_router_behind(router), 0);
    router_end(router);
    folder_remove(folder);
}

static void a_full_ring_is_told_by_behind_and_nothing_is_dropped(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    config.ring_bytes = 4096;
    fm_router *router = router_open(&config); /* not started: recovery emits before anything runs */
    assert_int_equal(fm_router_behind(router), 0);
    for (uint64_t i = 1; i <= 1000; i++)
        emit(router, 0, 3, i, 0);
    assert_int_equal(fm_router_behind(router), 1);
    assert_int_equal(fm_router_taken(router, 0), 0);
    assert_int_equal(fm_router_start(router), 0);
    wait_until(fm_router_taken(router, 0) == 1000);
    assert_int_equal(fm_router_behind(router), 0);
    seen_list list = read_all(router, 0);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.items[i].sequence, i + 1);
    assert_int_equal(list.count, 1000);
    free(list.items);
    router_end(router);
    folder_remove(folder);
}

static void an_alert_larger_than_the_ring_passes(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    config.ring_bytes = 4096;
    fm_router *router = router_start(&config);
    static char body[100000];
    memset(body, ' ', sizeof body);
    body[0] = '{';
    body[sizeof body - 1] = '}';
    made_alert made;
    fm_routed_alert large = *alert_make(&made, 1, 1, 0);
    large.body = (fm_slice){body, sizeof body};
    fm_router_emit(router, 0, &large);
    wait_until(fm_router_taken(router, 0) == 1);
    router_end(router);
    folder_remove(folder);
}

static void note_last(void *context, uint64_t last)
{
    atomic_store((_Atomic uint64_t *)context, last);
}

static void listeners_hear_the_newest_sequence(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    fm_router *router = router_start(&config);
    _Atomic uint64_t heard[17] = {0};
    for (int i = 0; i < 16; i++)
        assert_int_equal(fm_router_listen(router, note_last, &heard[i]), 0);
    assert_int_equal(fm_router_listen(router, note_last, &heard[16]), FM_ELIMIT);
    emit(router, 0, 1, 1, 0);
    wait_until(atomic_load(&heard[0]) == 1 && atomic_load(&heard[15]) == 1);
    fm_router_unlisten(router, &heard[3]);
    emit(router, 0, 1, 2, 0);
    wait_until(atomic_load(&heard[15]) == 2);
    assert_int_equal(atomic_load(&heard[3]), 1);
    router_end(router);
    folder_remove(folder);
}

static void a_reader_may_start_anywhere_and_stop_anywhere(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    config.file_bytes = 64 << 10;
    fm_router *router = router_start(&config);
    for (uint64_t i = 1; i <= 2000; i++)
        emit(router, 0, 3, i, 0);
    wait_until(fm_router_taken(router, 0) == 2000);
    fm_random random;
    fm_random_seed(&random, 1);
    for (int round = 0; round < 300; round++) {
        uint64_t after = fm_random_below(&random, 2002);
        uint32_t limit = (uint32_t)fm_random_below(&random, 100);
        uint64_t there = after < 2000 ? 2000 - after : 0;
        seen_list list = {0};
        int got = fm_router_read(router, after, limit, see, &list);
        assert_int_equal(got, there < limit ? there : limit);
        for (size_t i = 0; i < list.count; i++)
            assert_int_equal(list.items[i].router_sequence, after + 1 + i);
        free(list.items);
    }
    router_end(router);
    folder_remove(folder);
}

static void a_new_journal_under_the_old_log_forgets_positions_but_not_ids(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    fm_router *router = router_start(&config);
    emit(router, 0, 4, 1000, 0);
    router_end(router);

    config.incarnation_ms++;
    router = router_start(&config);
    emit(router, 0, 4, 1, 0); /* the journal's sequences start anew: this is news */
    made_alert made;
    fm_routed_alert again = *alert_make(&made, 4, 1000, 0);
    again.sequence = 2;
    fm_router_emit(router, 0, &again); /* the same alert raised again from the same data */
    wait_until(fm_router_taken(router, 0) == 2);
    assert_int_equal(fm_router_last(router), 2);
    router_end(router);
    folder_remove(folder);
}

static void a_sink_that_is_ahead_of_the_log_is_overtaken(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    fm_router *router = router_start(&config);
    fm_router_sink_cursor(router, 0, 5000);
    fm_router_sink_cursor(router, 1, 3);
    emit(router, 0, 4, 1, 0);
    wait_until(fm_router_taken(router, 0) == 1);
    assert_int_equal(fm_router_last(router), 5001);
    router_end(router);
    router = router_start(&config);
    assert_int_equal(fm_router_last(router), 5001);
    emit(router, 0, 4, 2, 0);
    wait_until(fm_router_taken(router, 0) == 1);
    assert_int_equal(fm_router_last(router), 5002);
    seen_list list = read_all(router, 0);
    assert_int_equal(list.count, 2);
    free(list.items);
    router_end(router);
    folder_remove(folder);
}

static void sync_always_takes_only_what_is_synced(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = router_config(folder);
    config.sync_always = true;
    config.layer = &fm_file_withholding;
    fm_router *router = router_start(&config);
    for (uint64_t i = 1; i <= 500; i++)
        emit(router, 0, 3, i, 0);
    wait_until(fm_router_taken(router, 0) == 500);
    char **files;
    size_t count = log_files(folder, &files);
    assert_int_equal(count, 1);
    struct stat status;
    assert_int_equal(stat(files[0], &status), 0);
    assert_true(status.st_size > 500 * 112); /* on the disk below the layer, not in its memory */
    free_files(files, count);
    router_end(router);
    folder_remove(folder);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alert_comes_out_as_it_went_in),
        cmocka_unit_test(the_client_form_adds_the_envelope_to_the_body),
        cmocka_unit_test(what_lies_at_or_before_the_cursor_is_dropped_but_counts_as_taken),
        cmocka_unit_test(an_id_told_before_is_dropped_wherever_it_comes_from),
        cmocka_unit_test(cursors_survive_the_files_they_came_from),
        cmocka_unit_test(a_file_that_a_sink_still_needed_is_a_counted_hole),
        cmocka_unit_test(order_per_partition_holds_through_ring_and_list),
        cmocka_unit_test(a_full_ring_is_told_by_behind_and_nothing_is_dropped),
        cmocka_unit_test(an_alert_larger_than_the_ring_passes),
        cmocka_unit_test(listeners_hear_the_newest_sequence),
        cmocka_unit_test(a_reader_may_start_anywhere_and_stop_anywhere),
        cmocka_unit_test(a_new_journal_under_the_old_log_forgets_positions_but_not_ids),
        cmocka_unit_test(a_sink_that_is_ahead_of_the_log_is_overtaken),
        cmocka_unit_test(sync_always_takes_only_what_is_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
