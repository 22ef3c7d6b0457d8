/* tests/bench/load/workload.h - the fixed work that every published figure is measured with.
 *
 * 200 instruments by Zipf's law (exponent 1), 40 % trades and 60 % quotes, prices on ticks of 0.01 or 0.00001, times of
 * 19 digits that grow by 100 us a record (10,000 records a second of event time), JSON lines of 110 bytes and more;
 * every 10,000th record is a trade 3 % above its name's last price, and one rule of tests/bench/rules alerts on it. The
 * seed is fixed and the hash of all bodies is printed: two figures compare only if their hashes are equal.
 *
 * Bodies are made once. For another pass their times are moved on in place: the sender's work stays far below the
 * server's. Instruments are dealt out to connections by partition, so that every partition's records arrive in order of
 * time whatever the connections' pace. */
#ifndef FM_BENCH_WORKLOAD_H
#define FM_BENCH_WORKLOAD_H

#include "base/error.h"
#include "tool/wire.h"

#include <stddef.h>
#include <stdint.h>

#define WORK_SEED        20140502u
#define WORK_INSTRUMENTS 200
#define WORK_STEP_NS     100000
#define WORK_SPIKE_EVERY 10000

typedef struct work_config {
    fm_wire wire;
    uint32_t connections;
    uint32_t records;     /* in a body */
    uint32_t bodies;      /* of each connection */
    uint32_t spike_every; /* 0 = WORK_SPIKE_EVERY */
    char separator;       /* NDJSON: '\n'; ',' = a JSON array of the records, for WebSocket */
} work_config;

typedef struct work_body {
    char *data;
    size_t size;
    uint32_t *ts_at; /* where the time of each record stands */
    int64_t *ts_ns;  /* of the first pass */
    uint32_t spikes;
    uint32_t spike; /* the last of them */
} work_body;

typedef struct workload {
    work_config config;
    work_body *body; /* body[connection * bodies + i] */
    int64_t pass_ns; /* event time that one pass takes */
    uint64_t hash;
    double record_bytes; /* mean */
} workload;

int work_make(const work_config *config, workload *out);
void work_free(workload *work);
void work_move(const workload *work, work_body *body, int64_t by_ns); /* its times = those of the first pass + by_ns */

#endif
