/* tests/replay/determinism_test.c - the determinism contract: the same records give the same bytes, whatever runs them.
 * timeout: 600
 * labels: tsan
 *
 * Shards 1, 2, 8; batches 1, 7, 1000; live, replayed (verify), recovered from the journal, from a snapshot, with another number of shards;
 * FMA and AVX2 hidden from the C library. On real EURUSD and BAC records and on generated ones (the seed is printed). */
#include "replay/however.h"

#include <fcntl.h>
#include <sys/wait.h>

lab *lab_running;
static const char *self;

#define RULES FMADS_SOURCE_DIR "/tests/replay/rules"

static void check(const char *name, const lab_records *records)
{
    uint32_t expected_count, count;
    char what[100];
    fm_hash128 expected = run_live(RULES, records, 1, 1000, &expected_count);
    printf("%s: %u records, %u alerts\n", name, records->count, expected_count);
    assert_true(expected_count > 20);
    static const uint32_t shards[] = {1, 2, 8}, batches[] = {1, 7, 1000};
    for (int s = 0; s < 3; s++)
        for (int b = 0; b < 3; b++) {
            snprintf(what, sizeof(what), "%s, %u shards, batches of %u", name, shards[s], batches[b]);
            fm_hash128 got = run_live(RULES, records, shards[s], batches[b], &count);
            same(what, expected, expected_count, got, count);
        }
    for (int snapshot = 0; snapshot < 2; snapshot++)
        for (uint32_t cut = records->count / 3; cut < records->count; cut += records->count / 3 + 17) {
            snprintf(what, sizeof(what), "%s, recovered at record %u %s a snapshot", name, cut, snapshot ? "with" : "without");
            fm_hash128 got = run_recovered(RULES, records, cut, snapshot, &count);
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
    fm_hash128 digest = run_live(RULES, &records, 2, 50, &count);
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
