/* tests/unit/engine/recover_test.c - a power cut took the end of the journal, but not the snapshot that knows it: journal.sync = "off" may do that.
 * links: main */
#include "replay/lab.h"

#include "engine/shard_internal.h"
#include "journal/file_state.h"

lab *lab_running;

static const fm_series *the_series(lab *l, uint32_t *partition)
{
    *partition = fm_partition_of(FM_SLICE("AHEAD"));
    const fm_partition *p = &fm_engine_shard(l->engine, 0)->partition[*partition];
    int domain = fm_admission_domain(&p->admission, FM_SLICE("run"));
    int series = domain < 0 ? -1 : fm_admission_symbol(&p->admission, (uint32_t)domain, FM_SLICE("AHEAD"));
    return series < 0 ? NULL : p->series[series];
}

/* Values first, first + 1, … */
static void run(const char *directory, uint32_t before, double first, uint32_t count, bool snapshot)
{
    lab l;
    uint32_t partition;
    lab_open(&l, directory, &(lab_options){.shards = 1, .batch = 100, .snapshots = true});
    const fm_series *series = the_series(&l, &partition);
    if (before == 0)
        assert_null(series);
    else
        assert_int_equal(series->records, before);
    if (before > 0 && first > 0)
        assert_true(series->last_value == first - 1);
    for (uint32_t i = 0; i < count; i++) {
        fm_record record = lab_record(FM_VALUE, INT64_C(1399000000) * FM_NS_PER_S + (int64_t)i, "AHEAD");
        record.value = first + i;
        lab_send(&l, "run", &record, 1);
    }
    assert_int_equal(l.accepted, count);
    lab_close(&l, snapshot);
    lab_free_bodies(&l);
}

/* The segments of run 2 are gone, as if they had never been on the disk. */
static void lose_the_second_run(const char *directory)
{
    char path[600];
    uint32_t lost = 0;
    snprintf(path, sizeof(path), "%s/journal", directory);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strncmp(entry->d_name, "0000000002-", 11) == 0) {
            snprintf(path, sizeof(path), "%s/journal/%s", directory, entry->d_name);
            assert_int_equal(unlink(path), 0);
            lost++;
        }
    closedir(folder);
    assert_true(lost > 0);
}

/* The second run's snapshot stays where it is: also when the log has grown past it with other entries, nobody takes it for theirs. */
static void a_snapshot_ahead_of_its_journal_is_done_without(void **unused)
{
    (void)unused;
    char directory[256];
    lab_folder(directory, sizeof(directory));
    run(directory, 0, 0, 10, true);
    run(directory, 10, 10, 10, true);
    lose_the_second_run(directory);
    run(directory, 10, 10, 2, false);   /* its log is still shorter than the snapshot */
    run(directory, 12, 12, 100, false); /* and now longer */
    run(directory, 112, 112, 1, true);
    run(directory, 113, 113, 0, false);
    lab_remove(directory);
}

static void without_a_journal_that_reaches_back_the_start_is_refused(void **unused)
{
    (void)unused;
    char directory[256], path[300], snapshots[300], expected[600];
    uint32_t p = fm_partition_of(FM_SLICE("AHEAD"));
    lab_folder(directory, sizeof(directory));
    run(directory, 0, 0, 10, false);
    run(directory, 10, 10, 10, true);
    lose_the_second_run(directory);

    fm_error error = {0};
    fm_engine_config config;
    fm_engine *engine;
    fm_journal *journal;
    snprintf(path, sizeof(path), "%s/journal", directory);
    snprintf(snapshots, sizeof(snapshots), "%s/snapshots", directory);
    lab_must(fm_journal_open(&(fm_journal_config){.directory = path, .layer = &fm_file_system, .writer_count = 1, .segment_bytes = 16u << 20,
                                                  .retain_bytes = 1u << 30},
                             &journal, &error), &error);
    uint64_t removed, last;
    fm_journal_extent(journal, p, 1, &removed, &last);
    assert_int_equal(removed, 0);
    assert_int_equal(last, 10 + 3); /* build, domain, series */
    journal->floor[p] = 5; /* as if retention had been here */
    fm_engine_config_preset(&config);
    config.journal = journal;
    config.snapshot_directory = snapshots;
    lab_must(fm_engine_create(&config, &engine, &error), &error);
    assert_int_equal(fm_shard_recover(fm_engine_shard(engine, 0), &error), FM_ECORRUPT);
    assert_non_null(strstr(error.message, "/0000000002-000-"));
    snprintf(expected, sizeof(expected), "has partition %u up to entry 23, but the journal ends at entry 13, and begins behind entry 5", p);
    assert_non_null(strstr(error.message, expected));
    assert_non_null(strstr(error.hint, "restore the journal from a copy that reaches entry 23"));
    journal->floor[p] = 0;
    fm_engine_destroy(engine);
    fm_journal_close(journal);
    lab_remove(directory);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_ahead_of_its_journal_is_done_without),
        cmocka_unit_test(without_a_journal_that_reaches_back_the_start_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
