/* tests/unit/alert/archive_test.c - the store follows the log, and answers meanwhile. */
#include "unit/alert/fixture.h"

#include "alert/archive.h"

#include <pthread.h>

/* ---- a store of the test's own: keeps nothing but counts, and fails or waits on demand ---- */

typedef struct fake_store {
    fm_store base;
    _Atomic uint64_t cursor, puts;
    _Atomic int failing;  /* what put answers */
    _Atomic bool holding; /* list waits while this is set */
    _Atomic bool closed;
} fake_store;

static int fake_put(fm_store *base, const fm_stored_alert *alerts, uint32_t count)
{
    fake_store *fake = (fake_store *)base;
    atomic_fetch_add(&fake->puts, 1);
    int failing = atomic_load(&fake->failing);
    if (failing == FM_ECORRUPT)
        atomic_store(&fake->cursor, 0); /* begun anew */
    if (failing < 0)
        return failing;
    assert_true(count >= 1 && count <= 1000);
    assert_int_equal(alerts[0].router_sequence, atomic_load(&fake->cursor) + 1);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(alerts[i].router_sequence, alerts[0].router_sequence + i);
        assert_int_equal(alerts[i].id.size, 32);
        assert_true(alerts[i].json.size > 32 && alerts[i].json.data[alerts[i].json.size - 1] == '}');
    }
    atomic_store(&fake->cursor, alerts[count - 1].router_sequence);
    return 0;
}

static int fake_cursor(fm_store *base, uint64_t *router_sequence)
{
    *router_sequence = atomic_load(&((fake_store *)base)->cursor);
    return 0;
}

static int fake_list(fm_store *base, const fm_alert_query *query, fm_text *out, uint64_t *next)
{
    fake_store *fake = (fake_store *)base;
    while (atomic_load(&fake->holding))
        pause_ms(1);
    fm_text_put(out, "[");
    fm_text_json(out, query->symbol);
    fm_text_put(out, "]");
    *next = query->before;
    return query->limit == 13 ? FM_EIO : 0;
}

static int fake_get(fm_store *base, fm_slice id, fm_text *out)
{
    (void)base;
    fm_text_json(out, id);
    return 0;
}

static void fake_close(fm_store *base)
{
    atomic_store(&((fake_store *)base)->closed, true);
}

typedef struct setting {
    char *folder;
    fm_router *router;
    fm_archive *archive;
    fake_store fake;
} setting;

static void begin(setting *self)
{
    *self = (setting){.folder = folder_make_temporary(),
                      .fake = {.base = {fake_put, fake_cursor, fake_list, fake_get, fake_close}}};
    fm_router_config config = router_config(self->folder);
    self->router = router_open(&config);
    assert_int_equal(fm_archive_start_take(self->router, &self->fake.base, 0, &self->archive), 0);
    assert_int_equal(fm_router_start(self->router), 0);
}

static void end(setting *self)
{
    fm_router_stop(self->router);
    fm_archive_stop(self->archive);
    assert_true(atomic_load(&self->fake.closed));
    fm_router_close(self->router);
    folder_remove(self->folder);
}

static uint64_t counter(const setting *self, fm_metric metric)
{
    return fm_counter(fm_archive_counters(self->archive), metric);
}

static void emit_range(const setting *self, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++)
        emit(self->router, 0, 7, i, 0);
}

static void everything_is_stored_in_order_and_the_rest_at_the_stop(void **unused)
{
    (void)unused;
    setting self;
    begin(&self);
    emit_range(&self, 1, 3000);
    wait_until(atomic_load(&self.fake.cursor) == 3000);
    wait_until(counter(&self, FM_METRIC_STORE_BACKLOG) == 0);
    assert_int_equal(counter(&self, FM_METRIC_STORE_ALERTS), 3000);
    emit_range(&self, 3001, 2500);
    fm_router_stop(self.router);
    fm_archive_stop(self.archive);
    assert_int_equal(atomic_load(&self.fake.cursor), 5500);
    fm_router_close(self.router);
    folder_remove(self.folder);
}

