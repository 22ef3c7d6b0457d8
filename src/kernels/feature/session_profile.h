/* kernels/feature/session_profile.h - is x unusual for this time of the session?
 *
 * The session is cut into buckets of `bucket` minutes. When a bucket is over, its day's mean and variance enter the
 * bucket's past, in which a session that is `days` sessions older weighs one half: expected is the weighted mean of
 * the daily means, sd^2 the weighted mean of (daily variance + squared distance of the daily mean from expected). Then
 * ratio = x / expected and z = (x - expected) / sd, for the bucket that x falls into, from earlier sessions alone.
 *
 * A session begins when event time moves on by over 30 minutes more than session_minute does: one record a day, always
 * of the same minute, is a session a day. Within a session the minute never falls; a late record counts as seen now. A
 * bucket with any record of another day_type than 0 (a half day) is judged and not learnt: such days are few and move
 * otherwise.
 *
 * Params  bucket (minutes), days (sessions), sessions (a bucket answers once it has learnt that many).  Inputs x,
 *         session_minute, day_type; a record without one, or with a minute outside 0 … 1440, is skipped.
 * Outputs ratio (1; NaN where expected is not above 0), z (standard deviations of the bucket; NaN while nothing
 *         varies), expected (x), level (x; mean of this bucket in this session so far, the new x in it).
 * Error   relative error of mean and sd below 1e-12 (tests/unit/kernels/session against the definition).
 * Source  T. Andersen & T. Bollerslev, "Intraday periodicity and volatility persistence in financial markets", J.
 *         Empirical Finance 4 (1997), for the pattern; weights as in T. Finch, "Incremental calculation of weighted
 *         mean and variance" (2009).
 * Cost    ~15 ns a record; ~25 ns more a bucket; 88 + 40 bytes for each bucket of a day, 11.6 KB by preset. */
#ifndef FM_KERNELS_FEATURE_SESSION_PROFILE_H
#define FM_KERNELS_FEATURE_SESSION_PROFILE_H

#include <stdint.h>

/* ffi:begin */
typedef struct fm_session_bucket {
    double weight, mean; /* of the daily means */
    double squares;      /* faded sum of daily variances and squared distances of daily means */
    int64_t count;       /* sessions learnt */
    int64_t session;     /* number of the last one */
} fm_session_bucket;
typedef struct fm_session_profile {
    double per_bucket; /* 1 / minutes */
    double fade;       /* 1 / days */
    int64_t needed;
    double minute;               /* of the newest record; NaN while empty */
    int64_t newest_ns;           /* its event time */
    int64_t session;             /* number of the present one */
    int64_t open;                /* bucket */
    int64_t learns;              /* 1 while its records are of regular days */
    double count, mean, squares; /* of x in it, in this session */
    fm_session_bucket bucket[];
} fm_session_profile;
/* ffi:end */

#endif
