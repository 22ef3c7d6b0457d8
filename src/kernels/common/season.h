/* kernels/common/season.h - the clock of a period: which of its buckets an event time lies in.
 *
 * Slices of period / buckets lie on multiples of that since 1970 (UTC), so the buckets of a day begin at midnight and
 * those of a week on a Thursday. A late tick lies in the open slice. Times need not be sane: nothing overflows. */
#ifndef FM_KERNELS_COMMON_SEASON_H
#define FM_KERNELS_COMMON_SEASON_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fm_season {
    int64_t width_ns; /* of a slice, >= 1 */
    int64_t buckets;
    int64_t number; /* of the open slice, since 1970 */
    int64_t end_ns; /* event time at which it ends; INT64_MIN before the first tick */
} fm_season;

static inline void fm_season_init(fm_season *season, double period_s, int64_t buckets)
{
    int64_t width_ns = (int64_t)(period_s * 1e9) / buckets;
    *season = (fm_season){.width_ns = width_ns > 0 ? width_ns : 1, .buckets = buckets, .end_ns = INT64_MIN};
}

/* Does a tick at ts_ns lie beyond the open slice? */
static inline bool fm_season_passes(const fm_season *season, int64_t ts_ns)
{
    return ts_ns >= season->end_ns || season->end_ns == INT64_MIN;
}

static inline void fm_season_open(fm_season *season, int64_t ts_ns)
{
    int64_t inside_ns = ts_ns % season->width_ns;
    inside_ns += inside_ns < 0 ? season->width_ns : 0;
    season->number = ts_ns / season->width_ns - (ts_ns % season->width_ns < 0);
    if (__builtin_add_overflow(ts_ns, season->width_ns - inside_ns, &season->end_ns))
        season->end_ns = INT64_MAX;
}

static inline int64_t fm_season_bucket(const fm_season *season)
{
    int64_t bucket = season->number % season->buckets;
    return bucket < 0 ? bucket + season->buckets : bucket;
}

#endif
