/* kernels/feature/spread_ratio.c - see the header. */
#include "kernels/feature/spread_ratio.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/feature/spread.h"
#include "kernels/kernel.h"

#define CUT 4.0

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 86400, .preset = 10, .help = "length of the mean spread"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-2,
     .high = 31 * 86400.0,
     .preset = 3600,
     .help = "age at which a spread weighs one half in the usual one"},
    {.name = "floor", .unit = "bp", .low = 0, .high = 1e4, .preset = 0, .help = "smallest usual spread divided by"},
    {.name = "warm_up",
     .unit = "s",
     .low = 0,
     .high = 31 * 86400.0,
     .preset = 0,
     .help = "event time before the first answer; 0 is a quarter of half_life"},
    {0},
};

int fm_spread_ratio_init(fm_spread_ratio *ratio, double window_s, double half_life_s, double floor_bp, double warm_up_s)
{
    FM_TRY(fm_kernel_check(params, (const double[]){window_s, half_life_s, floor_bp, warm_up_s}));
    *ratio = (fm_spread_ratio){.floor = floor_bp, .newest = NAN, .since_ns = INT64_MIN};
    fm_slices_init(&ratio->clock, window_s, FM_SLICES);
    fm_baseline_init(&ratio->usual, half_life_s, warm_up_s);
    return 0;
}

static void advance(fm_spread_ratio *ratio, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&ratio->clock, ts_ns);
    if (passed > 0) {
        if (ratio->clock.end_ns != INT64_MIN) {
            int64_t counted = passed < FM_SLICES ? passed : FM_SLICES;
            bool whole = ratio->usual.age_ns + ratio->clock.width_ns >= fm_slices_window_ns(&ratio->clock, FM_SLICES);
            double time_s = fm_sums_total(&ratio->time);
            double sample = whole && time_s > 0.0 ? fm_sums_total(&ratio->product) / time_s : NAN;
            fm_baseline_add(&ratio->usual, counted * ratio->clock.width_ns, sample, CUT, ratio->floor);
        }
        fm_sums_close(&ratio->product, ratio->clock.open, passed);
        fm_sums_close(&ratio->time, ratio->clock.open, passed);
        fm_slices_open(&ratio->clock, ts_ns, passed, FM_SLICES);
    }
    if (ts_ns <= ratio->since_ns)
        return;
    if (!isnan(ratio->newest)) {
        int64_t window_ns = fm_slices_window_ns(&ratio->clock, FM_SLICES);
        int64_t stood_ns = fm_elapsed_ns(ts_ns, ratio->since_ns);
        double stood_s = 1e-9 * (double)(stood_ns < window_ns ? stood_ns : window_ns);
        ratio->product.newest += ratio->newest * stood_s;
        ratio->time.newest += stood_s;
    }
    ratio->since_ns = ts_ns;
}

static void read(const fm_spread_ratio *ratio, double out[3])
{
    double time_s = fm_sums_total(&ratio->time);
    bool whole = ratio->usual.age_ns >= fm_slices_window_ns(&ratio->clock, FM_SLICES);
    out[1] = whole && time_s > 0.0 ? fm_sums_total(&ratio->product) / time_s : NAN;
    out[2] = fm_baseline_ready(&ratio->usual) ? ratio->usual.mean : NAN;
    double divisor = out[2] < ratio->floor ? ratio->floor : out[2];
    out[0] = divisor > 0.0 ? fm_finite(out[1] / divisor) : NAN;
}

void fm_spread_ratio_score(const fm_spread_ratio *ratio, int64_t ts_ns, double bid, double ask, double out[3])
{
    (void)bid; /* a quote that only just came has not stood yet */
    (void)ask;
    fm_spread_ratio moved = *ratio;
    advance(&moved, ts_ns);
    read(&moved, out);
}

void fm_spread_ratio_update(fm_spread_ratio *ratio, int64_t ts_ns, double bid, double ask)
{
    double spread_bp = fm_spread_bp(bid, ask);
    if (isnan(spread_bp))
        return;
    advance(ratio, ts_ns);
    ratio->newest = spread_bp;
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_spread_ratio);
}

static int init(void *state, const double *values)
{
    return fm_spread_ratio_init(state, values[0], values[1], values[2], values[3]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_spread_ratio_score(state, ts_ns, in[0], in[1], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_spread_ratio_update(state, ts_ns, in[0], in[1]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    double spread_bp = fm_spread_bp(in[0], in[1]);
    if (isnan(spread_bp)) {
        score(state, ts_ns, in, out);
        return;
    }
    fm_spread_ratio *ratio = state;
    advance(ratio, ts_ns);
    read(ratio, out);
    ratio->newest = spread_bp;
}

FM_STEP_ONE(step_ratio, 0)
FM_STEP_ONE(step_spread, 1)
FM_STEP_ONE(step_usual, 2)

const fm_kernel fm_kernel_spread_ratio = {
    .name = "spread_ratio",
    .summary = "Time-weighted spread of the last window over the usual one.",
    .source = "SEC Rule 605 (time-weighted quoted spread)",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "bid", .unit = "price", .help = "best bid"},
                                 {.name = "ask", .unit = "price", .help = "best ask"},
                                 {0}},
    .outputs =
        (const fm_field[]){{.name = "ratio", .unit = "1", .usual = 1, .help = "3 = three times as wide as usual"},
                           {.name = "spread", .unit = "bp", .usual = NAN, .help = "mean of the window"},
                           {.name = "usual", .unit = "bp", .usual = NAN, .help = "faded mean of such windows"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_ratio, step_spread, step_usual},
    .warm_up = "after warm_up of event time, one window and 16 slices with quotes",
    .cost = "~16 ns, 640 bytes",
};
