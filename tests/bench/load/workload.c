/* tests/bench/load/workload.c - see workload.h. */
#include "bench/load/workload.h"

#include "base/fmath.h"
#include "base/hash.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_NS    (INT64_C(1399033800) * FM_NS_PER_S) /* 2014-05-02T12:30:00Z */
#define TRADE_SHARE 0.4
#define SPIKE       1.03

typedef struct work_name {
    char symbol[16];
    int32_t scale;
    double tick, price; /* price in ticks */
} work_name;

typedef struct work_maker {
    const work_config *config;
    workload *out;
    fm_random random;
    work_name name[WORK_INSTRUMENTS];
    double share[WORK_INSTRUMENTS]; /* cumulated */
    uint32_t *filled;               /* whole bodies of each connection */
    uint64_t drawn, bytes, records;
} work_maker;

static void make_names(work_maker *maker)
{
    double total = 0;
    for (int i = 0; i < WORK_INSTRUMENTS; i++) {
        work_name *one = &maker->name[i];
        one->scale = i % 4 == 3 ? 5 : 2;
        snprintf(one->symbol, sizeof(one->symbol), one->scale == 5 ? "BFX%03dUSD" : "BEQ%03d", i);
        one->price = 5000 + (double)fm_random_below(&maker->random, 100000);
        total += 1.0 / (i + 1);
    }
    double sum = 0;
    for (int i = 0; i < WORK_INSTRUMENTS; i++)
        maker->share[i] = (sum += 1.0 / (i + 1) / total);
}

