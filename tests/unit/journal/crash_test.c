/* tests/unit/journal/crash_test.c - kill -9 at seeded moments, run after run over one folder: what was promised is
 * there.
 *
 * The child writes and tells in shared memory what it was promised; the parent kills it, looks, and lets the next child
 * go on from what is there. With files that withhold what was not synced the kill is a power cut. One kill in three is
 * counted from when the child was promised something, one from when it began to write, and one from its birth: that may
 * fall into the opening, and so into the repair of the crash before.
 *
 * timeout: 900 */
#include "journal_bed.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

typedef struct promises {
    _Atomic uint64_t kept[FM_PARTITION_COUNT]; /* sequences up to here must be there */
    _Atomic uint64_t opened;
} promises;

typedef struct crash_run {
    const fm_file_layer *layer;
    fm_sync sync;
    bool on_synced; /* the promise is "synced"; else "written" */
    uint64_t seed;
    int64_t moment_us_max;
} crash_run;

enum { PENDING_MAX = 4096 };

static _Noreturn void write_until_killed(fm_bed *bed, const crash_run *run, uint64_t turn, promises *promise)
{
    fm_seen seen;
    bed->config.writer_count = 1 + (uint32_t)(turn % 3);
    bed_open(bed);
    if (bed_read(bed, UINT64_MAX, NULL, &seen, NULL) < 0 || seen.wrong)
        _exit(3);
    for (int p = 0; p < FM_PARTITION_COUNT; p++)
        bed->next[p] = seen.last[p] + 1;
    atomic_fetch_add(&promise->opened, 1);

    fm_random random;
    fm_random_seed(&random, run->seed * 1000 + turn);
    static struct {
        uint32_t partition;
        uint64_t last, position;
    } pending[3][PENDING_MAX];
    size_t first[3] = {0}, count[3] = {0};
    for (;;) {
        uint32_t p = (uint32_t)fm_random_below(&random, FM_PARTITION_COUNT), w = p % bed->config.writer_count;
        fm_journal_writer *writer = fm_journal_writer_of(bed->journal, w);
        bed_append(bed, w, p, 1 + (uint32_t)fm_random_below(&random, 40));
        uint64_t written = fm_journal_flush(writer);
        if (!run->on_synced) {
            atomic_store(&promise->kept[p], bed->next[p] - 1);
            continue;
        }
        if (count[w] - first[w] < PENDING_MAX) {
            size_t at = count[w]++ % PENDING_MAX;
            pending[w][at].partition = p;
            pending[w][at].last = bed->next[p] - 1;
            pending[w][at].position = written;
        }
        if (fm_random_below(&random, 10) == 0)
            fm_journal_request_sync(writer);
        if (fm_random_below(&random, 8) == 0)
            usleep((useconds_t)fm_random_below(&random, 500));
        uint64_t synced = fm_journal_synced(writer);
        for (; first[w] < count[w] && pending[w][first[w] % PENDING_MAX].position <= synced; first[w]++) {
            size_t at = first[w] % PENDING_MAX;
            atomic_store(&promise->kept[pending[w][at].partition], pending[w][at].last);
        }
    }
}

static uint64_t count_promised(promises *promise)
{
    uint64_t events = 0;
    for (int p = 0; p < FM_PARTITION_COUNT; p++)
        events += atomic_load(&promise->kept[p]);
    return events;
}

/* Until the child is as far as this turn's kill wants it, however slow the machine is; a child that ended is seen when
 * it is waited for. */
static void wait_for_progress(uint64_t turn, promises *promise, uint64_t opened_before, uint64_t promised_before,
                              pid_t child)
{
    siginfo_t ended = {0};
    while (turn % 3 != 0 && waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0) {
        if (turn % 3 == 1 ? atomic_load(&promise->opened) > opened_before : count_promised(promise) > promised_before)
            return;
        usleep(200);
    }
}

/* Returns how many children got as far as writing. */
static uint64_t crash_twenty_times(const crash_run *run)
{
    fm_bed bed;
    bed_init(&bed);
    bed.layer = *run->layer;
    bed.config.sync = run->sync;
    promises *promise = mmap(NULL, sizeof(*promise), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(promise != MAP_FAILED);
    print_message("seed %llu\n", (unsigned long long)run->seed);
    fm_random random;
    fm_random_seed(&random, run->seed);
    for (uint64_t turn = 0; turn < 20; turn++) {
        uint64_t opened_before = atomic_load(&promise->opened), promised_before = count_promised(promise);
        pid_t child = fork();
        if (child == 0)
            write_until_killed(&bed, run, turn, promise);
        wait_for_progress(turn, promise, opened_before, promised_before, child);
        usleep((useconds_t)(1 + fm_random_below(&random, (uint64_t)run->moment_us_max)));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* not of its own */

        fm_bed look = bed;
        look.config.layer = &fm_file_system;
        look.config.read_only = true;
        fm_error error = {0};
        int result = fm_journal_open(&look.config, &look.journal, &error);
        if (result == FM_ENOTFOUND) { /* killed before there was a journal */
            assert_int_equal(atomic_load(&promise->opened), 0);
            continue;
        }
        if (result < 0)
            fail_msg("turn %llu: %s", (unsigned long long)turn, error.message);
        fm_seen seen;
        if (bed_read(&look, UINT64_MAX, NULL, &seen, &error) < 0)
            fail_msg("turn %llu: %s", (unsigned long long)turn, error.message);
        assert_false(seen.wrong);
        for (int p = 0; p < FM_PARTITION_COUNT; p++)
            assert_true(seen.last[p] >= atomic_load(&promise->kept[p]));
        bed_close(&look);
    }
    uint64_t opened = atomic_load(&promise->opened), events = count_promised(promise);
    print_message("%llu runs wrote, %llu events were promised\n", (unsigned long long)opened,
                  (unsigned long long)events);
    munmap(promise, sizeof(*promise));
    bed_fini(&bed);
    return events == 0 ? 0 : opened;
}

static void what_was_synced_survives_a_power_cut(void **unused)
{
    (void)unused;
    crash_run run = {
        .layer = &fm_file_withholding, .sync = FM_SYNC_ALWAYS, .on_synced = true, .seed = 3, .moment_us_max = 80000};
    assert_true(crash_twenty_times(&run) >= 13);
}

static void what_was_synced_in_intervals_survives_a_power_cut(void **unused)
{
    (void)unused;
    crash_run run = {
        .layer = &fm_file_withholding, .sync = FM_SYNC_INTERVAL, .on_synced = true, .seed = 4, .moment_us_max = 80000};
    assert_true(crash_twenty_times(&run) >= 13);
}

static void what_was_written_survives_the_death_of_the_process(void **unused)
{
    (void)unused;
    for (int sync = FM_SYNC_ALWAYS; sync <= FM_SYNC_OFF; sync++) {
        crash_run run = {
            .layer = &fm_file_system, .sync = (fm_sync)sync, .seed = 5 + (uint64_t)sync, .moment_us_max = 50000};
        assert_true(crash_twenty_times(&run) >= 13);
    }
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_survives_a_power_cut),
        cmocka_unit_test(what_was_synced_in_intervals_survives_a_power_cut),
        cmocka_unit_test(what_was_written_survives_the_death_of_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
