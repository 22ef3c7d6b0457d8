/* kernels/feature/signed_volume.h - bought less sold over the last window, each trade's direction by Lee & Ready.
 *
 * As trade_imbalance, but a trade without a side is classified by the quote it met, and by the tick rule only at the
 * middle or without a quote (kernels/common/trade_sign.h). One that cannot be told counts in the total alone.
 *
 * Params  window (s).  Inputs price, size, bid, ask, side (the last three may be NaN). A trade without price or size is
 *         skipped.
 * Outputs volume (size; bought less sold), share (-1 … 1; of all that was traded).
 * Error   the window reaches back between 31/32 and 32/32 of its length; directions as kernels/feature/trade_sign.h.
 * Source  C. Lee & M. Ready, "Inferring trade direction from intraday data", J. Finance 46 (1991).
 * Cost    ~13 ns a trade; 64 additions a slice; 592 bytes of state. */
#ifndef FM_KERNELS_FEATURE_SIGNED_VOLUME_H
#define FM_KERNELS_FEATURE_SIGNED_VOLUME_H

#include "kernels/common/trade_sign.h"
#include "kernels/common/window.h"

/* ffi:begin */
typedef struct fm_signed_volume {
    fm_window window;
    fm_tick_rule tick;
    fm_sums net_gross[2];
} fm_signed_volume;
/* ffi:end */

#endif
