/* kernels/feature/amihud.h - illiquidity: how far the price moved for each million traded.
 *
 * The window is cut into 32 slices. For each closed slice with a trade after an earlier price, |log return| from the
 * last price before the slice to its last price over the value traded in it; their mean over the slices of the window.
 * The first slice after a night (kernels/common/slices.h) does not count: a night's move is not made by its volume. A
 * name that trades once an hour needs a window of days, else every silence is a night.
 *
 * Params  window (s).  Inputs price, size; a trade without one is skipped.
 * Outputs illiquidity (bp per million of price * size; NaN while no slice of the window counts), value (price * size
 *         traded in the window, the open slice too).
 * Error   the window reaches back between 31/32 and 32/32 of its length; rounding does not build up.
 * Source  Y. Amihud, "Illiquidity and stock returns: cross-section and time-series effects", J. Financial Markets 5
 *         (2002), over slices of a window instead of days of a year.
 * Cost    ~9 ns a trade; ~100 ns a slice; 864 bytes of state. */
#ifndef FM_KERNELS_FEATURE_AMIHUD_H
#define FM_KERNELS_FEATURE_AMIHUD_H

#include "kernels/common/window.h"

/* ffi:begin */
typedef struct fm_amihud {
    fm_window window;
    double newest; /* price; NaN while empty */
    double before; /* last price before the open slice; NaN: none, or a night ago */
    fm_sums ratio_count_value[3];
} fm_amihud;
/* ffi:end */

#endif
