/* kernels/common/ranks_from.h - ranks (kernels/common/ranks.h) of doubles: of how far each is from the first one.
 *
 * A float has 24 bits: at 100,000 its steps are 0.008, and small moves of a large number would all be ties. What lies
 * between x and the first value is rounded instead: at a distance of 100 in steps of 0.000008, whatever the level.
 * Equal values stay equal. Distances beyond 1e38 are one. */
#ifndef FM_KERNELS_COMMON_RANKS_FROM_H
#define FM_KERNELS_COMMON_RANKS_FROM_H

#include "kernels/common/excess.h"

typedef struct fm_ranks_from {
    double origin; /* the first value; NaN before */
    fm_ranks ranks;
} fm_ranks_from;

static inline void fm_ranks_from_init(fm_ranks_from *from, int32_t first_due)
{
    from->origin = NAN;
    fm_ranks_init(&from->ranks, first_due);
}

static inline fm_rank fm_ranks_from_of(const fm_ranks_from *from, double x)
{
    return fm_ranks_of(&from->ranks, fm_excess_float(x - from->origin)); /* before the first value there is no other */
}

static inline void fm_ranks_from_add(fm_ranks_from *from, double x, float memory)
{
    if (__builtin_expect(isnan(from->origin), 0))
        from->origin = x;
    fm_ranks_add(&from->ranks, fm_excess_float(x - from->origin), memory);
}

#endif