static void alerts_that_come_one_by_one_share_transactions(void **unused)
{
    (void)unused;
    setting self;
    begin(&self);
    int64_t begin_ns = fm_mono_ns(&fm_clock_system);
    for (uint64_t i = 1; i <= 100; i++) {
        emit_range(&self, i, 1);
        pause_ms(2);
    }
    int64_t took_ns = fm_mono_ns(&fm_clock_system) - begin_ns;
    wait_until(atomic_load(&self.fake.cursor) == 100);
    assert_true((int64_t)atomic_load(&self.fake.puts) <= 5 + took_ns / (50 * FM_NS_PER_MS)); /* without: 100 */
    end(&self);
}

static void a_failing_store_is_tried_again_with_pauses(void **unused)
{
    (void)unused;
    fm_log_set_level(FM_LOG_ERROR + 1);
    setting self;
    begin(&self);
    atomic_store(&self.fake.failing, FM_ENOSPC);
    emit_range(&self, 1, 100);
    wait_until(counter(&self, FM_METRIC_STORE_FAILURES) >= 3);
    assert_int_equal(counter(&self, FM_METRIC_STORE_FAILURES), atomic_load(&self.fake.puts));
    assert_true(atomic_load(&self.fake.puts) < 20); /* not as fast as it can */
    atomic_store(&self.fake.failing, 0);
    wait_until(atomic_load(&self.fake.cursor) == 100);
    atomic_store(&self.fake.failing, FM_ECORRUPT);
    emit_range(&self, 101, 10);
    wait_until(counter(&self, FM_METRIC_STORE_FAILURES) >= 4);
    atomic_store(&self.fake.failing, 0);
    wait_until(atomic_load(&self.fake.cursor) == 110); /* from the first alert on, or fake_put would have said so */
    assert_true(counter(&self, FM_METRIC_STORE_ALERTS) >= 210);
    end(&self);
    fm_log_set_level(FM_LOG_ERROR);
}

typedef struct answer {
    _Atomic int count;
    int result;
    char json[256];
} answer;

static void keep_answer(void *context, int result, fm_slice json)
{
    answer *to = context;
    to->result = result;
    assert_true(fm_slice_copy(json, to->json, sizeof to->json));
    atomic_fetch_add(&to->count, 1);
}

static void questions_are_answered_once_each(void **unused)
{
    (void)unused;
    setting self;
    begin(&self);
    char symbol[] = "EURUSD";
    fm_alert_query query = {.symbol = fm_slice_of(symbol), .to_ns = INT64_MAX, .limit = 10};
    answer list = {0}, get = {0}, paged = {0}, bad = {0};
    atomic_store(&self.fake.holding, true);
    assert_int_equal(fm_archive_list(self.archive, &query, keep_answer, &list), 0);
    memset(symbol, 'x', 6); /* the question has its own copy */
    query.before = 55;
    assert_int_equal(fm_archive_list(self.archive, &query, keep_answer, &paged), 0);
    query.limit = 13;
    assert_int_equal(fm_archive_list(self.archive, &query, keep_answer, &bad), 0);
    assert_int_equal(fm_archive_get(self.archive, FM_SLICE("an-id"), keep_answer, &get), 0);
    atomic_store(&self.fake.holding, false);
    wait_until(atomic_load(&get.count) == 1);
    assert_string_equal(list.json, "{\"items\":[\"EURUSD\"],\"next\":null}");
    assert_string_equal(paged.json, "{\"items\":[\"xxxxxx\"],\"next\":55}");
    assert_string_equal(get.json, "\"an-id\"");
    assert_int_equal(bad.result, FM_EIO);
    assert_string_equal(bad.json, "");
    query.limit = 0;
    assert_int_equal(fm_archive_list(self.archive, &query, keep_answer, &list), FM_EINVAL);
    static char long_name[200];
    memset(long_name, 'x', sizeof long_name);
    assert_int_equal(fm_archive_get(self.archive, (fm_slice){long_name, sizeof long_name}, keep_answer, &get),
                     FM_EINVAL);
    assert_int_equal(atomic_load(&list.count), 1);
    end(&self);
}

