/* kernels/feature/vwap_deviation.h - how far a trade is from the volume-weighted average price of the last window.
 *
 * The average is that of the trades before this one, so that a large trade at a wrong price does not vouch for itself.
 * Sigma is the volume-weighted spread of the prices around it ("VWAP bands").
 *
 * Params  window (s), floor (bp; smallest sigma divided by).  Inputs price, size; a trade without either, or of size
 *         0, is skipped.
 * Outputs deviation (bp; price / VWAP - 1), z (sigma), vwap (price).
 * Error   the window reaches back between 31/32 and 32/32 of its length. Sums are kept about an anchor, the first
 *         price of a window that was empty: sigma is good to 1e-15 * (distance of the VWAP from the anchor / sigma)^2,
 *         the VWAP to 1e-15.
 * Source  S. Berkowitz, D. Logue & E. Noser, "The total cost of transactions on the NYSE", J. Finance 43 (1988).
 * Cost    four divisions and a root a trade; 96 additions a slice; 856 bytes of state. */
#ifndef FM_KERNELS_FEATURE_VWAP_DEVIATION_H
#define FM_KERNELS_FEATURE_VWAP_DEVIATION_H

#include "kernels/common/sums.h"

/* ffi:begin */
typedef struct fm_vwap_deviation {
    fm_slices clock;
    double floor;      /* smallest sigma, as a fraction of the price */
    double per_anchor; /* 1 / the price that the sums are about */
    fm_sums size;      /* of sizes */
    fm_sums product;   /* of size * (price / anchor - 1) */
    fm_sums square;    /* of size * (price / anchor - 1)^2 */
} fm_vwap_deviation;
int fm_vwap_deviation_init(fm_vwap_deviation *vwap, double window_s, double floor_bp); /* 0, or FM_EINVAL */
void fm_vwap_deviation_score(const fm_vwap_deviation *vwap, int64_t ts_ns, double price,
                             double out[3]);                                                      /* bp, z, vwap */
void fm_vwap_deviation_update(fm_vwap_deviation *vwap, int64_t ts_ns, double price, double size); /* late = seen now */
/* ffi:end */

#endif
