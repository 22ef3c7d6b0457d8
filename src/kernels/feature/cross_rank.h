/* kernels/feature/cross_rank.h - how far an instrument stands out of its sector at this moment.
 *
 * z = (x - sector_mean) / sector_sd, and the rank of the instrument among those of its sector. The engine makes the
 * three from the log returns of a minute of all members, every few seconds of event time: let x be the same, by of =
 * log_return over 60 s; z then speaks at once, the rank with the next cross-section.
 *
 * Inputs  x, sector_mean, sector_sd, sector_rank.
 * Outputs z (standard deviations of the sector; NaN while sector_sd is 0), rank (0 = lowest … 1 = highest; NaN outside
 *         of that). No state.
 * Error   rounding; that of the cross-section is its age.
 * Source  definition.
 * Cost    a division; no state. */
#ifndef FM_KERNELS_FEATURE_CROSS_RANK_H
#define FM_KERNELS_FEATURE_CROSS_RANK_H

#endif