static uint32_t draw_name(work_maker *maker)
{
    double unit = fm_random_unit(&maker->random);
    uint32_t low = 0, high = WORK_INSTRUMENTS - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (maker->share[middle] < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void draw_record(work_maker *maker, work_name *one, bool spike, fm_record *out)
{
    fm_random *random = &maker->random;
    one->price *= fm_exp(2e-5 * fm_random_normal(random));
    int64_t ticks = (int64_t)(one->price + 0.5), half = 1 + (int64_t)fm_random_below(random, 3);
    bool buy = fm_random_below(random, 2) == 0;

    *out = (fm_record){.ts_ns = START_NS + (int64_t)maker->drawn * WORK_STEP_NS,
                       .seq = FM_SEQ_ABSENT,
                       .row = FM_SEQ_ABSENT,
                       .symbol = fm_slice_of(one->symbol),
                       .venue = FM_SLICE("XBEN")};
    if (spike || fm_random_unit(random) < TRADE_SHARE) {
        int64_t price = spike ? (int64_t)((double)ticks * SPIKE) : buy ? ticks + half : ticks - half;
        out->kind = FM_TRADE;
        out->side = buy ? FM_BUY : FM_SELL;
        out->number[0] = (fm_decimal_number){price, one->scale};
        out->number[1] = (fm_decimal_number){100 * (1 + (int64_t)fm_random_below(random, 50)), 0};
        out->number[2] = out->number[3] = (fm_decimal_number){FM_ABSENT, 0};
    } else {
        out->kind = FM_QUOTE;
        out->number[0] = (fm_decimal_number){ticks - half, one->scale};
        out->number[1] = (fm_decimal_number){100 * (1 + (int64_t)fm_random_below(random, 90)), 0};
        out->number[2] = (fm_decimal_number){ticks + half, one->scale};
        out->number[3] = (fm_decimal_number){100 * (1 + (int64_t)fm_random_below(random, 90)), 0};
    }
}

/* In both forms the time is the first thing behind its key: 19 digits, or 0xcf and 8 bytes. */
static uint32_t find_time(fm_wire wire, const char *record, size_t size)
{
    const char *key = wire == FM_WIRE_MSGPACK ? "\xa2ts\xcf" : "\"ts\":";
    size_t key_size = wire == FM_WIRE_MSGPACK ? 4 : 5;
    const char *at = memmem(record, size, key, key_size);
    if (!at)
        abort();
    return (uint32_t)(at - record + (ptrdiff_t)key_size);
}

static void append(work_maker *maker, work_body *body, const fm_record *record, uint32_t position)
{
    const work_config *config = maker->config;
    bool array = config->wire == FM_WIRE_NDJSON && config->separator == ',';
    if (array)
        body->data[body->size++] = position == 0 ? '[' : ',';
    char *at = body->data + body->size;
    size_t size = fm_wire_write(config->wire, record, at);
    if (array)
        size--; /* without its line end */
    body->ts_at[position] = (uint32_t)body->size + find_time(config->wire, at, size);
    body->ts_ns[position] = record->ts_ns;
    body->size += size;
    maker->bytes += size;
    maker->records++;
    if (array && position + 1 == config->records)
        body->data[body->size++] = ']';
}

static int make_body(const work_config *config, work_body *body)
{
    body->data = malloc((size_t)config->records * 320 + FM_WIRE_RECORD_MAX);
    body->ts_at = calloc(config->records, sizeof(*body->ts_at));
    body->ts_ns = calloc(config->records, sizeof(*body->ts_ns));
    return body->data && body->ts_at && body->ts_ns ? 0 : FM_ENOMEM;
}

static void fill(work_maker *maker, uint32_t *position)
{
    const work_config *config = maker->config;
    uint32_t spike_every = config->spike_every ? config->spike_every : WORK_SPIKE_EVERY;
    for (uint32_t whole = 0; whole < config->connections;) {
        fm_record record;
        work_name *one = &maker->name[draw_name(maker)];
        /* Half the partition's number: with two shards each connection carries records of both. */
        uint32_t connection = fm_partition_of(fm_slice_of(one->symbol)) / 2 % config->connections;
        maker->drawn++; /* time goes on, whether or not there is room for the record */
        if (maker->filled[connection] == config->bodies)
            continue;
        bool spike = maker->records % spike_every == spike_every - 1;
        draw_record(maker, one, spike, &record);
        work_body *body = &maker->out->body[connection * config->bodies + maker->filled[connection]];
        append(maker, body, &record, position[connection]);
        if (spike) {
            body->spikes++;
            body->spike = position[connection];
        }
        if (++position[connection] == config->records) {
            position[connection] = 0;
            char *fitted = realloc(body->data, body->size);
            body->data = fitted ? fitted : body->data;
            if (++maker->filled[connection] == config->bodies)
                whole++;
        }
    }
}

int work_make(const work_config *config, workload *out)
{
    work_maker *maker = calloc(1, sizeof(*maker));
    uint32_t *position = calloc(config->connections, sizeof(*position));
    size_t count = (size_t)config->connections * config->bodies;
    int result = FM_ENOMEM;

    *out = (workload){.config = *config, .body = calloc(count, sizeof(*out->body))};
    if (!maker || !position || !out->body || !(maker->filled = calloc(config->connections, sizeof(*maker->filled))))
        goto out;
    for (size_t i = 0; i < count; i++)
        if (make_body(config, &out->body[i]) < 0)
            goto out;
    maker->config = config;
    maker->out = out;
    fm_random_seed(&maker->random, WORK_SEED);
    make_names(maker);
    fill(maker, position);
    out->pass_ns = (int64_t)maker->drawn * WORK_STEP_NS;
    out->record_bytes = (double)maker->bytes / (double)maker->records;
    for (size_t i = 0; i < count; i++)
        out->hash = fm_hash64(out->body[i].data, out->body[i].size, out->hash);
    result = 0;
out:
    if (maker)
        free(maker->filled);
    free(maker);
    free(position);
    if (result < 0)
        work_free(out);
    return result;
}

void work_free(workload *work)
{
    for (size_t i = 0; work->body && i < (size_t)work->config.connections * work->config.bodies; i++) {
        free(work->body[i].data);
        free(work->body[i].ts_at);
        free(work->body[i].ts_ns);
    }
    free(work->body);
    work->body = NULL;
}

static void put_digits(char *out, uint64_t value)
{
    for (int i = 18; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

static void put_big_endian(char *out, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(out, &value, sizeof(value));
}

void work_move(const workload *work, work_body *body, int64_t by_ns)
{
    for (uint32_t i = 0; i < work->config.records; i++) {
        uint64_t ts_ns = (uint64_t)(body->ts_ns[i] + by_ns);
        if (work->config.wire == FM_WIRE_MSGPACK)
            put_big_endian(body->data + body->ts_at[i], ts_ns);
        else
            put_digits(body->data + body->ts_at[i], ts_ns);
    }
}
