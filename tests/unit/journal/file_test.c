/* tests/unit/journal/file_test.c - what goes in comes out: in order, whole, over any number of runs and shards. */
#include "journal_bed.h"

#include <time.h>

static void an_empty_journal_has_no_frames_and_grows_its_incarnation(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    for (uint64_t run = 1; run <= 4; run++) {
        bed_open(&bed);
        assert_int_equal(fm_journal_incarnation(bed.journal), run);
        bed_assert_whole(&bed);
        bed_close(&bed);
    }
    bed_fini(&bed);
}

static void frames_come_back_in_order_after_a_clean_close(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    bed_open(&bed);
    fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
    uint64_t before = 0;
    for (uint32_t i = 0; i < 100; i++) {
        bed_append(&bed, 0, i % 3, 1 + i % 9);
        uint64_t written = fm_journal_flush(writer);
        assert_true(written > before);
        assert_int_equal(fm_journal_written(writer), written);
        before = written;
    }
    assert_int_equal(fm_journal_flush(writer), before);
    bed_close(&bed);
    bed_open(&bed);
    bed_assert_whole(&bed);
    bed_fini(&bed);
}

static void frames_come_back_after_a_crash_of_the_process(void **unused)
{
    (void)unused;
    fm_bed bed, crashed;
    bed_init(&bed);
    bed_init(&crashed);
    bed.config.writer_count = 4;
    bed_open(&bed);
    for (uint32_t i = 0; i < 2000; i++)
        bed_append(&bed, i % 4, i % 64 / 4 * 4 + i % 4, 1 + i % 20);
    for (uint32_t w = 0; w < 4; w++)
        fm_journal_flush(fm_journal_writer_of(bed.journal, w));
    bed_copy(bed.directory, crashed.directory);
    memcpy(crashed.next, bed.next, sizeof(bed.next));
    bed_open(&crashed);
    bed_assert_whole(&crashed);
    assert_int_equal(bed_file_count(crashed.directory, ".torn"), 0);
    bed_fini(&crashed);
    bed_fini(&bed);
}

static void the_number_of_shards_may_change_between_runs(void **unused)
{
    (void)unused;
    static const uint32_t writers[] = {1, 8, 2, 64, 3};
    fm_bed bed;
    bed_init(&bed);
    for (size_t run = 0; run < sizeof(writers) / sizeof(writers[0]); run++) {
        bed.config.writer_count = writers[run];
        bed_open(&bed);
        bed_assert_whole(&bed);
        for (uint32_t i = 0; i < 1500; i++) {
            uint32_t p = (i * 7) % FM_PARTITION_COUNT;
            bed_append(&bed, p % writers[run], p, 1 + i % 5);
        }
        for (uint32_t w = 0; w < writers[run]; w++)
            fm_journal_flush(fm_journal_writer_of(bed.journal, w));
        bed_close(&bed);
    }
    bed_open(&bed);
    bed_assert_whole(&bed);
    bed_fini(&bed);
}

static void reading_filters_by_partition_and_by_what_the_caller_has(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    for (int run = 0; run < 3; run++) {
        bed_open(&bed);
        for (uint32_t i = 0; i < 900; i++)
            bed_append(&bed, 0, i % 5, 10);
        fm_journal_flush(fm_journal_writer_of(bed.journal, 0));
        bed_close(&bed);
    }
    bed_open(&bed);
    uint64_t after[FM_PARTITION_COUNT] = {[1] = 3000, [2] = 5395, [3] = 5400};
    fm_seen seen;
    assert_int_equal(bed_read(&bed, 0x0e, after, &seen, NULL), 0);
    assert_false(seen.wrong);
    assert_int_equal(seen.partitions, 0x06);
    assert_int_equal(seen.first[1], 3001);
    assert_int_equal(seen.last[1], 5400);
    assert_int_equal(seen.first[2], 5391); /* the frame that has the first new one */
    assert_int_equal(seen.last[2], 5400);
    assert_int_equal(seen.first[3], 0);
    bed_fini(&bed);
}

/* Partition 0 is in three runs and partition 1 in the first and the last: the caller has 0 up to the second run, so the
 * first run is read for 1, the second is passed over, the third is read for both. */
static void passing_over_a_segment_keeps_the_thread(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    for (int run = 0; run < 3; run++) {
        bed_open(&bed);
        bed_append(&bed, 0, 0, 5);
        if (run != 1)
            bed_append(&bed, 0, 1, 5);
        bed_close(&bed);
    }
    bed_open(&bed);
    uint64_t after[FM_PARTITION_COUNT] = {[0] = 10, [1] = 2};
    fm_seen seen;
    assert_int_equal(bed_read(&bed, UINT64_MAX, after, &seen, NULL), 0);
    assert_false(seen.wrong);
    assert_int_equal(seen.first[0], 11);
    assert_int_equal(seen.first[1], 1);
    assert_int_equal(seen.last[1], 10);
    bed_fini(&bed);
}

static int stop_at_third(void *context, const fm_frame *frame)
{
    (void)frame;
    return ++*(int *)context == 3 ? FM_EBUDGET : 0;
}

