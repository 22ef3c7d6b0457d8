/* alert/backoff.h - growing pauses between attempts, with jitter so that many clients do not come back in step. */
#ifndef FM_ALERT_BACKOFF_H
#define FM_ALERT_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fm_backoff {
    int64_t pause_ns_min, pause_ns_max;
    int64_t pause_ns; /* of the next failure, before jitter; 0 after a success */
    int64_t until_ns; /* no attempt before this, monotonic; 0 = now */
    uint64_t state;   /* of the jitter: any number, for each client another one */
} fm_backoff;

static inline bool fm_backoff_due(const fm_backoff *backoff, int64_t mono_ns)
{
    return mono_ns >= backoff->until_ns;
}

static inline void fm_backoff_success(fm_backoff *backoff)
{
    backoff->pause_ns = 0;
    backoff->until_ns = 0;
}

/* The pause doubles; what is waited lies between half of it and all of it. Returns it. */
static inline int64_t fm_backoff_failure(fm_backoff *backoff, int64_t mono_ns)
{
    int64_t pause = backoff->pause_ns == 0 ? backoff->pause_ns_min : backoff->pause_ns * 2;
    pause = pause < backoff->pause_ns_max ? pause : backoff->pause_ns_max;
    backoff->pause_ns = pause;
    backoff->state = backoff->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    int64_t waited = pause / 2 + (int64_t)((backoff->state >> 33) % (uint64_t)(pause / 2 + 1));
    backoff->until_ns = mono_ns + waited;
    return waited;
}

#endif
