/* tests/unit/journal/threads_test.c - shards, requests, readers, releases and the syncer at once. TSan judges the rest.
 */
#include "journal_bed.h"

#include <pthread.h>

enum { SHARDS = 3, READERS = 2, ROUNDS = 400 };

typedef struct shard_thread {
    fm_bed *bed;
    uint32_t index;
    pthread_t thread;
} shard_thread;

static _Atomic bool over;
static _Atomic int synced_calls[SHARDS];

static void count_synced(void *context)
{
    atomic_fetch_add((_Atomic int *)context, 1);
}

/* A shard with partitions of its own; appends what it could reserve. */
static void *work_as_shard(void *context)
{
    shard_thread *self = context;
    fm_bed *bed = self->bed;
    fm_journal_writer *writer = fm_journal_writer_of(bed->journal, self->index);
    fm_journal_on_synced(writer, count_synced, &synced_calls[self->index]);
    fm_random random;
    fm_random_seed(&random, self->index);
    for (int i = 0; i < ROUNDS;) {
        uint32_t p = (uint32_t)fm_random_below(&random, 20) * SHARDS + self->index;
        uint32_t count = 1 + (uint32_t)fm_random_below(&random, 60);
        uint64_t room = count * UINT64_C(96);
        if (fm_journal_reserve(writer, room) < 0) {
            usleep(200);
            continue;
        }
        size_t used = bed_append(bed, self->index, p, count);
        fm_journal_unreserve(writer, room - used);
        fm_journal_flush(writer);
        if (fm_random_below(&random, 16) == 0)
            fm_journal_request_sync(writer);
        if (fm_journal_synced(writer) > fm_journal_written(writer))
            abort();
        if (fm_journal_rolled(writer)) {
            for (uint32_t mine = self->index; mine < 60; mine += SHARDS)
                fm_journal_release(bed->journal, mine, bed->next[mine] - 1);
        }
        i++;
    }
    return NULL;
}

/* A receiving thread: takes room of every shard and gives it back. */
static void *work_as_receiver(void *context)
{
    fm_bed *bed = context;
    while (!atomic_load(&over)) {
        for (uint32_t i = 0; i < SHARDS; i++) {
            fm_journal_writer *writer = fm_journal_writer_of(bed->journal, i);
            if (fm_journal_reserve(writer, 640) >= 0)
                fm_journal_unreserve(writer, 640);
        }
        usleep(50);
    }
    return NULL;
}

static void *work_as_reader(void *context)
{
    fm_bed *bed = context;
    int *failures = calloc(1, sizeof(*failures));
    do {
        fm_seen seen;
        fm_error error = {0};
        if (bed_read(bed, UINT64_MAX, NULL, &seen, &error) < 0 || seen.wrong)
            (*failures)++;
    } while (!atomic_load(&over));
    return failures;
}

static void run_all(fm_bed *bed)
{
    shard_thread shards[SHARDS];
    pthread_t receiver, readers[READERS];
    atomic_store(&over, false);
    for (uint32_t i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, work_as_reader, bed);
    pthread_create(&receiver, NULL, work_as_receiver, bed);
    for (uint32_t i = 0; i < SHARDS; i++) {
        shards[i] = (shard_thread){.bed = bed, .index = i};
        pthread_create(&shards[i].thread, NULL, work_as_shard, &shards[i]);
    }
    for (uint32_t i = 0; i < SHARDS; i++)
        pthread_join(shards[i].thread, NULL);
    atomic_store(&over, true);
    pthread_join(receiver, NULL);
    for (uint32_t i = 0; i < READERS; i++) {
        int *failures;
        pthread_join(readers[i], (void **)&failures);
        assert_int_equal(*failures, 0);
        free(failures);
    }
}

static void everybody_at_once_loses_nothing(void **unused)
{
    (void)unused;
    for (int sync = FM_SYNC_ALWAYS; sync <= FM_SYNC_OFF; sync++) {
        fm_bed bed;
        bed_init(&bed);
        bed.config.writer_count = SHARDS;
        bed.config.sync = (fm_sync)sync;
        for (int run = 0; run < 3; run++) {
            bed.config.retain_bytes = run == 1 ? 12 * BED_SEGMENT : UINT64_C(1) << 40;
            bed_open(&bed);
            run_all(&bed);
            bed_close(&bed);
        }
        bed_open(&bed);
        fm_seen seen;
        fm_error error = {0};
        if (bed_read(&bed, UINT64_MAX, NULL, &seen, &error) < 0)
            fail_msg("%s", error.message);
        assert_false(seen.wrong);
        for (int p = 0; p < 60; p++)
            assert_int_equal(seen.last[p] + 1, bed.next[p]);
        if (sync != FM_SYNC_OFF)
            assert_true(atomic_load(&synced_calls[0]) > 0);
        bed_fini(&bed);
    }
}

static void closing_at_any_moment_keeps_what_was_appended(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    for (int i = 0; i < 60; i++) {
        bed.config.sync = (fm_sync)(i % 3);
        bed_open(&bed);
        for (int k = 0; k < i; k++)
            bed_append(&bed, 0, (uint32_t)k, 1 + (uint32_t)i * 2);
        usleep((useconds_t)(i % 7) * 300);
        bed_close(&bed);
    }
    bed_open(&bed);
    bed_assert_whole(&bed);
    bed_fini(&bed);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_at_once_loses_nothing),
        cmocka_unit_test(closing_at_any_moment_keeps_what_was_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
