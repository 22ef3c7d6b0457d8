/* kernels/feature/market_correlation.c - see the header. */
#include "kernels/feature/market_correlation.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define SLICES     FM_CORRELATION_SLICES
#define WARM_COUNT 16.0
#define SQUARE_MIN 1e-100

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 366 * 86400.0, .preset = 1800, .help = "length of the window"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_market_correlation *rolling = state;
    FM_TRY(fm_kernel_check(params, values));
    fm_slices_init(&rolling->clock, values[0], SLICES);
    rolling->x = rolling->market = rolling->x_before = rolling->market_before = rolling->correlation = NAN;
    for (int i = 0; i < SLICES; i++)
        rolling->x_move[i] = rolling->market_move[i] = NAN;
    return 0;
}

static void correlate(fm_market_correlation *rolling)
{
    double count = 0.0, x = 0.0, y = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;
    for (int i = 0; i < SLICES; i++) {
        if (isnan(rolling->x_move[i]))
            continue;
        count += 1.0;
        x += rolling->x_move[i];
        y += rolling->market_move[i];
    }
    rolling->returns = count;
    rolling->correlation = NAN;
    if (count < WARM_COUNT)
        return;
    x /= count;
    y /= count;
    for (int i = 0; i < SLICES; i++) {
        if (isnan(rolling->x_move[i]))
            continue;
        double from_x = rolling->x_move[i] - x, from_y = rolling->market_move[i] - y;
        xx += from_x * from_x;
        yy += from_y * from_y;
        xy += from_x * from_y;
    }
    if (xx < SQUARE_MIN || yy < SQUARE_MIN)
        return;
    double r = xy / (sqrt(xx) * sqrt(yy));
    rolling->correlation = r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
}

static void close_slice(fm_market_correlation *rolling, int64_t ts_ns, int64_t passed)
{
    int64_t open = rolling->clock.open, cleared = passed < SLICES ? passed : SLICES;
    rolling->x_move[open] = fm_log_ratio(rolling->x, rolling->x_before);
    rolling->market_move[open] = fm_log_ratio(rolling->market, rolling->market_before);
    for (int64_t i = 1; i <= cleared; i++)
        rolling->x_move[(open + i) % SLICES] = NAN;
    bool night = fm_slices_night(&rolling->clock, passed);
    rolling->x_before = night ? NAN : rolling->x;
    rolling->market_before = night ? NAN : rolling->market;
    fm_slices_open(&rolling->clock, ts_ns, passed, SLICES);
    correlate(rolling);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_market_correlation *rolling = state;
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]) || !fm_usable_price(in[1]))
        return;
    int64_t passed = fm_slices_passed(&rolling->clock, ts_ns);
    if (passed > 0)
        close_slice(rolling, ts_ns, passed);
    rolling->x = in[0];
    rolling->market = in[1];
    out[0] = rolling->correlation;
    out[1] = rolling->returns;
}

FM_ONE_STEP(fm_market_correlation)
FM_STEP_ONE(step_correlation, 0)

const fm_kernel fm_kernel_market_correlation = {
    .name = "market_correlation",
    .summary = "Correlation of returns with the market over the last window.",
    .source = "Epps, J. American Statistical Association 74, 1979",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"},
                                 {.name = "market", .unit = "any", .help = "what it is compared with, > 0"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "correlation", .unit = "1", .usual = NAN, .help = "-1 … 1"},
                                  {.name = "returns", .unit = "1", .usual = NAN, .help = "that the window holds"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_correlation},
    .warm_up = "once 16 slices of the window have returns",
    .cost = "~5 ns, 1096 bytes",
};
