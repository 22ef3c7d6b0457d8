/* net/prometheus.h - counters as Prometheus text, exposition format 0.0.4. */
#ifndef FM_NET_PROMETHEUS_H
#define FM_NET_PROMETHEUS_H

#include "base/counters.h"
#include "base/text.h"

#include <stdint.h>

/* Every row of metrics.def, added up over the blocks (NULL ones are skipped), and the reasons for refusal: all of them,
 * so that a reason's first refusal is a step from 0 and not a new series. */
void fm_prometheus_counters(fm_text *out, const fm_counters *const *blocks, uint32_t count);

/* process_*: CPU seconds, memory, file descriptors, start time; what the system does not tell is left out. */
void fm_prometheus_process(fm_text *out);

void fm_prometheus_build(fm_text *out, const char *version); /* fmads_build_info */

#endif
