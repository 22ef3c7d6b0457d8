/* kernels/common/pareto.h - which share of a positive series lies beyond x: a log histogram that fades, and a Pareto
 * tail where the histogram has too little.
 *
 * 256 bins, ten an octave, from 2^-14 to 2^11.5; what lies beyond counts in the outermost. A value added weighs `grow`
 * times one added before it, which is to fade the past for nothing. Beyond the edge of the top hundredth (four values
 * at least) P(X > x) = part * (x / edge)^-exponent with Hill's estimate of the exponent over the bins, held to 3, the
 * inverse cubic law of returns, as by ten more values. Within a bin values are spread evenly.
 *
 * Source  B. M. Hill, "A simple general approach to inference about the tail of a distribution" (1975).
 * Cost    adding walks the bins of the top hundredth, asking the bins above x; 1,072 bytes. */
#ifndef FM_KERNELS_COMMON_PARETO_H
#define FM_KERNELS_COMMON_PARETO_H

#include "base/fmath.h"

#include <stdint.h>

#define FM_PARETO_BINS 256
#define FM_PARETO_FINE 10.0    /* bins an octave */
#define FM_PARETO_FROM 14.0371 /* bins begin at 2^-this: no round x is an edge, where rounding would choose its bin */

/* ffi:begin */
typedef struct fm_pareto {
    float weight[256];  /* of the bins, in units that grow */
    double count, step; /* of all; the unit now, 0 while empty */
    double edge;        /* log2 of where the Pareto tail begins */
    double part;        /* P(X > edge) */
    double exponent;
    int64_t top; /* highest bin ever filled */
} fm_pareto;
/* ffi:end */

static inline int fm_pareto_bin(double place)
{
    return place < 0.0 ? 0 : place >= FM_PARETO_BINS ? FM_PARETO_BINS - 1 : (int)place;
}

/* How many values are in, the newest as one. */
static inline double fm_pareto_count(const fm_pareto *tail)
{
    return tail->step > 0.0 ? tail->count / tail->step : 0.0;
}

static inline void fm_pareto_fit(fm_pareto *tail)
{
    double scale = 1.0 / tail->step, count = tail->count * scale, inside = 0.0, sum = 0.0;
    double need = 0.01 * count > 4.0 ? 0.01 * count : 4.0;
    int i = (int)tail->top;
    for (; i > 0; i--) {
        double weight = tail->weight[i] * scale;
        inside += weight;
        sum += weight * ((i + 0.5) / FM_PARETO_FINE - FM_PARETO_FROM);
        if (inside >= need)
            break;
    }
    tail->edge = i / FM_PARETO_FINE - FM_PARETO_FROM;
    tail->part = inside / count;
    tail->exponent = (inside + 10.0) / ((sum - inside * tail->edge) * 0.69314718055994531 + 10.0 / 3.0);
}

/* x > 0; grow >= 1. */
static inline void fm_pareto_add(fm_pareto *tail, double grow, double x)
{
    int bin = fm_pareto_bin((fm_log2(x) + FM_PARETO_FROM) * FM_PARETO_FINE);
    if (tail->step == 0.0)
        tail->step = 1.0;
    tail->weight[bin] += (float)tail->step;
    tail->top = bin > tail->top ? bin : tail->top;
    tail->count += tail->step;
    tail->step *= grow;
    if (tail->step > 1e6) {
        for (int i = 0; i < FM_PARETO_BINS; i++)
            tail->weight[i] /= (float)tail->step;
        tail->count /= tail->step;
        tail->step = 1.0;
    }
    fm_pareto_fit(tail);
}

/* The share of values beyond x > 0; not to be asked while empty. */
static inline double fm_pareto_share(const fm_pareto *tail, double x)
{
    double place = fm_log2(x);
    if (place > tail->edge)
        return tail->part * fm_exp2(-tail->exponent * (place - tail->edge));
    double at = (place + FM_PARETO_FROM) * FM_PARETO_FINE, above = 0.0;
    int bin = fm_pareto_bin(at);
    for (int i = (int)tail->top; i > bin; i--)
        above += tail->weight[i];
    double within = bin + 1 - at;
    within = within < 0.0 ? 0.0 : within > 1.0 ? 1.0 : within;
    return (above + within * tail->weight[bin]) / tail->count;
}

#endif
