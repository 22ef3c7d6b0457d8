/* kernels/feature/microprice.h - the middle weighted by what stands on the other side, and the imbalance behind it.
 *
 * (bid * ask_size + ask * bid_size) / (bid_size + ask_size): where much is bid and little offered, the next price is
 * nearer the ask. NaN for a quote with one side, crossed, or without sizes.
 *
 * Inputs  bid, bid_size, ask, ask_size.  No parameters, no state.
 * Outputs microprice (price), imbalance ((bid_size - ask_size) / (bid_size + ask_size), -1 … 1).
 * Source  J. Gatheral & R. Oomen, "Zero-intelligence realized variance estimation" (2010); the weighted mid of S.
 *         Stoikov, "The micro-price" (2018).
 * Cost    two divisions; 0 bytes of state. */
#ifndef FM_KERNELS_FEATURE_MICROPRICE_H
#define FM_KERNELS_FEATURE_MICROPRICE_H

/* ffi:begin */
double fm_microprice(double bid, double bid_size, double ask,
                     double ask_size);                      /* NaN unless 0 < bid <= ask and a size > 0 */
double fm_size_imbalance(double bid_size, double ask_size); /* -1 … 1; NaN when both are 0 */
/* ffi:end */

#endif
