/* kernels/feature/realised_variance.c - see the header. */
#include "kernels/feature/realised_variance.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 300, .help = "length of the window"},
    {0},
};

int fm_realised_variance_init(fm_realised_variance *realised, double window_s)
{
    FM_TRY(fm_kernel_check(params, &window_s));
    *realised = (fm_realised_variance){.newest = NAN, .whole_ns = INT64_MAX};
    fm_slices_init(&realised->clock, window_s, FM_SLICES);
    return 0;
}

static void advance(fm_realised_variance *realised, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&realised->clock, ts_ns);
    if (passed == 0)
        return;
    if (realised->clock.end_ns == INT64_MIN &&
        __builtin_add_overflow(ts_ns, fm_slices_window_ns(&realised->clock, FM_SLICES), &realised->whole_ns))
        realised->whole_ns = INT64_MAX;
    fm_sums_close(&realised->squares, realised->clock.open, passed);
    fm_slices_open(&realised->clock, ts_ns, passed, FM_SLICES);
}

static void read(const fm_realised_variance *realised, int64_t ts_ns, double square, double out[2])
{
    out[0] = ts_ns >= realised->whole_ns ? fm_sums_total(&realised->squares) + square : NAN;
    out[1] = sqrt(out[0]);
}

static double square_of(const fm_realised_variance *realised, double x)
{
    double log_return = fm_log_ratio(x, realised->newest);
    return log_return * log_return;
}

static void add(fm_realised_variance *realised, double x, double square)
{
    realised->squares.newest += isnan(square) ? 0.0 : square;
    realised->newest = x;
}

void fm_realised_variance_score(const fm_realised_variance *realised, int64_t ts_ns, double x, double out[2])
{
    out[0] = out[1] = NAN;
    if (!fm_usable_price(x))
        return;
    fm_realised_variance moved = *realised;
    advance(&moved, ts_ns);
    read(&moved, ts_ns, square_of(&moved, x), out);
}

void fm_realised_variance_update(fm_realised_variance *realised, int64_t ts_ns, double x)
{
    if (!fm_usable_price(x))
        return;
    advance(realised, ts_ns);
    add(realised, x, square_of(realised, x));
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_realised_variance);
}

static int init(void *state, const double *values)
{
    return fm_realised_variance_init(state, values[0]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_realised_variance_score(state, ts_ns, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_realised_variance_update(state, ts_ns, in[0]);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]))
        return;
    fm_realised_variance *realised = state;
    advance(realised, ts_ns);
    double square = square_of(realised, in[0]);
    read(realised, ts_ns, square, out);
    add(realised, in[0], square);
}

FM_STEP_ONE(step_variance, 0)
FM_STEP_ONE(step_volatility, 1)

const fm_kernel fm_kernel_realised_variance = {
    .name = "realised_variance",
    .summary = "Sum of squared tick returns over the last window.",
    .source = "Andersen, Bollerslev, Diebold & Labys, Econometrica 71, 2003",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"}, {0}},
    .outputs =
        (const fm_field[]){
            {.name = "variance", .unit = "1", .usual = NAN, .help = "of log returns, over the window"},
            {.name = "volatility", .unit = "1", .usual = NAN, .help = "its root; 0.001 is ten basis points"},
            {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_variance, step_volatility},
    .warm_up = "once the series is a window old",
    .cost = "~7 ns, 312 bytes",
};
