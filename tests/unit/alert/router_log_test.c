/* tests/unit/alert/router_log_test.c - the router's log when the disk, the machine or somebody's hand has been at it.
 */
#include "unit/alert/fixture.h"

#include "alert/router_log.h"
#include "base/random.h"

#include <signal.h>
#include <sys/wait.h>

static fm_router_config small_config(const char *folder)
{
    fm_router_config config = router_config(folder);
    config.ids_max = 100;
    config.ring_bytes = 4096;
    return config;
}

static void write_alerts(const fm_router_config *config, uint64_t first, uint64_t count)
{
    fm_router *router = router_start(config);
    for (uint64_t i = 0; i < count; i++) {
        emit(router, 0, 9, first + i, 0);
        wait_until(fm_router_taken(router, 0) == i + 1); /* a batch each */
    }
    router_end(router);
}

typedef struct bytes {
    char *data;
    size_t size;
} bytes;

static bytes read_bytes(const char *path)
{
    bytes all;
    assert_int_equal(fm_file_read_all(&fm_file_system, path, 1 << 20, &all.data, &all.size), 0);
    return all;
}

static void write_bytes(const char *path, const char *data, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

/* Where each frame of a file begins, and its end; the last one is the clean stop. */
static size_t frame_offsets(bytes file, size_t out[], size_t room)
{
    size_t count = 0, at = sizeof(fm_router_head);
    while (at < file.size && count < room) {
        out[count++] = at;
        at += ((const fm_router_frame *)(const void *)(file.data + at))->size;
    }
    out[count] = at;
    return count;
}

static char *only_file(const char *folder)
{
    char **files;
    size_t count = log_files(folder, &files);
    assert_int_equal(count, 1);
    char *path = files[0];
    free(files);
    return path;
}

static void a_tail_torn_at_any_byte_is_cut_to_the_last_whole_alert(void **unused)
{
    (void)unused;
    enum { COUNT = 3 };
    char *folder = folder_make_temporary();
    fm_router_config config = small_config(folder);
    write_alerts(&config, 1, COUNT);
    char *path = only_file(folder);
    bytes file = read_bytes(path);
    size_t frame[16];
    assert_int_equal(frame_offsets(file, frame, 15), COUNT + 1);

    for (size_t size = sizeof(fm_router_head); size < frame[COUNT]; size++) {
        write_bytes(path, file.data, size);
        size_t whole = 0;
        while (whole < COUNT && frame[whole + 1] <= size)
            whole++;
        fm_router *router = router_open(&config);
        assert_int_equal(fm_router_last(router), whole);
        if (size % 9 == 0) { /* and it goes on from there */
            emit(router, 0, 9, 77, 0);
            assert_int_equal(fm_router_start(router), 0);
            fm_router_stop(router);
            seen_list list = read_all(router, 0);
            assert_int_equal(list.count, whole + 1);
            assert_int_equal(list.items[whole].sequence, 77);
            free(list.items);
        }
        fm_router_close(router);
        char aside[300];
        snprintf(aside, sizeof aside, "%s.torn-%zu", path, frame[whole]);
        if (size == frame[whole]) {
            assert_int_equal(access(aside, F_OK), -1);
        } else {
            bytes kept = read_bytes(aside);
            assert_int_equal(kept.size, size - frame[whole]);
            assert_memory_equal(kept.data, file.data + frame[whole], kept.size);
            free(kept.data);
            unlink(aside);
        }
    }
    free(file.data);
    free(path);
    folder_remove(folder);
}

static int open_result(const fm_router_config *config, fm_error *error)
{
    fm_router *router = NULL;
    *error = (fm_error){0};
    int result = fm_router_open(config, &router, error);
    if (result == 0)
        fm_router_close(router);
    return result;
}

/* After a clean stop everything is known to have been whole, up to the mark that says so. */
static void a_byte_changed_before_the_clean_stop_is_refused_with_its_place(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = small_config(folder);
    write_alerts(&config, 1, 3);
    char *path = only_file(folder);
    bytes file = read_bytes(path);
    size_t frame[16], count = frame_offsets(file, frame, 15);
    fm_error error;
    for (size_t at = 0; at < frame[count - 1]; at += at < sizeof(fm_router_head) ? 37 : 1) {
        file.data[at] ^= 0x41;
        write_bytes(path, file.data, file.size);
        int result = open_result(&config, &error);
        if (result != FM_ECORRUPT && !(result == FM_EVERSION && at >= 8 && at < 12))
            fail_msg("a change at byte %zu of %zu gave %d", at, file.size, result);
        size_t expected = 0;
        for (size_t f = 0; f < count && frame[f] <= at; f++)
            expected = frame[f];
        char place[32];
        snprintf(place, sizeof place, "offset %zu:", expected);
        assert_non_null(strstr(error.message, place));
        assert_string_equal(error.file, path);
        file.data[at] ^= 0x41;
    }
    write_bytes(path, file.data, file.size);
    assert_int_equal(open_result(&config, &error), 0);
    free(file.data);
    free(path);
    folder_remove(folder);
}

static void damage_in_what_was_synced_is_told_from_a_torn_tail_without_a_clean_stop(void **unused)
{
    (void)unused;
    for (int always = 0; always < 2; always++) {
        char *folder = folder_make_temporary();
        fm_router_config config = small_config(folder);
        config.sync_always = always == 1;
        write_alerts(&config, 1, 4);
        char *path = only_file(folder);
        bytes file = read_bytes(path);
        size_t frame[16];
        frame_offsets(file, frame, 15);
        file.data[frame[1] + 60] ^= 1; /* the second of four alerts */
        write_bytes(path, file.data, frame[4]);
        fm_error error;
        int result = open_result(&config, &error);
        /* synced one by one: damage. Written without a sync: pages may reach the disk in any order, so this is a torn
         * tail. */
        assert_int_equal(result, always ? FM_ECORRUPT : 0);
        if (!always) {
            fm_router *router = router_open(&config);
            assert_int_equal(fm_router_last(router), 1);
            fm_router_close(router);
        }
        free(file.data);
        free(path);
        folder_remove(folder);
    }
}

static void random_rubbish_behind_the_end_is_a_torn_tail(void **unused)
{
    (void)unused;
    fm_random random;
    fm_random_seed(&random, 8);
    for (int round = 0; round < 50; round++) {
        char *folder = folder_make_temporary();
        fm_router_config config = small_config(folder);
        write_alerts(&config, 1, 2);
        char *path = only_file(folder);
        bytes file = read_bytes(path);
        size_t more = 1 + fm_random_below(&random, 5000);
        file.data = realloc(file.data, file.size + more);
        for (size_t i = 0; i < more; i++)
            file.data[file.size + i] = round % 2 == 0 ? (char)fm_random_next(&random) : 0;
        write_bytes(path, file.data, file.size + more);
        fm_router *router = router_open(&config);
        assert_int_equal(fm_router_last(router), 2);
        fm_router_close(router);
        free(file.data);
        free(path);
        folder_remove(folder);
    }
}

static void a_missing_file_is_refused_unless_it_is_the_oldest(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = small_config(folder);
    config.file_bytes = 2000; /* four alerts a file */
    write_alerts(&config, 1, 30);
    char **files;
    size_t count = log_files(folder, &files);
    assert_true(count >= 5);
    char aside[300];
    snprintf(aside, sizeof aside, "%s/aside", folder);
    fm_error error;
    for (size_t i = 1; i + 1 < count; i++) {
        assert_int_equal(rename(files[i], aside), 0);
        assert_int_equal(open_result(&config, &error), FM_ECORRUPT);
        assert_non_null(strstr(error.message, "missing"));
        assert_int_equal(rename(aside, files[i]), 0);
    }
    assert_int_equal(unlink(files[0]), 0);
    fm_router *router = router_open(&config);
    assert_int_equal(fm_router_last(router), 30);
    assert_true(fm_router_oldest(router) > 0);
    fm_router_close(router);

    bytes middle = read_bytes(files[2]); /* and a torn tail may be in the newest only */
    write_bytes(files[2], middle.data, middle.size - 10);
    assert_int_equal(open_result(&config, &error), FM_ECORRUPT);
    free(middle.data);
    free_files(files, count);
    folder_remove(folder);
}

static void a_log_of_another_version_is_refused(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = small_config(folder);
    write_alerts(&config, 1, 1);
    char *path = only_file(folder);
    bytes file = read_bytes(path);
    file.data[8] = 2;
    write_bytes(path, file.data, file.size);
    fm_error error;
    assert_int_equal(open_result(&config, &error), FM_EVERSION);
    free(file.data);
    free(path);
    folder_remove(folder);
}

static void reading_only_changes_nothing(void **unused)
{
    (void)unused;
    char *folder = folder_make_temporary();
    fm_router_config config = small_config(folder);
    write_alerts(&config, 1, 3);
    char *path = only_file(folder);
    bytes file = read_bytes(path);
    write_bytes(path, file.data, file.size - 130); /* torn */
    config.read_only = true;
    config.incarnation_ms++;
    fm_router *router = router_open(&config);
    assert_int_equal(fm_router_last(router), 2);
    seen_list list = read_all(router, 0);
    assert_int_equal(list.count, 2);
    free(list.items);
    assert_int_equal(fm_router_start(router), FM_EINVAL);
    fm_router_close(router);
    bytes after = read_bytes(path);
    assert_int_equal(after.size, file.size - 130);
    free(after.data);
    free(only_file(folder)); /* nothing was added beside it */
    free(file.data);
    free(path);
    folder_remove(folder);
}

/* A power cut: the child's unsynced bytes are lost, though its readers may have seen them. */
static void emit_in_a_process_that_dies(const fm_router_config *config, bool clean)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fm_router *router = router_start(config);
        for (uint64_t i = 1; i <= 10; i++)
            emit(router, 0, 9, i, 0);
        while (fm_router_taken(router, 0) < 10)
            pause_ms(1);
        if (clean)
            fm_router_stop(router);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void no_sequence_is_given_twice_after_a_power_cut(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < 3; kind++) {
        char *folder = folder_make_temporary();
        fm_router_config config = small_config(folder);
        config.layer = &fm_file_withholding;
        config.sync_always = kind == 1;
        bool clean = kind == 2;
        emit_in_a_process_that_dies(&config, clean);
        fm_router *router = router_start(&config);
        bool kept = clean || config.sync_always;
        assert_true(fm_router_last(router) == 10 ||
                    (!kept && fm_router_last(router) == 0)); /* a slow child may have come to its sync */
        for (uint64_t i = 1; i <= 11; i++)
            emit(router, 0, 9, i, 0); /* recovery raises them again */
        wait_until(fm_router_taken(router, 0) == 11);
        assert_int_equal(fm_router_last(router), kept ? 11 : 11 + FM_ROUTER_SKIP);
        seen_list list = read_all(router, 0);
        assert_int_equal(list.count, 11);
        for (uint64_t i = 0; i < 11; i++)
            assert_int_equal(list.items[i].sequence, i + 1);
        free(list.items);
        router_end(router);
        folder_remove(folder);
    }
}

