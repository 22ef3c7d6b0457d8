/* tests/bench/journal_bench.c - what an event of 64 bytes costs in the journal: one JSON line each.
 * links: journal base
 *
 * `ns` is the shard thread's CPU time an event for append and flush (with a sync each 10 ms beside it), `ns_process`
 * that of all threads; medians of rounds of a segment each, `spread` (90th - 10th percentile) / median. Frames of 8
 * events are what a request of 500 records becomes when its symbols lie in many partitions; 500 when they lie in one.
 * journal.sync is the time from flush to synced with sync = "always", in microseconds; journal.read what reading back
 * costs. The folder lies in TMPDIR, else /tmp: its disk is what is measured. */
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "journal/journal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, EVENTS_MAX = 1000, SYNCS = 200 };

#define SEGMENT_BYTES (UINT64_C(64) << 20)

static fm_event events[EVENTS_MAX];
static char folder[256];

static int64_t process_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * FM_NS_PER_S + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void empty_folder(void)
{
    DIR *open = opendir(folder);
    for (struct dirent *entry = open == NULL ? NULL : readdir(open); entry != NULL; entry = readdir(open)) {
        char path[600];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (open != NULL)
        closedir(open);
}

static fm_journal *open_journal(fm_sync sync, bool read_only)
{
    fm_journal_config config = {
        .directory = folder,
        .layer = &fm_file_system,
        .writer_count = 1,
        .sync = sync,
        .sync_interval_ns = 10 * FM_NS_PER_MS,
        .segment_bytes = SEGMENT_BYTES,
        .retain_bytes = 4 * SEGMENT_BYTES,
        .read_only = read_only,
    };
    fm_journal *journal;
    fm_error error = {0};
    if (fm_journal_open(&config, &journal, &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        exit(3);
    }
    return journal;
}

/* Frames of `count` events, `frames` of them a flush, spread over the partitions. */
static void measure_append(const char *name, uint32_t count, uint32_t frames)
{
    empty_folder();
    fm_journal *journal = open_journal(FM_SYNC_INTERVAL, false);
    fm_journal_writer *writer = fm_journal_writer_of(journal, 0);
    uint64_t next[FM_PARTITION_COUNT];
    for (int p = 0; p < FM_PARTITION_COUNT; p++)
        next[p] = 1;
    double ns[ROUNDS], process[ROUNDS];
    uint64_t flushes = SEGMENT_BYTES / ((count * sizeof(fm_event) + 48) * frames),
             room = (uint64_t)count * frames * sizeof(fm_event);
    uint32_t partition = 0;
    for (int round = -1; round < ROUNDS; round++) { /* the first warms up */
        int64_t cpu = process_cpu_ns(), own = 0;
        for (uint64_t i = 0; i < flushes; i++) {
            while (fm_journal_reserve(writer, room) < 0) /* the disk is slower than this loop */
                usleep(1000);
            int64_t start = i % 16 == 0 ? fm_thread_cpu_ns() : 0;
            for (uint32_t k = 0; k < frames; k++) {
                partition = (partition + 1) % FM_PARTITION_COUNT;
                fm_journal_append(writer, partition, next[partition], count, 1, events, count * sizeof(fm_event));
                next[partition] += count;
            }
            fm_journal_flush(writer);
            if (i % 16 == 0)
                own += fm_thread_cpu_ns() - start;
        }
        for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
            fm_journal_release(journal, p, next[p] - 1);
        if (round < 0)
            continue;
        double applied = (double)flushes * frames * count;
        ns[round] = (double)own * 16 / applied;
        process[round] = (double)(process_cpu_ns() - cpu) / applied;
    }
    fm_journal_close(journal);
    qsort(ns, ROUNDS, sizeof(ns[0]), compare);
    qsort(process, ROUNDS, sizeof(process[0]), compare);
    double median = ns[ROUNDS / 2];
    printf("{\"name\":\"%s\",\"params\":{\"events_a_frame\":%u,\"frames_a_flush\":%u},\"ns\":%.2f,\"ns_process\":%.2f,"
           "\"best\":%.2f,"
           "\"ns_a_byte\":%.3f,\"spread\":%.3f}\n",
           name, count, frames, median, process[ROUNDS / 2], ns[0], median / sizeof(fm_event),
           (ns[ROUNDS * 9 / 10] - ns[ROUNDS / 10]) / median);
    fflush(stdout);
}

static int count_events(void *context, const fm_frame *frame)
{
    *(uint64_t *)context += frame->count;
    return 0;
}

static void measure_read(void)
{
    fm_journal *journal = open_journal(FM_SYNC_INTERVAL, true);
    double ns[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t read = 0;
        int64_t start = fm_mono_ns(&fm_clock_system);
        if (fm_journal_read(journal, UINT64_MAX, NULL, count_events, &read, NULL) < 0)
            exit(3);
        ns[round] = (double)(fm_mono_ns(&fm_clock_system) - start) / (double)read;
    }
    fm_journal_close(journal);
    qsort(ns, ROUNDS, sizeof(ns[0]), compare);
    printf("{\"name\":\"journal.read\",\"ns\":%.2f,\"spread\":%.3f}\n", ns[ROUNDS / 2],
           (ns[ROUNDS * 9 / 10] - ns[ROUNDS / 10]) / ns[ROUNDS / 2]);
}

static void measure_sync(void)
{
    empty_folder();
    fm_journal *journal = open_journal(FM_SYNC_ALWAYS, false);
    fm_journal_writer *writer = fm_journal_writer_of(journal, 0);
    static double us[SYNCS];
    usleep(1000000); /* the second segment is being made */
    for (int i = 0; i < SYNCS; i++) {
        int64_t start = fm_mono_ns(&fm_clock_system);
        fm_journal_append(writer, 0, 1 + (uint64_t)i * 100, 100, 1, events, 100 * sizeof(fm_event));
        uint64_t written = fm_journal_flush(writer);
        fm_journal_request_sync(writer);
        while (fm_journal_synced(writer) < written)
            ;
        us[i] = (double)(fm_mono_ns(&fm_clock_system) - start) / 1000;
    }
    fm_journal_close(journal);
    qsort(us, SYNCS, sizeof(us[0]), compare);
    printf("{\"name\":\"journal.sync\",\"p50_us\":%.0f,\"p99_us\":%.0f}\n", us[SYNCS / 2], us[SYNCS * 99 / 100]);
}

int main(void)
{
    fm_log_set_level(FM_LOG_WARN);
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/fmads-journal-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(folder) == NULL)
        return 3;
    fm_random random;
    fm_random_seed(&random, 1);
    for (int i = 0; i < EVENTS_MAX; i++) {
        events[i] = (fm_event){.ts_ns = i, .kind = FM_TRADE, .seq = FM_SEQ_ABSENT};
        events[i].as.trade.price = (int64_t)fm_random_below(&random, 1000000);
    }
    measure_append("journal.append", 500, 1);
    measure_read();
    measure_append("journal.append", 8, 62);
    measure_read();
    measure_append("journal.append", 8, 1);
    measure_sync();
    empty_folder();
    rmdir(folder);
    return 0;
}
