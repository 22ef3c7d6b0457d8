/* tests/bench/load/meter.h - what a run costs the server, seen from outside: CPU of all its threads, wall time, memory.
 */
#ifndef FM_BENCH_METER_H
#define FM_BENCH_METER_H

#include <stdint.h>

typedef struct load_meter {
    int pid;         /* 0 = unknown: CPU is told as 0 */
    int64_t cpu_ns;  /* of all threads since they began, from /proc/PID/task/TID/schedstat */
    int64_t wall_ns; /* monotonic */
    int64_t rss_bytes;
} load_meter;

void meter_read(load_meter *meter);
int meter_pin(int cpu); /* this thread and those it starts; negative = it cannot be */

/* Quantile of a sorted array by the nearest rank; 0 when empty. */
int64_t quantile(const int64_t *sorted, uint32_t count, double q);
void sort_times(int64_t *times, uint32_t count);

#endif
