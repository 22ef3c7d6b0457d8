/* tests/bench/latency_load.c - from a tick's last byte sent to its alert on the Redis channel, at a steady rate.
 *
 *   latency_load --port P --pid SERVER --redis PORT [--rate 100000] [--seconds 20] [--cpu 1] [--name NAME]
 *
 * One connection sends a body each millisecond; every 1,000th record makes a rule alert. In the same seconds a second
 * thread times GET /healthz and a bare PUBLISH to SUBSCRIBE, so that what the machine and Redis cost is known from the
 * same run. Prints one JSON line with p50, p99 and p99.9 of each in microseconds, and what the alert may cost by the
 * target: 2 * (p99 of healthz + p99 of publish). */
#include "bench/load/meter.h"
#include "bench/load/workload.h"

#include "base/clock.h"
#include "base/event.h"
#include "tool/client.h"

#include <getopt.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX (1u << 20)
#define SPIKE_EVERY 1000
#define BODIES      200
#define PROBE_MS    5
#define GRACE_NS    (2 * FM_NS_PER_S) /* alerts still on their way after the last body */

typedef struct load_samples {
    uint32_t count;
    int64_t ns[SAMPLES_MAX];
} load_samples;

typedef struct sent_spike {
    int64_t ts_ns, sent_ns;
} sent_spike;

static struct {
    int port, pid, redis, cpu;
    double rate, seconds;
    const char *name;
    sent_spike spikes[SAMPLES_MAX];
    _Atomic uint32_t spike_count;
    _Atomic bool stop;
    load_samples alert, healthz, publish;
    uint32_t unmatched;
} run = {.cpu = -1, .rate = 100000, .seconds = 20, .name = "latency"};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "latency_load: %s: %s\n", what, why);
    exit(3);
}

static int64_t now(void)
{
    return fm_mono_ns(&fm_clock_system);
}

static void add(load_samples *samples, int64_t ns)
{
    if (samples->count < SAMPLES_MAX)
        samples->ns[samples->count++] = ns;
}

static redisContext *connect_redis(void)
{
    redisContext *redis = redisConnectWithTimeout("127.0.0.1", run.redis, (struct timeval){2, 0});
    if (!redis || redis->err)
        die("could not connect to redis", redis ? redis->errstr : "memory is full");
    return redis;
}

static fm_client *open_client(void)
{
    char url[64];
    fm_client *client = NULL;
    fm_error error = {0};
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", run.port);
    fm_client_config config = {.url = url, .timeout_ms = 5000, .patience_ms = 0};
    if (fm_client_open(&config, &client, &error) < 0)
        die("could not open a client", error.message);
    return client;
}

/* ---- hearing ---- */

static void hear_alert(const char *text, size_t size, int64_t at_ns)
{
    static const char key[] = "\"event_time\":";
    const char *found = memmem(text, size, key, sizeof(key) - 1);
    int64_t ts_ns = found ? strtoll(found + sizeof(key) - 1, NULL, 10) : 0;
    uint32_t low = 0, high = atomic_load_explicit(&run.spike_count, memory_order_acquire);
    uint32_t count = high;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (run.spikes[middle].ts_ns < ts_ns)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < count && run.spikes[low].ts_ns == ts_ns)
        add(&run.alert, at_ns - run.spikes[low].sent_ns);
    else
        run.unmatched++;
}

static void *hear(void *unused)
{
    (void)unused;
    redisContext *redis = connect_redis();
    redisSetTimeout(redis, (struct timeval){0, 100000});
    redisAppendCommand(redis, "PSUBSCRIBE fmads:alerts:*");
    redisAppendCommand(redis, "SUBSCRIBE bench:probe");
    while (!atomic_load(&run.stop)) {
        redisReply *reply = NULL;
        if (redisGetReply(redis, (void **)&reply) != REDIS_OK) {
            if (redis->err == REDIS_ERR_IO) { /* the time limit: nothing was said */
                redis->err = 0;
                continue;
            }
            die("redis went away", redis->errstr);
        }
        int64_t at_ns = now();
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 4)
            hear_alert(reply->element[3]->str, reply->element[3]->len, at_ns);
        else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
                 reply->element[2]->type == REDIS_REPLY_STRING)
            add(&run.publish, at_ns - strtoll(reply->element[2]->str, NULL, 10));
        freeReplyObject(reply);
    }
    redisFree(redis);
    return NULL;
}

static void *probe(void *unused)
{
    (void)unused;
    redisContext *redis = connect_redis();
    fm_client *client = open_client();
    while (!atomic_load(&run.stop)) {
        fm_response response;
        fm_error error = {0};
        int64_t begin_ns = now();
        if (fm_client_get(client, "/healthz", &response, &error) < 0)
            die("GET /healthz", error.message);
        add(&run.healthz, now() - begin_ns);
        freeReplyObject(redisCommand(redis, "PUBLISH bench:probe %lld", (long long)now()));
        poll(NULL, 0, PROBE_MS);
    }
    fm_client_close(client);
    redisFree(redis);
    return NULL;
}

/* ---- sending ---- */

