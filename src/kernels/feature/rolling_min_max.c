/* kernels/feature/rolling_min_max.c - see the header. Inside, an empty slice is +infinity … -infinity, which folds
 * away by itself. */
#include "kernels/feature/rolling_min_max.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 300, .help = "length of the window"},
    {0},
};

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void fold(fm_rolling_min_max *rolling)
{
    double low[4], high[4];
    for (int j = 0; j < 4; j++) {
        low[j] = rolling->slot_low[j];
        high[j] = rolling->slot_high[j];
    }
    for (int i = 4; i < FM_SLICES; i += 4)
        for (int j = 0; j < 4; j++) {
            low[j] = smaller(low[j], rolling->slot_low[i + j]);
            high[j] = larger(high[j], rolling->slot_high[i + j]);
        }
    rolling->low = smaller(smaller(low[0], low[1]), smaller(low[2], low[3]));
    rolling->high = larger(larger(high[0], high[1]), larger(high[2], high[3]));
}

int fm_rolling_min_max_init(fm_rolling_min_max *rolling, double window_s)
{
    FM_TRY(fm_kernel_check(params, &window_s));
    fm_slices_init(&rolling->clock, window_s, FM_SLICES);
    for (int i = 0; i < FM_SLICES; i++) {
        rolling->slot_low[i] = INFINITY;
        rolling->slot_high[i] = -INFINITY;
    }
    fold(rolling);
    return 0;
}

static void advance(fm_rolling_min_max *rolling, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&rolling->clock, ts_ns);
    if (passed == 0)
        return;
    int64_t cleared = passed < FM_SLICES ? passed : FM_SLICES;
    for (int64_t i = 1; i <= cleared; i++) {
        rolling->slot_low[(rolling->clock.open + i) % FM_SLICES] = INFINITY;
        rolling->slot_high[(rolling->clock.open + i) % FM_SLICES] = -INFINITY;
    }
    fm_slices_open(&rolling->clock, ts_ns, passed, FM_SLICES);
    fold(rolling);
}

static void read(const fm_rolling_min_max *rolling, double x, double out[3])
{
    out[0] = smaller(x, rolling->low);
    out[1] = larger(x, rolling->high);
    out[2] = out[1] > out[0] ? fm_finite((x - out[0]) / (out[1] - out[0])) : NAN;
}

static void add(fm_rolling_min_max *rolling, double x)
{
    int64_t open = rolling->clock.open;
    rolling->slot_low[open] = smaller(x, rolling->slot_low[open]);
    rolling->slot_high[open] = larger(x, rolling->slot_high[open]);
    rolling->low = smaller(x, rolling->low);
    rolling->high = larger(x, rolling->high);
}

void fm_rolling_min_max_score(const fm_rolling_min_max *rolling, int64_t ts_ns, double x, double out[3])
{
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable(x))
        return;
    fm_rolling_min_max moved = *rolling;
    advance(&moved, ts_ns);
    read(&moved, x, out);
}

void fm_rolling_min_max_update(fm_rolling_min_max *rolling, int64_t ts_ns, double x)
{
    if (!fm_usable(x))
        return;
    advance(rolling, ts_ns);
    add(rolling, x);
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_rolling_min_max);
}

static int init(void *state, const double *values)
{
    return fm_rolling_min_max_init(state, values[0]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_rolling_min_max_score(state, ts_ns, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_rolling_min_max_update(state, ts_ns, in[0]);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable(in[0]))
        return;
    advance(state, ts_ns);
    read(state, in[0], out);
    add(state, in[0]);
}

FM_STEP_ONE(step_min, 0)
FM_STEP_ONE(step_max, 1)
FM_STEP_ONE(step_position, 2)

const fm_kernel fm_kernel_rolling_min_max = {
    .name = "rolling_min_max",
    .summary = "Extremes of the last window, and where x lies between them.",
    .source = "definition",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "min", .unit = "x", .usual = NAN, .help = "lowest, x included"},
                           {.name = "max", .unit = "x", .usual = NAN, .help = "highest, x included"},
                           {.name = "position", .unit = "1", .usual = NAN, .help = "0 = at the low, 1 = at the high"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_min, step_max, step_position},
    .warm_up = "at once; position when two values differ",
    .cost = "~5 ns, 552 bytes",
};
