/* kernels/common/last.h - the sum of the last `count` values, without a subtraction.
 *
 * A ring of blocks of `count` slots. A value overwrites the slot of the one that leaves; the slots behind it hold what
 * the rest of the block before it comes to, so the sum is that plus the sum of the values since the block began. When
 * a block is full its values turn into such rests, from the back. No rounding error and no huge value is carried
 * along. An addition, a store and two loads a value, and `count` additions every `count` values. 32 bytes and 8 a slot.
 */
#ifndef FM_KERNELS_COMMON_LAST_H
#define FM_KERNELS_COMMON_LAST_H

#include <stdbool.h>
#include <stdint.h>

/* ffi:begin */
typedef struct fm_last {
    int64_t count;  /* of the window */
    int64_t at;     /* slot of the next value */
    int64_t filled; /* values in the window */
    double fresh;   /* sum of the values of this block */
} fm_last;
/* ffi:end */

/* slot: `count` of them, all 0 */
static inline void fm_last_init(fm_last *last, int64_t count)
{
    *last = (fm_last){.count = count};
}

static inline double fm_last_sum(const fm_last *last, const double *slot)
{
    return last->fresh + slot[last->at];
}

static inline bool fm_last_full(const fm_last *last)
{
    return last->filled == last->count;
}

static inline void fm_last_add(fm_last *last, double *slot, double value)
{
    slot[last->at++] = value;
    last->fresh += value;
    last->filled += last->filled < last->count;
    if (__builtin_expect(last->at < last->count, 1))
        return;
    double rest = 0.0;
    for (int64_t i = last->count - 1; i >= 0; i--)
        slot[i] = rest += slot[i];
    last->at = 0;
    last->fresh = 0.0;
}

#endif
