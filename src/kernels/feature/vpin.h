/* kernels/feature/vpin.h - how one-sided trading is, in volume time: the toxicity of the flow.
 *
 * Trades fill buckets of `volume`; a large one fills several. In a bucket, what the feed gave a side is bought or sold;
 * the rest is split in bulk: a part Phi(r / sigma) of it was bought, with r the log return over the bucket and sigma^2
 * the mean of r^2 over the last `count` buckets, this one included (1/2 while nothing moved). VPIN is the mean over
 * the last `count` buckets of |bought - sold| / volume.
 *
 * Params  volume (size of a bucket: must be given, about a fiftieth of a day's), count (events: buckets).
 *         Inputs price, size, side (may be NaN). A trade without price or size is skipped; one beyond count buckets
 *         fills each of them once.
 * Outputs vpin (0 … 1; NaN until count buckets are full), bucket (-1 … 1; bought less sold of the newest full bucket).
 * Error   how well bulk classification tells bought from sold is disputed: Easley, Lopez de Prado & O'Hara, "Discerning
 *         information from trade data", J. Financial Economics 120 (2016), find it nearly as good as the tick rule; B.
 *         Chakrabarty, R. Pascual & A. Shkilko, "Evaluating trade classification algorithms", J. Financial Markets 25
 *         (2015), find it worse. So the feed's sides are used where there are any. Rounding does not build up.
 * Source  D. Easley, M. Lopez de Prado & M. O'Hara, "Flow toxicity and liquidity in a high-frequency world", Review of
 *         Financial Studies 25 (2012).
 * Cost    ~16 ns a trade; ~60 ns more a bucket; 136 + 16 * count bytes of state. */
#ifndef FM_KERNELS_FEATURE_VPIN_H
#define FM_KERNELS_FEATURE_VPIN_H

#include "kernels/common/last.h"

#define FM_VPIN_COUNT_MAX 500

/* ffi:begin */
typedef struct fm_vpin {
    int64_t count;
    double volume;                /* of a bucket */
    double filled, bought, given; /* of the open one: all, with side buy, with any side */
    double newest;                /* price of the newest trade */
    double before;                /* price at the end of the bucket before; NaN before the first trade */
    double signed_part;           /* bought less sold of the newest full bucket; NaN before it */
    double vpin;                  /* NaN until count buckets */
    fm_last imbalances, squares;
    double slot[]; /* count of the one, count of the other */
} fm_vpin;
/* ffi:end */

#endif
