/* kernels/common/quiet_fade.h - the factor by which the past fades until ts_ns; a silence fades it to one half at most.
 *
 * Markets close: Monday's open shall be judged by Friday, not by nothing. A late tick counts as seen now. */
#ifndef FM_KERNELS_COMMON_QUIET_FADE_H
#define FM_KERNELS_COMMON_QUIET_FADE_H

#include "kernels/common/fade.h"
#include "kernels/common/number.h"

#include <stdint.h>

/* per_ns: 1 / half-life; *newest_ns: INT64_MIN before the first tick, moves on to ts_ns */
static inline double fm_quiet_fade(int64_t *newest_ns, int64_t ts_ns, double per_ns)
{
    if (ts_ns <= *newest_ns)
        return 1.0;
    double age = (double)fm_elapsed_ns(ts_ns, *newest_ns) * per_ns;
    *newest_ns = ts_ns;
    return age < 1.0 ? fm_fade(age) : 0.5;
}

#endif