static void a_visit_can_stop_the_reading(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    bed_open(&bed);
    for (int i = 0; i < 10; i++)
        bed_append(&bed, 0, 0, 1);
    fm_journal_flush(fm_journal_writer_of(bed.journal, 0));
    bed_close(&bed);
    bed_open(&bed);
    int calls = 0;
    assert_int_equal(fm_journal_read(bed.journal, UINT64_MAX, NULL, stop_at_third, &calls, NULL), FM_EBUDGET);
    assert_int_equal(calls, 3);
    bed_fini(&bed);
}

/* Larger than the buffer, then larger than what is left of a segment. */
static void frames_of_every_size_survive(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    bed.config.segment_bytes = UINT64_C(1) << 20;
    bed_open(&bed);
    fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
    static const uint32_t counts[] = {1, 500, 6000, 3, 9000, 9000, 9000, 1, 12000, 7};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        bed_append(&bed, 0, (uint32_t)i % 2, counts[i]);
        if (i % 3 == 0)
            fm_journal_flush(writer);
    }
    assert_true(fm_journal_rolled(writer));
    assert_false(fm_journal_rolled(writer));
    fm_journal_flush(writer);
    bed_close(&bed);
    bed_open(&bed);
    bed_assert_whole(&bed);
    bed_fini(&bed);
}

static void rolling_is_told_once_a_segment(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    bed_open(&bed);
    fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
    int rolls = 0;
    uint64_t events = 0;
    while (rolls < 5) {
        bed_append(&bed, 0, 9, 4);
        events += 4;
        fm_journal_flush(writer);
        rolls += fm_journal_rolled(writer);
    }
    assert_in_range(events * 64, 4 * BED_SEGMENT / 2, 5 * BED_SEGMENT);
    bed_close(&bed);
    assert_int_equal(bed_file_count(bed.directory, ".seg"), 6);
    bed_open(&bed);
    bed_assert_whole(&bed);
    bed_fini(&bed);
}

static void any_sequence_of_appends_flushes_and_runs_is_read_back(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        fm_random random;
        fm_random_seed(&random, seed);
        fm_bed bed;
        bed_init(&bed);
        bed.config.sync = (fm_sync)(seed % 3);
        for (int run = 0; run < 4; run++) {
            bed.config.writer_count = 1 + (uint32_t)fm_random_below(&random, 5);
            bed.config.segment_bytes = BED_SEGMENT << fm_random_below(&random, 3);
            bed_open(&bed);
            bed_assert_whole(&bed);
            uint64_t steps = fm_random_below(&random, 600);
            for (uint64_t i = 0; i < steps; i++) {
                uint32_t p = (uint32_t)fm_random_below(&random, FM_PARTITION_COUNT);
                uint32_t writer = p % bed.config.writer_count;
                uint64_t large = fm_random_below(&random, 20) == 0 ? 1500 : 12;
                bed_append(&bed, writer, p, 1 + (uint32_t)fm_random_below(&random, large));
                if (fm_random_below(&random, 4) == 0)
                    fm_journal_flush(fm_journal_writer_of(bed.journal, writer));
            }
            bed_close(&bed); /* flushes what was appended */
        }
        bed_open(&bed);
        bed_assert_whole(&bed);
        bed_fini(&bed);
    }
}

static void a_second_process_is_refused_and_a_reader_is_not(void **unused)
{
    (void)unused;
    fm_bed bed, second;
    bed_init(&bed);
    bed_open(&bed);
    bed_append(&bed, 0, 5, 3);
    fm_journal_flush(fm_journal_writer_of(bed.journal, 0));
    second = bed;
    fm_error error = {0};
    assert_int_equal(fm_journal_open(&second.config, &second.journal, &error), FM_EBUSY);
    assert_non_null(strstr(error.message, "in use"));
    second.config.read_only = true;
    bed_open(&second);
    bed_assert_whole(&second);
    bed_close(&second);
    bed_fini(&bed);
}

static void reading_only_changes_nothing(void **unused)
{
    (void)unused;
    fm_bed bed, crashed;
    bed_init(&bed);
    bed_init(&crashed);
    bed_open(&bed);
    for (int i = 0; i < 300; i++)
        bed_append(&bed, 0, 1, 5);
    fm_journal_flush(fm_journal_writer_of(bed.journal, 0));
    bed_copy(bed.directory, crashed.directory);
    size_t count, after_count;
    char **paths = bed_files(crashed.directory, "", &count);
    uint64_t hash = 0, after_hash = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size;
        char *data = bed_load(paths[i], &size);
        hash = fm_hash64(data, size, hash);
        free(data);
    }
    bed_files_free(paths, count);
    memcpy(crashed.next, bed.next, sizeof(bed.next));
    crashed.config.read_only = true;
    bed_open(&crashed);
    bed_assert_whole(&crashed);
    bed_close(&crashed);
    paths = bed_files(crashed.directory, "", &after_count);
    assert_int_equal(count, after_count);
    for (size_t i = 0; i < count; i++) {
        size_t size;
        char *data = bed_load(paths[i], &size);
        after_hash = fm_hash64(data, size, after_hash);
        free(data);
    }
    bed_files_free(paths, after_count);
    assert_int_equal(hash, after_hash);
    bed_fini(&crashed);
    bed_fini(&bed);
}

