/* tests/replay/determinism_test.c - the determinism contract: the same records give the same bytes, whatever runs them.
 * timeout: 600
 * labels: tsan
 *
 * Shards 1, 2, 8; batches 1, 7, 1000; live, replayed (verify), recovered from the journal, from a snapshot, with another number of shards;
 * FMA and AVX2 hidden from the C library. On real EURUSD and BAC records and on generated ones (the seed is printed). */
#include "replay/lab.h"

#include <fcntl.h>
#include <sys/wait.h>

lab *lab_running;
static const char *self;

static fm_hash128 finish(lab *l, uint32_t *unique)
{
    fm_hash128 digest = lab_digest(l->body, l->body_count, unique);
    lab_free_bodies(l);
    return digest;
}

static void send_all(lab *l, const lab_records *records, uint32_t from, uint32_t to, uint32_t batch)
{
    for (uint32_t at = from; at < to; at += batch)
        lab_send(l, "run", &records->record[at], to - at < batch ? to - at : batch);
}

static void verify_must_agree(const char *directory)
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

static fm_hash128 run_live(const lab_records *records, uint32_t shards, uint32_t batch, uint32_t *unique)
{
    lab l;
    char directory[256];
    lab_folder(directory, sizeof(directory));
    lab_options options = {.shards = shards, .batch = batch, .rules = FMADS_SOURCE_DIR "/tests/replay/rules", .snapshots = true, .sync = FM_SYNC_INTERVAL};
    lab_open(&l, directory, &options);
    send_all(&l, records, 0, records->count, batch);
    lab_close(&l, false);
    fm_hash128 digest = finish(&l, unique);
    lab_remove(directory);
    return digest;
}

/* Stops at `cut` (with or without a snapshot there), goes on with other shards and batches; what both halves said, each alert once. */
static fm_hash128 run_recovered(const lab_records *records, uint32_t cut, bool snapshot, uint32_t *unique)
{
    lab first, second;
    char directory[256];
    lab_folder(directory, sizeof(directory));
    lab_options options = {.shards = 2, .batch = 64, .rules = FMADS_SOURCE_DIR "/tests/replay/rules", .snapshots = snapshot, .sync = FM_SYNC_INTERVAL};
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

static void same(const char *what, fm_hash128 expected, uint32_t expected_count, fm_hash128 got, uint32_t count)
{
    if (memcmp(&expected, &got, sizeof(got)) != 0)
        fail_msg("%s: %u alerts, others than the %u of one shard", what, count, expected_count);
}

static void check(const char *name, const lab_records *records)
{
    uint32_t expected_count, count;
    char what[100];
    fm_hash128 expected = run_live(records, 1, 1000, &expected_count);
    printf("%s: %u records, %u alerts\n", name, records->count, expected_count);
    assert_true(expected_count > 20);
    static const uint32_t shards[] = {1, 2, 8}, batches[] = {1, 7, 1000};
    for (int s = 0; s < 3; s++)
        for (int b = 0; b < 3; b++) {
            snprintf(what, sizeof(what), "%s, %u shards, batches of %u", name, shards[s], batches[b]);
            fm_hash128 got = run_live(records, shards[s], batches[b], &count);
            same(what, expected, expected_count, got, count);
        }
    for (int snapshot = 0; snapshot < 2; snapshot++)
        for (uint32_t cut = records->count / 3; cut < records->count; cut += records->count / 3 + 17) {
            snprintf(what, sizeof(what), "%s, recovered at record %u %s a snapshot", name, cut, snapshot ? "with" : "without");
            fm_hash128 got = run_recovered(records, cut, snapshot, &count);
            same(what, expected, expected_count, got, count);
        }
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("FMADS_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 20140502;
}

static void generated_records_give_the_same_bytes_however_they_run(void **unused)
{
    (void)unused;
    lab_records records = {0};
    printf("seed %llu (FMADS_SEED)\n", (unsigned long long)seed_of_run());
    lab_generate(&records, seed_of_run(), 12000);
    check("generated", &records);
    free(records.record);
}

static void real_quotes_give_the_same_bytes_however_they_run(void **unused)
{
    (void)unused;
    if (!lab_has_data())
        return;
    lab_records records = {0};
    lab_read(&records, "fx_ticks_EURUSD_oanda_20140502", 10000);
    check("EURUSD", &records);
    free(records.record);
}

static void real_trades_and_quotes_give_the_same_bytes_however_they_run(void **unused)
{
    (void)unused;
    if (!lab_has_data())
        return;
    lab_records records = {0};
    lab_read(&records, "eq_trades_BAC_20131008", 6000);
    lab_read(&records, "eq_quotes_BAC_20131008", 6000);
    check("BAC", &records);
    free(records.record);
}

/* ---- FMA and AVX2 hidden ---- */

static void print_digest(void)
{
    lab_records records = {0};
    uint32_t count;
    lab_generate(&records, seed_of_run(), 12000);
    fm_hash128 digest = run_live(&records, 2, 50, &count);
    printf("digest %016llx%016llx %u\n", (unsigned long long)digest.high, (unsigned long long)digest.low, count);
    free(records.record);
}

static void digest_of_child(const char *tunables, char *out, size_t size)
{
    char command[600], line[200];
    snprintf(command, sizeof(command), "FMADS_LAB_CHILD=1 GLIBC_TUNABLES=%s '%s'", tunables, self);
    FILE *child = popen(command, "r");
    assert_non_null(child);
    out[0] = 0;
    while (fgets(line, sizeof(line), child) != NULL)
        if (strncmp(line, "digest ", 7) == 0)
            snprintf(out, size, "%s", line);
    assert_int_equal(pclose(child), 0);
    assert_true(out[0] != 0);
}

static void hiding_fma_and_avx2_changes_no_bit(void **unused)
{
    (void)unused;
    char with[200], without[200];
    digest_of_child("glibc.malloc.check=0", with, sizeof(with));
    digest_of_child("glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable,-AVX2,-FMA,-AVX,-AVX512F", without, sizeof(without));
    printf("%s", with);
    assert_string_equal(with, without);
}

int main(int argc, char **argv)
{
    (void)argc;
    self = argv[0];
    fm_log_set_level(FM_LOG_ERROR);
    if (getenv("FMADS_LAB_CHILD") != NULL) {
        print_digest();
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generated_records_give_the_same_bytes_however_they_run),
        cmocka_unit_test(real_quotes_give_the_same_bytes_however_they_run),
        cmocka_unit_test(real_trades_and_quotes_give_the_same_bytes_however_they_run),
        cmocka_unit_test(hiding_fma_and_avx2_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