static void more_questions_than_there_is_room_for_are_refused(void **unused)
{
    (void)unused;
    setting self;
    begin(&self);
    fm_alert_query query = {.to_ns = INT64_MAX, .limit = 10};
    answer answers[80] = {0};
    atomic_store(&self.fake.holding, true);
    int taken = 0;
    for (int i = 0; i < 80; i++)
        taken += fm_archive_list(self.archive, &query, keep_answer, &answers[taken]) == 0;
    assert_true(taken >= 64 && taken <= 65); /* 64, and the one being answered */
    assert_int_equal(fm_archive_list(self.archive, &query, keep_answer, &answers[79]), FM_EBUSY);
    atomic_store(&self.fake.holding, false);
    wait_until(atomic_load(&answers[taken - 1].count) == 1);
    for (int i = 0; i < 80; i++)
        assert_int_equal(atomic_load(&answers[i].count), i < taken);
    end(&self);
}

static void *stop_archive(void *context)
{
    fm_archive_stop(context);
    return NULL;
}

static void what_waits_at_the_stop_is_told_so(void **unused)
{
    (void)unused;
    setting self;
    begin(&self);
    fm_alert_query query = {.to_ns = INT64_MAX, .limit = 10};
    answer answers[10] = {0};
    atomic_store(&self.fake.holding, true);
    for (int i = 0; i < 10; i++)
        assert_int_equal(fm_archive_list(self.archive, &query, keep_answer, &answers[i]), 0);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_archive, self.archive), 0);
    pause_ms(20);
    atomic_store(&self.fake.holding, false);
    pthread_join(stopper, NULL);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(atomic_load(&answers[i].count), 1);
        assert_true(answers[i].result == 0 || answers[i].result == FM_ESHUTDOWN);
    }
    fm_router_stop(self.router);
    fm_router_close(self.router);
    folder_remove(self.folder);
}

/* ---- with the real store ---- */

static uint64_t stored_count(const char *path)
{
    fm_store *store = NULL;
    fm_error error = {0};
    assert_int_equal(fm_store_open_embedded(path, &store, &error), 0);
    fm_alert_query query = {.to_ns = INT64_MAX, .limit = 1000};
    fm_text text = {0};
    uint64_t count = 0;
    do {
        fm_text_clear(&text);
        assert_int_equal(store->list_alerts(store, &query, &text, &query.before), 0);
        for (const char *at = text.data; (at = strstr(at, "\"publish_time\"")) != NULL; at++)
            count++;
    } while (query.before != 0);
    fm_text_fini(&text);
    store->close(store);
    return count;
}

static void a_deleted_store_is_rebuilt_from_the_log(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    char path[256];
    snprintf(path, sizeof path, "%s/alerts.sqlite", folder);
    fm_router_config config = router_config(folder);
    for (int round = 0; round < 2; round++) {
        fm_router *router = router_open(&config);
        fm_store *store = NULL;
        fm_archive *archive = NULL;
        fm_error error = {0};
        assert_int_equal(fm_store_open_embedded(path, &store, &error), 0);
        assert_int_equal(fm_archive_start_take(router, store, 0, &archive), 0);
        assert_int_equal(fm_router_start(router), 0);
        for (uint64_t i = 1; i <= 2500; i++)
            emit(router, 0, 7, i, 0);
        fm_router_stop(router);
        fm_archive_stop(archive);
        fm_router_close(router);
        assert_int_equal(stored_count(path), 2500);
        unlink(path);
    }
    folder_remove(folder);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_stored_in_order_and_the_rest_at_the_stop),
        cmocka_unit_test(alerts_that_come_one_by_one_share_transactions),
        cmocka_unit_test(a_failing_store_is_tried_again_with_pauses),
        cmocka_unit_test(questions_are_answered_once_each),
        cmocka_unit_test(more_questions_than_there_is_room_for_are_refused),
        cmocka_unit_test(what_waits_at_the_stop_is_told_so),
        cmocka_unit_test(a_deleted_store_is_rebuilt_from_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
