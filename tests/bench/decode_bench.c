/* tests/bench/decode_bench.c - the time of one record in each format: a tick with a 19-digit time, and a quote.
 *
 *   decode_bench [repetitions]
 * prints a JSON line for each: {"name":"decode.json.trade","bytes":…,"ns":median,"ns_min":…,"ns_max":…}. */
#include "base/clock.h"
#include "base/random.h"
#include "ingest/decode.h"

#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_COUNT 4096
#define ROUNDS       8

typedef struct body {
    char *data;
    size_t size, capacity;
} body;

static void add(body *out, const void *data, size_t size)
{
    if (out->capacity - out->size < size) {
        out->capacity = 2 * (out->capacity + size);
        out->data = realloc(out->data, out->capacity);
        if (!out->data)
            abort();
    }
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void add_text(body *out, const char *text)
{
    add(out, text, strlen(text));
}

/* The record that is written in every format: a random walk of prices, five decimals. */
typedef struct tick {
    char symbol[8], venue[8];
    int64_t ts_ns, price, size, ask, seq;
} tick;

static void make(fm_random *random, tick *out)
{
    static const char *const symbols[] = {"EURUSD", "GBPUSD", "BAC", "SPY", "BTCUSDT", "ESH4", "IBM", "XAUUSD"};
    static const char *const venues[] = {"XBAR", "XNYS", "Q", "BATS"};
    static int64_t ts_ns = 1399033800000000000, seq = 1000000;
    snprintf(out->symbol, sizeof out->symbol, "%s", symbols[fm_random_below(random, 8)]);
    snprintf(out->venue, sizeof out->venue, "%s", venues[fm_random_below(random, 4)]);
    out->ts_ns = ts_ns += (int64_t)fm_random_below(random, 1000000);
    out->price = 138000 + (int64_t)fm_random_below(random, 1000);
    out->ask = out->price + 2 + (int64_t)fm_random_below(random, 9);
    out->size = 1 + (int64_t)fm_random_below(random, 5000);
    out->seq = seq++;
}

static void put_json(body *out, const tick *t, bool quote, const char *separator)
{
    char text[512];
    if (quote)
        snprintf(
            text, sizeof text,
            "{\"type\":\"quote\",\"symbol\":\"%s\",\"venue\":\"%s\",\"ts\":%lld,\"bid\":1.%05lld,\"bid_size\":%lld,"
            "\"ask\":1.%05lld,\"ask_size\":%lld}%s",
            t->symbol, t->venue, (long long)t->ts_ns, (long long)t->price % 100000, (long long)t->size,
            (long long)t->ask % 100000, (long long)t->size, separator);
    else
        snprintf(text, sizeof text,
                 "{\"type\":\"trade\",\"symbol\":\"%s\",\"venue\":\"%s\",\"ts\":%lld,\"price\":1.%05lld,\"size\":%lld,"
                 "\"seq\":%lld}%s",
                 t->symbol, t->venue, (long long)t->ts_ns, (long long)t->price % 100000, (long long)t->size,
                 (long long)t->seq, separator);
    add_text(out, text);
}

static void put_csv(body *out, const tick *t, bool quote)
{
    char text[512];
    if (quote)
        snprintf(text, sizeof text, "quote,%s,%s,%lld,1.%05lld,%lld,1.%05lld,%lld\n", t->symbol, t->venue,
                 (long long)t->ts_ns, (long long)t->price % 100000, (long long)t->size, (long long)t->ask % 100000,
                 (long long)t->size);
    else
        snprintf(text, sizeof text, "trade,%s,%s,%lld,1.%05lld,%lld,%lld\n", t->symbol, t->venue, (long long)t->ts_ns,
                 (long long)t->price % 100000, (long long)t->size, (long long)t->seq);
    add_text(out, text);
}

static void pack_text(msgpack_packer *packer, const char *text)
{
    msgpack_pack_str(packer, strlen(text));
    msgpack_pack_str_body(packer, text, strlen(text));
}

static void pack_price(msgpack_packer *packer, const char *key, int64_t price)
{
    pack_text(packer, key);
    msgpack_pack_double(packer, (double)price / 1e5);
}

static void pack_integer(msgpack_packer *packer, const char *key, int64_t value)
{
    pack_text(packer, key);
    msgpack_pack_int64(packer, value);
}

static void put_msgpack(msgpack_packer *packer, const tick *t, bool quote)
{
    msgpack_pack_map(packer, quote ? 8 : 7);
    pack_text(packer, "type");
    pack_text(packer, quote ? "quote" : "trade");
    pack_text(packer, "symbol");
    pack_text(packer, t->symbol);
    pack_text(packer, "venue");
    pack_text(packer, t->venue);
    pack_integer(packer, "ts", t->ts_ns);
    pack_price(packer, quote ? "bid" : "price", t->price);
    pack_integer(packer, quote ? "bid_size" : "size", t->size);
    if (quote) {
        pack_price(packer, "ask", t->ask);
        pack_integer(packer, "ask_size", t->size);
    } else {
        pack_integer(packer, "seq", t->seq);
    }
}

static body make_body(fm_format format, bool quote)
{
    body out = {0};
    fm_random random;
    fm_random_seed(&random, 7);
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    if (format == FM_FORMAT_JSON)
        add_text(&out, "[");
    if (format == FM_FORMAT_CSV)
        add_text(&out,
                 quote ? "type,symbol,venue,ts,bid,bid_size,ask,ask_size\n" : "type,symbol,venue,ts,price,size,seq\n");
    for (int index = 0; index < RECORD_COUNT; index++) {
        tick t;
        make(&random, &t);
        if (format == FM_FORMAT_CSV)
            put_csv(&out, &t, quote);
        else if (format == FM_FORMAT_MSGPACK)
            put_msgpack(&packer, &t, quote);
        else
            put_json(&out, &t, quote, format == FM_FORMAT_NDJSON ? "\n" : index + 1 < RECORD_COUNT ? "," : "]");
    }
    if (format == FM_FORMAT_MSGPACK)
        add(&out, buffer.data, buffer.size);
    msgpack_sbuffer_destroy(&buffer);
    return out;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double decode_once(fm_format format, const body *in, uint64_t *sum)
{
    int64_t begin = fm_thread_cpu_ns();
    int count = 0;
    for (int round = 0; round < ROUNDS; round++) {
        fm_decoder decoder;
        fm_record record;
        fm_decoder_init(&decoder, format, in->data, in->size, &fm_decode_limits_preset);
        int result;
        while ((result = fm_decoder_next(&decoder, &record)) != 0) {
            if (result < 0) {
                fprintf(stderr, "refused: %s\n", decoder.error.message);
                exit(3);
            }
            *sum += (uint64_t)record.number[0].mantissa + record.symbol.size;
            count++;
        }
    }
    return (double)(fm_thread_cpu_ns() - begin) / count;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        fm_format format;
    } formats[] = {
        {"json", FM_FORMAT_JSON}, {"ndjson", FM_FORMAT_NDJSON}, {"msgpack", FM_FORMAT_MSGPACK}, {"csv", FM_FORMAT_CSV}};
    int repetitions = argc > 1 ? atoi(argv[1]) : 31;
    if (repetitions < 1 || repetitions > 1000)
        return 2;
    uint64_t sum = 0;
    for (size_t index = argc > 2 ? (size_t)atoi(argv[2]) : 0;
         index < (argc > 2 ? (size_t)atoi(argv[2]) + 1 : 2 * sizeof formats / sizeof *formats); index++) {
        bool quote = index % 2;
        body in = make_body(formats[index / 2].format, quote);
        double ns[1000];
        for (int repetition = 0; repetition < repetitions; repetition++)
            ns[repetition] = decode_once(formats[index / 2].format, &in, &sum);
        qsort(ns, (size_t)repetitions, sizeof *ns, by_value);
        printf("{\"name\":\"decode.%s.%s\",\"bytes\":%.1f,\"ns\":%.2f,\"ns_min\":%.2f,\"ns_max\":%.2f,\"repetitions\":%"
               "d}\n",
               formats[index / 2].name, quote ? "quote" : "trade", (double)in.size / RECORD_COUNT, ns[repetitions / 2],
               ns[0], ns[repetitions - 1], repetitions);
        free(in.data);
    }
    return sum == 0; /* keeps the work */
}
