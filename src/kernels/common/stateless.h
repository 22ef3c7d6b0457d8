/* kernels/common/stateless.h - the adapters of a kernel without a past: FM_STATELESS_SCORE { … } FM_STATELESS. */
#ifndef FM_KERNELS_COMMON_STATELESS_H
#define FM_KERNELS_COMMON_STATELESS_H

#include "kernels/kernel.h"

#define FM_STATELESS_SCORE static inline void answer(const double *in, double *out)

#define FM_STATELESS                                                                                                   \
    static size_t state_size(const double *values)                                                                     \
    {                                                                                                                  \
        (void)values;                                                                                                  \
        return 0;                                                                                                      \
    }                                                                                                                  \
    static int init(void *state, const double *values)                                                                 \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        (void)values;                                                                                                  \
        return 0;                                                                                                      \
    }                                                                                                                  \
    static void score(const void *state, int64_t ts_ns, const double *in, double *out)                                 \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        (void)ts_ns;                                                                                                   \
        answer(in, out);                                                                                               \
    }                                                                                                                  \
    static void update(void *state, int64_t ts_ns, const double *in)                                                   \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        (void)ts_ns;                                                                                                   \
        (void)in;                                                                                                      \
    }                                                                                                                  \
    FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)                                     \
    {                                                                                                                  \
        score(state, ts_ns, in, out);                                                                                  \
    }

#endif
