/* kernels/feature/depth_imbalance.h - which side of the book is deeper, over its best levels.
 *
 * imbalance = (bid_depth - ask_depth) / (bid_depth + ask_depth), with the sizes of the best FM_KERNEL_DEPTH_LEVELS
 * levels of either side. A queue that is shown and withdrawn a level behind the best moves this and not
 * queue_imbalance.
 *
 * Inputs  bid_depth, ask_depth; NaN or negative: no answer.
 * Outputs imbalance (-1 … 1; 1 = all size on the bid), depth (size; of both sides). No state.
 * Error   rounding.
 * Source  C. Cao, O. Hansch & X. Wang, "The information content of an open limit-order book", J. Futures Markets 29
 *         (2009).
 * Cost    a division; no state. */
#ifndef FM_KERNELS_FEATURE_DEPTH_IMBALANCE_H
#define FM_KERNELS_FEATURE_DEPTH_IMBALANCE_H

#endif
