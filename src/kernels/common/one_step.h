/* kernels/common/one_step.h - score, update and state_size of a kernel whose `step` says it all.
 *
 * Score steps a copy of the state, update steps the state and drops the outputs: the three cannot disagree. For states
 * whose copy costs little beside the step; the copy is on the stack. */
#ifndef FM_KERNELS_COMMON_ONE_STEP_H
#define FM_KERNELS_COMMON_ONE_STEP_H

#include "kernels/kernel.h"

#include <string.h>

#define FM_ONE_STEP_UPDATE                                                                                             \
    static void update(void *state, int64_t ts_ns, const double *in)                                                   \
    {                                                                                                                  \
        double out[FM_KERNEL_OUTPUTS_MAX];                                                                             \
        step(state, ts_ns, in, out);                                                                                   \
    }

/* The state is one struct. Stands behind `step`. */
#define FM_ONE_STEP(type)                                                                                              \
    static size_t state_size(const double *values)                                                                     \
    {                                                                                                                  \
        (void)values;                                                                                                  \
        return sizeof(type);                                                                                           \
    }                                                                                                                  \
    static void score(const void *state, int64_t ts_ns, const double *in, double *out)                                 \
    {                                                                                                                  \
        type copy = *(const type *)state;                                                                              \
        step(&copy, ts_ns, in, out);                                                                                   \
    }                                                                                                                  \
    FM_ONE_STEP_UPDATE

/* The state is a struct that ends with an array; size_of(count) are its bytes, kept in its member `count`, of which
 * `count_max` is the most; the parameter of that index is the count. */
#define FM_ONE_STEP_COUNTED(type, size_of, count_max, count_index)                                                     \
    static size_t state_size(const double *values)                                                                     \
    {                                                                                                                  \
        return size_of((int64_t)values[count_index]);                                                                  \
    }                                                                                                                  \
    static void score(const void *state, int64_t ts_ns, const double *in, double *out)                                 \
    {                                                                                                                  \
        union {                                                                                                        \
            type state;                                                                                                \
            unsigned char bytes[size_of(count_max)];                                                                   \
        } copy;                                                                                                        \
        memcpy(copy.bytes, state, size_of(((const type *)state)->count));                                              \
        step(&copy.state, ts_ns, in, out);                                                                             \
    }                                                                                                                  \
    FM_ONE_STEP_UPDATE

#endif
