/* kernels/common/lags.h - rings that run backwards: the newest row lies at `head`, one of lag k at the place k further
 * on.
 *
 * So a greater lag is a later place, and what is compared with the newest row, lag by lag, lies in at most two pieces
 * that are walked forwards. A ring may have its first rows repeated behind its end: a stretch of as many rows is then
 * one piece wherever it begins. */
#ifndef FM_KERNELS_COMMON_LAGS_H
#define FM_KERNELS_COMMON_LAGS_H

#include <stdint.h>

/* Where the row of a lag in 0 … size lies. */
static inline int64_t fm_lag_place(int64_t head, int64_t lag, int64_t size)
{
    int64_t at = head + lag;
    return at < size ? at : at - size;
}

/* Where the next row will lie. */
static inline int64_t fm_lag_next(int64_t head, int64_t size)
{
    return head > 0 ? head - 1 : size - 1;
}

/* Lays a row down, and its copy behind the end of the ring, of which the first `repeated` places have one. */
static inline void fm_lag_push(double *ring, int64_t size, int64_t repeated, int64_t place, double x)
{
    ring[place] = x;
    if (place < repeated)
        ring[size + place] = x;
}

#endif
