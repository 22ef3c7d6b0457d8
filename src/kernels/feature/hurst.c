/* kernels/feature/hurst.c - see the header. */
#include "kernels/feature/hurst.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/one_step.h"
#include "kernels/common/quiet_fade.h"

#define WARM_BLOCKS 8
#define SQUARE_MIN  1e-200

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 3600,
     .help = "age at which a return weighs one half"},
    {.name = "scales",
     .unit = "1",
     .low = 3,
     .high = FM_HURST_SCALES_MAX,
     .preset = 7,
     .help = "lengths of blocks: 1, 2, 4 … ticks"},
    {0},
};

/* Half the slope of a weighted regression, as a weight of each value. */
static void make_slope(fm_hurst *hurst)
{
    double total = 0.0, mean = 0.0, square = 0.0, weight[FM_HURST_SCALES_MAX];
    for (int64_t i = 0; i < hurst->scales; i++) {
        weight[i] = fm_exp2(-0.5 * (double)i);
        total += weight[i];
        mean += weight[i] * (double)i;
    }
    mean /= total;
    for (int64_t i = 0; i < hurst->scales; i++)
        square += weight[i] * ((double)i - mean) * ((double)i - mean);
    for (int64_t i = 0; i < hurst->scales; i++)
        hurst->slope[i] = 0.5 * weight[i] * ((double)i - mean) / square;
}

static int init(void *state, const double *values)
{
    fm_hurst *hurst = state;
    FM_TRY(fm_kernel_check(params, values));
    hurst->fade = 1e-9 / values[0];
    hurst->newest = hurst->hurst = NAN;
    hurst->scales = (int64_t)values[1];
    for (int i = 0; i < FM_HURST_SCALES_MAX; i++)
        hurst->scale[i] = (fm_hurst_scale){.half = NAN, .newest_ns = INT64_MIN};
    make_slope(hurst);
    hurst->newest_ns = INT64_MIN;
    return 0;
}

/* A block of scale 0 comes; two make one of the next scale. */
static void add(fm_hurst *hurst, int64_t ts_ns, double block)
{
    for (int64_t i = 0; i < hurst->scales; i++) {
        fm_hurst_scale *scale = &hurst->scale[i];
        scale->weight = fm_quiet_fade(&scale->newest_ns, ts_ns, hurst->fade) * scale->weight + 1.0;
        scale->mean += (block * block - scale->mean) / scale->weight;
        hurst->log_square[i] = fm_log2(scale->mean > SQUARE_MIN ? scale->mean : SQUARE_MIN);
        if (i == hurst->scales - 1)
            hurst->largest++;
        if (isnan(scale->half)) {
            scale->half = block;
            return;
        }
        block += scale->half;
        scale->half = NAN;
    }
}

static double exponent(const fm_hurst *hurst)
{
    double sum = 0.0;
    if (hurst->largest < WARM_BLOCKS)
        return NAN;
    for (int64_t i = 0; i < hurst->scales; i++) {
        if (hurst->scale[i].mean <= SQUARE_MIN)
            return NAN;
        sum += hurst->slope[i] * hurst->log_square[i];
    }
    return sum;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_hurst *hurst = state;
    out[0] = NAN;
    if (!fm_usable_price(in[0]))
        return;
    double move = fm_log_ratio(in[0], hurst->newest);
    hurst->newest = in[0];
    hurst->newest_ns = ts_ns > hurst->newest_ns ? ts_ns : hurst->newest_ns;
    if (isnan(move))
        return;
    add(hurst, hurst->newest_ns, move);
    hurst->hurst = exponent(hurst);
    out[0] = hurst->hurst;
}

FM_ONE_STEP(fm_hurst)

const fm_kernel fm_kernel_hurst = {
    .name = "hurst",
    .summary = "Hurst exponent of the returns: below 0.5 they return, above they trend.",
    .source = "Taqqu, Teverovsky & Willinger, Fractals 3, 1995",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"}, {0}},
    .outputs = (const fm_field[]){{.name = "hurst", .unit = "1", .usual = 0.5, .help = "0.5 is a random walk"}, {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 8 blocks of the largest scale: 512 returns by preset",
    .cost = "~52 ns, 528 bytes",
};