static void send_body(const workload *work, work_body *body, fm_client *client, int64_t by_ns, fm_verdict *verdict)
{
    fm_error error = {0};
    work_move(work, body, by_ns);
    if (body->spikes > 0) {
        uint32_t index = atomic_load_explicit(&run.spike_count, memory_order_relaxed);
        if (index < SAMPLES_MAX) {
            run.spikes[index] = (sent_spike){body->ts_ns[body->spike] + by_ns, now()};
            atomic_store_explicit(&run.spike_count, index + 1, memory_order_release);
        }
    }
    fm_slice bytes = {body->data, body->size};
    if (fm_client_ingest(client, "/v1/ingest?domain=bench", fm_wire_content_type(FM_WIRE_NDJSON), bytes, verdict,
                         &error) < 0)
        die("POST /v1/ingest", error.message);
}

/* Returns how many bodies went out more than a millisecond late: then the rate was not held. */
static uint32_t send_all(const workload *work, fm_verdict *verdict)
{
    fm_client *client = open_client();
    double step_ns = 1e9 * work->config.records / run.rate;
    int64_t begin_ns = now(), by_ns = 0;
    uint32_t late = 0;
    for (uint64_t k = 0; (double)k * step_ns < run.seconds * 1e9; k++) {
        int64_t due_ns = begin_ns + (int64_t)((double)k * step_ns), left_ns;
        while ((left_ns = due_ns - now()) > 0)
            if (left_ns > 200000) {
                struct timespec pause = {0, left_ns - 100000};
                nanosleep(&pause, NULL);
            }
        late += left_ns < -1000000;
        send_body(work, &work->body[k % work->config.bodies], client, by_ns, verdict);
        if (k % work->config.bodies == work->config.bodies - 1)
            by_ns += work->pass_ns;
    }
    fm_client_close(client);
    return late;
}

static void print_samples(const char *name, load_samples *samples)
{
    sort_times(samples->ns, samples->count);
    printf("\"%s\":{\"count\":%u,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f},", name, samples->count,
           (double)quantile(samples->ns, samples->count, 0.5) / 1e3,
           (double)quantile(samples->ns, samples->count, 0.99) / 1e3,
           (double)quantile(samples->ns, samples->count, 0.999) / 1e3);
}

static void parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"port", 1, NULL, 'p'}, {"pid", 1, NULL, 'i'},     {"redis", 1, NULL, 'r'}, {"rate", 1, NULL, 'a'},
        {"cpu", 1, NULL, 'u'},  {"seconds", 1, NULL, 's'}, {"name", 1, NULL, 'n'},  {0}};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case 'p':
            run.port = atoi(optarg);
            break;
        case 'i':
            run.pid = atoi(optarg);
            break;
        case 'r':
            run.redis = atoi(optarg);
            break;
        case 'a':
            run.rate = atof(optarg);
            break;
        case 'u':
            run.cpu = atoi(optarg);
            break;
        case 's':
            run.seconds = atof(optarg);
            break;
        case 'n':
            run.name = optarg;
            break;
        default:
            exit(2);
        }
    }
    if (run.port <= 0 || run.redis <= 0 || !(run.rate >= 1000) || !(run.seconds > 0)) {
        fprintf(stderr, "latency_load: --port and --redis are needed, --rate from 1000\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    if (run.cpu >= 0 && meter_pin(run.cpu) < 0)
        fprintf(stderr, "latency_load: cpu %d cannot be pinned\n", run.cpu);
    uint32_t records = (uint32_t)(run.rate / 1000);
    work_config config = {.wire = FM_WIRE_NDJSON,
                          .connections = 1,
                          .records = records,
                          .bodies = BODIES,
                          .spike_every = SPIKE_EVERY,
                          .separator = '\n'};
    workload work;
    if (work_make(&config, &work) < 0)
        die("could not make the bodies", "memory is full");
    pthread_t hearing, probing;
    pthread_create(&hearing, NULL, hear, NULL);
    pthread_create(&probing, NULL, probe, NULL);
    poll(NULL, 0, 500);

    load_meter begin = {.pid = run.pid}, end = {.pid = run.pid};
    fm_verdict verdict = {0};
    meter_read(&begin);
    uint32_t late = send_all(&work, &verdict);
    meter_read(&end);
    for (int64_t until_ns = now() + GRACE_NS; now() < until_ns && run.alert.count < atomic_load(&run.spike_count);)
        poll(NULL, 0, 20);
    atomic_store(&run.stop, true);
    pthread_join(hearing, NULL);
    pthread_join(probing, NULL);

    uint32_t spikes = atomic_load(&run.spike_count);
    printf("{\"name\":\"%s\",\"ticks_per_s\":%.0f,\"late_bodies\":%u,\"rejected\":%llu,\"spikes\":%u,\"unheard\":%u,"
           "\"other_alerts\":%u,",
           run.name, (double)verdict.accepted / ((double)(end.wall_ns - begin.wall_ns) / 1e9), late,
           (unsigned long long)verdict.rejected, spikes, spikes - run.alert.count, run.unmatched);
    print_samples("alert", &run.alert);
    print_samples("healthz", &run.healthz);
    print_samples("publish", &run.publish);
    double bound = 2 * (double)(quantile(run.healthz.ns, run.healthz.count, 0.99) +
                                quantile(run.publish.ns, run.publish.count, 0.99));
    printf("\"bound_us\":%.1f,\"held\":%s,\"workload\":\"%016llx\"}\n", bound / 1e3,
           (double)quantile(run.alert.ns, run.alert.count, 0.99) <= bound ? "true" : "false",
           (unsigned long long)work.hash);
    work_free(&work);
    return run.alert.count == 0;
}