static void reading_only_needs_a_journal(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    bed.config.read_only = true;
    fm_error error = {0};
    assert_int_equal(fm_journal_open(&bed.config, &bed.journal, &error), FM_ENOTFOUND);
    rmdir(bed.directory);
    assert_int_equal(fm_journal_open(&bed.config, &bed.journal, &error), FM_ENOTFOUND);
    bed_fini(&bed);
}

static void settings_out_of_range_are_refused(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    fm_journal_config good = bed.config;
    bed.config.writer_count = 0;
    assert_int_equal(fm_journal_open(&bed.config, &bed.journal, NULL), FM_EINVAL);
    bed.config = good;
    bed.config.segment_bytes = 4096;
    assert_int_equal(fm_journal_open(&bed.config, &bed.journal, NULL), FM_EINVAL);
    bed.config.segment_bytes = UINT64_C(1) << 40;
    assert_int_equal(fm_journal_open(&bed.config, &bed.journal, NULL), FM_EINVAL);
    bed.config = good;
    bed.config.sync_interval_ns = 0;
    assert_int_equal(fm_journal_open(&bed.config, &bed.journal, NULL), FM_EINVAL);
    bed_fini(&bed);
}

static void wait_synced(fm_journal_writer *writer, uint64_t position)
{
    for (int i = 0; i < 5000 && fm_journal_synced(writer) < position; i++)
        usleep(1000);
    assert_true(fm_journal_synced(writer) >= position);
}

static void told(void *context)
{
    atomic_fetch_add((_Atomic int *)context, 1);
}

static void what_is_written_is_synced_soon_and_told(void **unused)
{
    (void)unused;
    for (int sync = FM_SYNC_ALWAYS; sync <= FM_SYNC_INTERVAL; sync++) {
        fm_bed bed;
        bed_init(&bed);
        bed.layer = fm_file_system;
        bed.config.sync = (fm_sync)sync;
        bed_open(&bed);
        fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
        _Atomic int calls = 0;
        fm_journal_on_synced(writer, told, &calls);
        for (int i = 0; i < 20; i++) {
            bed_append(&bed, 0, 0, 100);
            uint64_t position = fm_journal_flush(writer);
            if (i % 2 == 0)
                fm_journal_request_sync(writer);
            wait_synced(writer, position);
        }
        assert_true(atomic_load(&calls) >= 1);
        assert_true(fm_counter(fm_journal_counters(bed.journal), FM_METRIC_JOURNAL_SYNCS) >= 20);
        bed_fini(&bed);
    }
}

static void with_sync_off_nothing_is_synced_before_close(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    bed.config.sync = FM_SYNC_OFF;
    bed_open(&bed);
    fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
    for (int i = 0; i < 100; i++) {
        bed_append(&bed, 0, 0, 100);
        fm_journal_flush(writer);
    }
    usleep(20000);
    assert_int_equal(fm_journal_synced(writer), 0);
    assert_int_equal(fm_counter(fm_journal_counters(bed.journal), FM_METRIC_JOURNAL_SYNCS), 0);
    bed_close(&bed);
    bed_open(&bed);
    bed_assert_whole(&bed);
    bed_fini(&bed);
}

static void counters_tell_frames_and_bytes(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    bed_open(&bed);
    size_t bytes = 0;
    for (int i = 0; i < 50; i++)
        bytes += bed_append(&bed, 0, 0, 3) + 48;
    fm_journal_flush(fm_journal_writer_of(bed.journal, 0));
    fm_counters *counters = fm_journal_counters(bed.journal);
    assert_int_equal(fm_counter(counters, FM_METRIC_JOURNAL_FRAMES), 50);
    assert_int_equal(fm_counter(counters, FM_METRIC_JOURNAL_BYTES), bytes);
    bed_fini(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_journal_has_no_frames_and_grows_its_incarnation),
        cmocka_unit_test(frames_come_back_in_order_after_a_clean_close),
        cmocka_unit_test(frames_come_back_after_a_crash_of_the_process),
        cmocka_unit_test(the_number_of_shards_may_change_between_runs),
        cmocka_unit_test(reading_filters_by_partition_and_by_what_the_caller_has),
        cmocka_unit_test(passing_over_a_segment_keeps_the_thread),
        cmocka_unit_test(a_visit_can_stop_the_reading),
        cmocka_unit_test(frames_of_every_size_survive),
        cmocka_unit_test(rolling_is_told_once_a_segment),
        cmocka_unit_test(any_sequence_of_appends_flushes_and_runs_is_read_back),
        cmocka_unit_test(a_second_process_is_refused_and_a_reader_is_not),
        cmocka_unit_test(reading_only_changes_nothing),
        cmocka_unit_test(reading_only_needs_a_journal),
        cmocka_unit_test(settings_out_of_range_are_refused),
        cmocka_unit_test(what_is_written_is_synced_soon_and_told),
        cmocka_unit_test(with_sync_off_nothing_is_synced_before_close),
        cmocka_unit_test(counters_tell_frames_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
