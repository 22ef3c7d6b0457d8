/* base/clock.h - the injected clock. Event time never comes from here; wall time enters the engine only as clock records. */
#ifndef FM_BASE_CLOCK_H
#define FM_BASE_CLOCK_H

#include <stdint.h>

typedef struct fm_clock {
    int64_t (*wall_ns)(void *context); /* UTC since 1970 */
    int64_t (*mono_ns)(void *context); /* monotonic, for durations */
    void *context;
} fm_clock;

extern const fm_clock fm_clock_system;

static inline int64_t fm_wall_ns(const fm_clock *clock)
{
    return clock->wall_ns(clock->context);
}
static inline int64_t fm_mono_ns(const fm_clock *clock)
{
    return clock->mono_ns(clock->context);
}

int64_t fm_thread_cpu_ns(void); /* CPU time of the calling thread */

/* "2014-05-02T12:30:00.000000000Z"; always 9 decimals; out has room for 40. */
void fm_time_format(int64_t ts_ns, char out[40]);

#endif
