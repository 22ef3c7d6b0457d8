/* tests/replay/however.h - the same records with the same rules, run in one way or another: the digest of the alerts. */
#ifndef FM_TESTS_REPLAY_HOWEVER_H
#define FM_TESTS_REPLAY_HOWEVER_H

#include "replay/lab.h"

static inline fm_hash128 finish(lab *l, uint32_t *unique)
{
    fm_hash128 digest = lab_digest(l->body, l->body_count, unique);
    lab_free_bodies(l);
    return digest;
}

static inline void send_all(lab *l, const lab_records *records, uint32_t from, uint32_t to, uint32_t batch)
{
    for (uint32_t at = from; at < to; at += batch)
        lab_send(l, "run", &records->record[at], to - at < batch ? to - at : batch);
}

static inline void verify_must_agree(const char *directory)
{
    fm_settings settings;
    fm_verdict verdict;
    fm_error error = {0};
    fm_settings_preset(&settings);
    snprintf(settings.data_dir, sizeof(settings.data_dir), "%s", directory);
    settings.rules_budget = 10000;
    settings.rules_deadline = 2 * FM_NS_PER_S;
    settings.engine_batch_max = 333;
    lab_must(fm_verify(&settings, NULL, &verdict, &error), &error);
    assert_true(verdict.snapshots > 0);
    assert_int_equal(verdict.state_differences, 0);
    /* There is no router in this lab: the alerts that the fold gives are compared by the caller. */
}

static inline fm_hash128 run_live(const char *rules, const lab_records *records, uint32_t shards, uint32_t batch, uint32_t *unique)
{
    lab l;
    char directory[256];
    lab_folder(directory, sizeof(directory));
    lab_options options = {.shards = shards, .batch = batch, .rules = rules, .snapshots = true, .sync = FM_SYNC_INTERVAL};
    lab_open(&l, directory, &options);
    send_all(&l, records, 0, records->count, batch);
    lab_close(&l, false);
    fm_hash128 digest = finish(&l, unique);
    lab_remove(directory);
    return digest;
}

/* Stops at `cut` (with or without a snapshot there), goes on with other shards and batches; what both halves said, each alert once. */
static inline fm_hash128 run_recovered(const char *rules, const lab_records *records, uint32_t cut, bool snapshot, uint32_t *unique)
{
    lab first, second;
    char directory[256];
    lab_folder(directory, sizeof(directory));
    lab_options options = {.shards = 2, .batch = 64, .rules = rules, .snapshots = snapshot, .sync = FM_SYNC_INTERVAL};
    lab_open(&first, directory, &options);
    send_all(&first, records, 0, cut, 64);
    lab_close(&first, snapshot);
    options.shards = 3;
    options.batch = 100;
    options.snapshots = true;
    lab_open(&second, directory, &options);
    send_all(&second, records, cut, records->count, 100);
    lab_close(&second, true);
    uint32_t count = first.body_count + second.body_count;
    char **all = malloc((count + 1) * sizeof(*all));
    memcpy(all, first.body, first.body_count * sizeof(*all));
    memcpy(all + first.body_count, second.body, second.body_count * sizeof(*all));
    fm_hash128 digest = lab_digest(all, count, unique);
    free(all);
    lab_free_bodies(&first);
    lab_free_bodies(&second);
    verify_must_agree(directory);
    lab_remove(directory);
    return digest;
}

static inline void same(const char *what, fm_hash128 expected, uint32_t expected_count, fm_hash128 got, uint32_t count)
{
    if (memcmp(&expected, &got, sizeof(got)) != 0)
        fail_msg("%s: %u alerts, others than the %u of one shard", what, count, expected_count);
}

#endif
