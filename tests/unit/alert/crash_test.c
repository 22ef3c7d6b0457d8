/* tests/unit/alert/crash_test.c - kill -9 of the process with router and Redis thread, at random moments, again and
 * again.
 *
 * timeout: 900
 * A moment is a number of alerts taken, so that it falls into the work on a machine of any speed; the child goes on for
 * a little after it and then waits, so that it cannot end before the kill comes.
 *
 * The child does what a restarted engine does: it emits again from some point at or before what was taken, the same
 * alerts in the same order, then goes on. Whatever was `taken` (told in shared memory, which survives the child) must
 * be in the log; every alert must be in log and stream exactly once, in order. With the withholding layer the kill also
 * loses every byte that was not synced. */
#include "unit/alert/redis_server.h"

#include "alert/sink_redis.h"
#include "base/random.h"

#include <sys/mman.h>

enum { ALERTS = 6000, KILLS = 12, PARTITIONS = 5, STEP = 250, RUN_ON = 200 };
_Static_assert(KILLS *(STEP + RUN_ON) < ALERTS, "every kill falls into the work");

typedef struct progress {
    _Atomic uint64_t taken; /* of all alerts, as the dead child knew it */
    uint64_t limit;         /* the child emits the alerts before this one, then waits; with ALERTS it ends */
    _Atomic int done;
} progress;

/* Alert n (from 0): partition by turns, two ordinals a record. */
static void emit_nth(fm_router *router, uint64_t n)
{
    uint64_t round = n / PARTITIONS;
    emit(router, 0, (uint32_t)(n % PARTITIONS), 1 + round / 2, (uint32_t)(round % 2));
}

static void tell_taken(progress *shared, uint64_t taken)
{
    if (taken > atomic_load(&shared->taken))
        atomic_store(&shared->taken, taken);
}

static void child(const char *folder, const redis_server *server, const fm_file_layer *layer, progress *shared,
                  uint64_t seed)
{
    fm_router_config config = router_config(folder);
    config.layer = layer;
    config.sync_always = layer == &fm_file_withholding;
    config.ring_bytes = 16384;
    config.file_bytes = 128 << 10;
    fm_router *router = router_open(&config);
    fm_sink_redis_config redis = {.redis = {.url = server->url, .incarnation_ms = config.incarnation_ms},
                                  .clock = fm_clock_system,
                                  .directory = folder,
                                  .layer = layer,
                                  .sink = 1};
    fm_sink_redis *sink = NULL;
    if (fm_sink_redis_start(router, &redis, &sink) < 0 || fm_router_start(router) < 0)
        _exit(1);

    fm_random random;
    fm_random_seed(&random, seed);
    uint64_t taken = atomic_load(&shared->taken);
    uint64_t from =
        taken - fm_random_below(&random, taken < 500 ? taken + 1 : 500); /* the snapshot lies somewhere before */
    for (uint64_t n = from; n < ALERTS; n++) {
        emit_nth(router, n);
        if (fm_random_below(&random, 20) == 0)
            pause_ms(1);
        tell_taken(shared, from + fm_router_taken(router, 0));
        for (; n + 1 == shared->limit && n + 1 < ALERTS; pause_ms(1))
            tell_taken(shared, from + fm_router_taken(router, 0));
    }
    fm_router_stop(router);
    atomic_store(&shared->taken, from + fm_router_taken(router, 0));
    while (fm_counter(fm_sink_redis_counters(sink), FM_METRIC_REDIS_BACKLOG) > 0 || !fm_sink_redis_connected(sink))
        pause_ms(1);
    fm_sink_redis_stop(sink);
    fm_router_close(router);
    atomic_store(&shared->done, 1);
    _exit(0);
}

static void assert_log_is_whole(const char *folder, uint64_t at_least)
{
    fm_router_config config = router_config(folder);
    config.read_only = true;
    fm_router *router = router_open(&config);
    seen_list list = read_all(router, 0);
    assert_true(list.count >= at_least && list.count <= ALERTS);
    for (uint64_t n = 0; n < list.count; n++) {
        uint64_t round = n / PARTITIONS;
        assert_int_equal(list.items[n].partition, n % PARTITIONS);
        assert_int_equal(list.items[n].sequence, 1 + round / 2);
        assert_int_equal(list.items[n].ordinal, round % 2);
    }
    free(list.items);
    fm_router_close(router);
}

static void assert_stream_has_each_once(redis_server *server)
{
    redisReply *stream = redis_stream(server);
    assert_int_equal(stream->elements, ALERTS);
    for (uint64_t n = 0; n < ALERTS; n++) {
        uint64_t round = n / PARTITIONS;
        char hex[33];
        fm_hash128_hex(id_of((uint32_t)(n % PARTITIONS), 1 + round / 2, (uint32_t)(round % 2)), hex);
        assert_string_equal(stream_field(stream->element[n], "id"), hex);
    }
    freeReplyObject(stream);
}

static void run_with(const fm_file_layer *layer, uint64_t seed)
{
    char *folder = folder_make_temporary();
    redis_server server = redis_server_start("no", NULL);
    progress *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    fm_random random;
    fm_random_seed(&random, seed);
    print_message("seed %" PRIu64 "\n", seed);
    for (int kills = 0; atomic_load(&shared->done) == 0; kills++) {
        uint64_t child_seed = fm_random_next(&random);
        uint64_t moment = atomic_load(&shared->taken) + 1 + fm_random_below(&random, STEP);
        shared->limit = kills < KILLS ? moment + RUN_ON : ALERTS;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            child(folder, &server, layer, shared, child_seed);
        if (kills < KILLS) {
            if (kills % 4 != 3)
                wait_until(atomic_load(&shared->taken) >= moment);
            pause_ms((int)fm_random_below(&random, kills % 4 != 3 ? 4 : 60)); /* or, now and then, while it begins */
            assert_int_equal(kill(pid, SIGKILL), 0);
            assert_int_equal(atomic_load(&shared->done), 0);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(kills < KILLS || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
        char **files; /* killed before the first file was there: nothing was taken either */
        size_t count = log_files(folder, &files);
        free_files(files, count);
        if (count > 0)
            assert_log_is_whole(folder, atomic_load(&shared->taken));
        else
            assert_int_equal(atomic_load(&shared->taken), 0);
    }
    assert_log_is_whole(folder, ALERTS);
    assert_stream_has_each_once(&server);
    munmap(shared, sizeof *shared);
    redis_server_end(&server);
    folder_remove(folder);
}

/* $FMADS_SEED tries another one. */
static uint64_t seed_or(uint64_t preset)
{
    const char *given = getenv("FMADS_SEED");
    return given != NULL ? strtoull(given, NULL, 10) : preset;
}

static void a_killed_process_loses_nothing_taken_and_doubles_nothing(void **unused)
{
    (void)unused;
    skip_without_redis();
    run_with(&fm_file_system, seed_or(11));
}

static void nor_does_a_machine_that_loses_every_unsynced_byte(void **unused)
{
    (void)unused;
    skip_without_redis();
    run_with(&fm_file_withholding, seed_or(12));
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_loses_nothing_taken_and_doubles_nothing),
        cmocka_unit_test(nor_does_a_machine_that_loses_every_unsynced_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