/* ---- a disk that is full for a while ---- */

static fm_file_layer failing_layer;
static _Atomic int failing_write, failing_sync; /* what they answer: 0 = they work */
static _Atomic uint64_t writes_seen, syncs_seen;

static int write_or_fail(fm_file *file, const void *data, size_t size, uint64_t offset)
{
    atomic_fetch_add(&writes_seen, 1);
    int code = atomic_load(&failing_write);
    if (code == 0)
        return fm_file_system.write(file, data, size, offset);
    (void)!fm_file_system.write(file, data, size / 2, offset); /* the first half got through */
    return code;
}

static int sync_or_fail(fm_file *file)
{
    atomic_fetch_add(&syncs_seen, 1);
    int code = atomic_load(&failing_sync);
    return code != 0 ? code : fm_file_system.sync(file);
}

static fm_router *start_on_failing_disk(const char *folder, bool always)
{
    failing_layer = fm_file_system;
    failing_layer.write = write_or_fail;
    failing_layer.sync = sync_or_fail;
    atomic_store(&failing_write, 0);
    atomic_store(&failing_sync, 0);
    fm_router_config config = small_config(folder);
    config.layer = &failing_layer;
    config.file_bytes = 20000;
    config.sync_always = always;
    return router_start(&config);
}

static void a_full_disk_holds_alerts_up_and_loses_none(void **unused)
{
    (void)unused;
    fm_log_set_level(FM_LOG_ERROR + 1);
    char *folder = folder_make_temporary();
    fm_router *router = start_on_failing_disk(folder, false);
    for (uint64_t i = 1; i <= 300; i++) {
        if (i % 100 == 50) {
            wait_until(fm_router_taken(router, 0) == i - 1);
            atomic_store(&failing_write, FM_ENOSPC);
        }
        emit(router, 0, 9, i, 0);
        if (i % 100 == 50) {
            uint64_t failures = fm_counter(fm_router_counters(router), FM_METRIC_ROUTER_FAILURES);
            wait_until(fm_counter(fm_router_counters(router), FM_METRIC_ROUTER_FAILURES) > failures);
        }
        if (i % 100 == 99) {
            assert_int_equal(fm_router_taken(router, 0), i / 100 * 100 + 49);
            assert_int_equal(fm_router_behind(router), 1);
            atomic_store(&failing_write, 0);
        }
    }
    wait_until(fm_router_taken(router, 0) == 300);
    assert_int_equal(fm_router_behind(router), 0);
    router_end(router);
    fm_router_config config = small_config(folder);
    router = router_open(&config); /* all of it is readable anew */
    seen_list list = read_all(router, 0);
    assert_int_equal(list.count, 300);
    for (uint64_t i = 0; i < 300; i++)
        assert_int_equal(list.items[i].sequence, i + 1);
    free(list.items);
    fm_router_close(router);
    folder_remove(folder);
    fm_log_set_level(FM_LOG_ERROR);
}

