/* kernels/all.h - every kernel's header, in the order in which their `ffi` parts make one cdef (a part uses only
 * earlier ones). */
#ifndef FM_KERNELS_ALL_H
#define FM_KERNELS_ALL_H

#include "kernels/common/slices.h"
#include "kernels/common/sums.h"
#include "kernels/common/held.h"
#include "kernels/common/baseline.h"
#include "kernels/common/surge.h"
#include "kernels/common/tail.h"
#include "kernels/common/pareto.h"
#include "kernels/common/ranks.h"
#include "kernels/feature/ewma.h"
#include "kernels/feature/event_rate.h"
#include "kernels/feature/log_return.h"
#include "kernels/feature/microprice.h"
#include "kernels/feature/mid.h"
#include "kernels/feature/move_z.h"
#include "kernels/feature/order_flow_imbalance.h"
#include "kernels/feature/realised_variance.h"
#include "kernels/feature/return_z.h"
#include "kernels/feature/rolling_min_max.h"
#include "kernels/feature/spread.h"
#include "kernels/feature/spread_ratio.h"
#include "kernels/feature/trade_imbalance.h"
#include "kernels/feature/volume_ratio.h"
#include "kernels/feature/vwap_deviation.h"
#include "kernels/detector/auto.h"
#include "kernels/detector/ewma_z.h"
#include "kernels/detector/market.h"
#include "kernels/detector/page_hinkley.h"
#include "kernels/detector/robust_z.h"

#endif
