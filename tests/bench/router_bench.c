/* tests/bench/router_bench.c - what an alert costs between the rule that raised it and those who listen: JSON lines.
 * links: alert store base
 *
 * router.emit: CPU of the shard's thread for one emit with a body of 600 bytes, the router asleep between bursts or
 * busy. router.log: alerts a second through the whole router, wall clock and CPU of all threads, written or synced.
 * router.hop: from emit to the listener's call, one alert at a time, in microseconds. router.read: a reader over the
 * files. The folder lies in TMPDIR, else /tmp: its disk is what is measured. */
#include "alert/router.h"
#include "base/event.h"
#include "base/log.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 11, BURST = 2000, THROUGHPUT = 200000, HOPS = 2000 };

static char folder[256], body[601];
static uint64_t next_sequence = 1;

static int64_t process_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * FM_NS_PER_S + now.tv_nsec;
}

static int64_t mono_ns(void)
{
    return fm_mono_ns(&fm_clock_system);
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

static fm_router *open_router(bool sync_always)
{
    empty_folder();
    next_sequence = 1;
    fm_router_config config = {
        .directory = folder,
        .layer = &fm_file_system,
        .clock = fm_clock_system,
        .shard_count = 1,
        .ring_bytes = 8 << 20,
        .sync_always = sync_always,
    };
    fm_router *router;
    fm_error error = {0};
    if (fm_router_open(&config, &router, &error) < 0 || fm_router_start(router) < 0) {
        fprintf(stderr, "%s\n", error.message);
        exit(3);
    }
    return router;
}

static void emit(fm_router *router)
{
    uint64_t sequence = next_sequence++;
    fm_routed_alert alert = {
        .id = {sequence * UINT64_C(0x9e3779b97f4a7c15), sequence},
        .partition = 3,
        .sequence = sequence,
        .symbol = FM_SLICE("EURUSD"),
        .rule = FM_SLICE("fx/price_spike"),
        .domain = FM_SLICE("live"),
        .body = {body, sizeof body - 1},
    };
    fm_router_emit(router, 0, &alert);
}

static void wait_for(fm_router *router, uint64_t count)
{
    while (fm_router_taken(router, 0) < count)
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

static double spread_of(const double *sorted, int count)
{
    return (sorted[count * 9 / 10] - sorted[count / 10]) / sorted[count / 2];
}

static void measure_emit(void)
{
    double ns[ROUNDS];
    fm_router *router = open_router(false);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t before = fm_thread_cpu_ns();
        for (int i = 0; i < BURST; i++)
            emit(router);
        ns[round] = (double)(fm_thread_cpu_ns() - before) / BURST;
        wait_for(router, next_sequence - 1);
    }
    fm_router_close(router);
    qsort(ns, ROUNDS, sizeof(ns[0]), compare);
    printf("{\"name\":\"router.emit\",\"params\":{\"body\":600},\"ns\":%.1f,\"spread\":%.3f}\n", ns[ROUNDS / 2],
           spread_of(ns, ROUNDS));
}

static void measure_log(bool sync_always)
{
    fm_router *router = open_router(sync_always);
    int64_t wall = mono_ns(), cpu = process_cpu_ns();
    for (int i = 0; i < THROUGHPUT; i++) {
        while (fm_router_behind(router))
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL); /* as requests are refused meanwhile */
        emit(router);
    }
    wait_for(router, THROUGHPUT);
    double wall_ns = (double)(mono_ns() - wall), cpu_ns = (double)(process_cpu_ns() - cpu);
    fm_router_close(router);
    printf("{\"name\":\"router.log\",\"params\":{\"sync\":\"%s\",\"body\":600},\"alerts_per_s\":%.0f,\"ns\":%.1f}\n",
           sync_always ? "always" : "interval", THROUGHPUT / (wall_ns * 1e-9), cpu_ns / THROUGHPUT);
}

static int count_bytes(void *context, const fm_routed_alert *alert)
{
    *(uint64_t *)context += alert->body.size;
    return 0;
}

static void measure_read(void)
{
    fm_router *router = open_router(false);
    for (int i = 0; i < THROUGHPUT; i++)
        emit(router);
    wait_for(router, THROUGHPUT);
    double ns[ROUNDS];
    uint64_t bytes = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t before = fm_thread_cpu_ns();
        uint64_t after = 0;
        int got;
        while ((got = fm_router_read(router, after, 256, count_bytes, &bytes)) > 0)
            after += (uint64_t)got;
        ns[round] = (double)(fm_thread_cpu_ns() - before) / THROUGHPUT;
    }
    fm_router_close(router);
    qsort(ns, ROUNDS, sizeof(ns[0]), compare);
    printf("{\"name\":\"router.read\",\"params\":{\"body\":600,\"at_once\":256},\"ns\":%.1f,\"spread\":%.3f}\n",
           ns[ROUNDS / 2], spread_of(ns, ROUNDS));
}

static void note(void *context, uint64_t last)
{
    (void)last;
    atomic_store((_Atomic int64_t *)context, mono_ns());
}

static void measure_hop(bool sync_always)
{
    static double us[HOPS];
    _Atomic int64_t heard = 0;
    fm_router *router = open_router(sync_always);
    if (fm_router_listen(router, note, &heard) < 0)
        exit(3);
    for (int i = 0; i < HOPS; i++) {
        atomic_store(&heard, 0);
        int64_t before = mono_ns();
        emit(router);
        while (atomic_load(&heard) == 0)
            nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
        us[i] = (double)(atomic_load(&heard) - before) / 1e3;
    }
    fm_router_close(router);
    qsort(us, HOPS, sizeof(us[0]), compare);
    printf("{\"name\":\"router.hop\",\"params\":{\"sync\":\"%s\"},\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
           sync_always ? "always" : "interval", us[HOPS / 2], us[HOPS * 99 / 100]);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/fmads-router-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(folder) == NULL)
        return 3;
    memset(body, 'x', sizeof body - 1);
    memcpy(body, "{\"text\":\"", 9);
    memcpy(body + sizeof body - 3, "\"}", 2);
    measure_emit();
    measure_log(false);
    measure_log(true);
    measure_hop(false);
    measure_hop(true);
    measure_read();
    empty_folder();
    rmdir(folder);
    return 0;
}