static void a_sync_that_failed_is_not_trusted_when_it_works_again(void **unused)
{
    (void)unused;
    fm_log_set_level(FM_LOG_ERROR + 1);
    char *folder = folder_make_temporary();
    fm_router *router = start_on_failing_disk(folder, true);
    emit(router, 0, 9, 1, 0);
    wait_until(fm_router_taken(router, 0) == 1);
    atomic_store(&failing_sync, FM_EIO);
    uint64_t syncs = atomic_load(&syncs_seen);
    emit(router, 0, 9, 2, 0);
    wait_until(atomic_load(&syncs_seen) >= syncs + 2);
    assert_int_equal(fm_router_taken(router, 0), 1);
    assert_int_equal(fm_router_last(router), 1); /* nobody is told what may be lost */
    uint64_t writes = atomic_load(&writes_seen);
    atomic_store(&failing_sync, 0);
    wait_until(fm_router_taken(router, 0) == 2);
    assert_true(atomic_load(&writes_seen) > writes); /* the bytes were written once more before the sync that counted */
    router_end(router);
    folder_remove(folder);
    fm_log_set_level(FM_LOG_ERROR);
}

static void a_stop_with_a_full_disk_ends_and_takes_nothing(void **unused)
{
    (void)unused;
    fm_log_set_level(FM_LOG_ERROR + 1);
    char *folder = folder_make_temporary();
    fm_router *router = start_on_failing_disk(folder, false);
    emit(router, 0, 9, 1, 0);
    wait_until(fm_router_taken(router, 0) == 1);
    atomic_store(&failing_write, FM_ENOSPC);
    emit(router, 0, 9, 2, 0);
    int64_t before = now_ns();
    fm_router_stop(router);
    assert_true(now_ns() - before < 10 * FM_NS_PER_S);
    assert_int_equal(fm_router_taken(router, 0), 1);
    fm_router_close(router);
    atomic_store(&failing_write, 0);
    fm_router_config config = small_config(folder);
    router = router_start(&config);
    emit(router, 0, 9, 1, 0);
    emit(router, 0, 9, 2, 0);
    wait_until(fm_router_taken(router, 0) == 2);
    assert_int_equal(fm_router_last(router), 2);
    router_end(router);
    folder_remove(folder);
    fm_log_set_level(FM_LOG_ERROR);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sequence_is_given_twice_after_a_power_cut), /* first: it forks, and no thread has run yet */
        cmocka_unit_test(a_tail_torn_at_any_byte_is_cut_to_the_last_whole_alert),
        cmocka_unit_test(a_byte_changed_before_the_clean_stop_is_refused_with_its_place),
        cmocka_unit_test(damage_in_what_was_synced_is_told_from_a_torn_tail_without_a_clean_stop),
        cmocka_unit_test(random_rubbish_behind_the_end_is_a_torn_tail),
        cmocka_unit_test(a_missing_file_is_refused_unless_it_is_the_oldest),
        cmocka_unit_test(a_log_of_another_version_is_refused),
        cmocka_unit_test(reading_only_changes_nothing),
        cmocka_unit_test(a_full_disk_holds_alerts_up_and_loses_none),
        cmocka_unit_test(a_sync_that_failed_is_not_trusted_when_it_works_again),
        cmocka_unit_test(a_stop_with_a_full_disk_ends_and_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
