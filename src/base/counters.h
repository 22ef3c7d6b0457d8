/* base/counters.h - counters of one writer thread that any thread may read: relaxed loads and stores, no locked instruction.
 *
 * Every metric is a row of metrics.def; a block of them belongs to one thread (a shard, the router, the Redis thread…), and
 * GET /metrics adds the blocks up. */
#ifndef FM_BASE_COUNTERS_H
#define FM_BASE_COUNTERS_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdint.h>

typedef enum fm_metric {
#define METRIC(id, name, type, unit, help) FM_METRIC_##id,
#include "base/metrics.def"
#undef METRIC
    FM_METRIC_COUNT
} fm_metric;

#define FM_REASON_MAX 160 /* rows of errors.def at most */

typedef struct fm_counters {
    _Atomic uint64_t value[FM_METRIC_COUNT];
    _Atomic uint64_t rejected[FM_REASON_MAX]; /* by fm_error_index: fmads_ingest_rejected_total{reason} */
} fm_counters;

static inline void fm_count(fm_counters *counters, fm_metric metric, uint64_t by)
{
    uint64_t old = atomic_load_explicit(&counters->value[metric], memory_order_relaxed);
    atomic_store_explicit(&counters->value[metric], old + by, memory_order_relaxed);
}
static inline void fm_gauge(fm_counters *counters, fm_metric metric, uint64_t value)
{
    atomic_store_explicit(&counters->value[metric], value, memory_order_relaxed);
}
static inline uint64_t fm_counter(const fm_counters *counters, fm_metric metric)
{
    return atomic_load_explicit(&counters->value[metric], memory_order_relaxed);
}
static inline void fm_count_rejected(fm_counters *counters, int code, uint64_t by)
{
    int index = fm_error_index(code);
    uint64_t old = atomic_load_explicit(&counters->rejected[index], memory_order_relaxed);
    atomic_store_explicit(&counters->rejected[index], old + by, memory_order_relaxed);
}

#endif
