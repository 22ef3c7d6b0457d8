/* kernels/feature/market_beta.c - see the header. */
#include "kernels/feature/market_beta.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/one_step.h"

#define WARM_COUNT   30
#define RESIDUAL_MIN 1e-10 /* part of the variance below which the rest is rounding */

static const fm_field params[] = {
    {.name = "interval", .unit = "s", .low = 1e-3, .high = 86400, .preset = 10, .help = "over which returns are taken"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 366 * 86400.0,
     .preset = 7200,
     .help = "age at which an interval weighs one half"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_market_beta *beta = state;
    FM_TRY(fm_kernel_check(params, values));
    fm_slices_init(&beta->clock, values[0], 1);
    fm_faded_pair_init(&beta->returns, values[1]);
    beta->x = beta->market = beta->x_before = beta->market_before = NAN;
    beta->beta = beta->per_sd = beta->r2 = NAN;
    return 0;
}

static void regress(fm_market_beta *beta)
{
    const fm_faded_pair *returns = &beta->returns;
    double correlation = fm_faded_pair_correlation(returns);
    beta->beta = fm_faded_pair_slope(returns);
    beta->r2 = correlation * correlation;
    double rest = returns->yy - beta->beta * returns->xy;
    beta->per_sd = rest > RESIDUAL_MIN * returns->yy ? sqrt(returns->weight / rest) : NAN;
}

static void close_interval(fm_market_beta *beta, int64_t ts_ns, int64_t passed)
{
    if (!isnan(beta->x_before)) {
        fm_faded_pair_add(&beta->returns, beta->clock.end_ns, fm_log_ratio(beta->market, beta->market_before),
                          fm_log_ratio(beta->x, beta->x_before));
        if (beta->returns.count >= WARM_COUNT)
            regress(beta);
    }
    bool night = fm_slices_night(&beta->clock, passed);
    beta->x_before = night ? NAN : beta->x;
    beta->market_before = night ? NAN : beta->market;
    fm_slices_open(&beta->clock, ts_ns, passed, 1);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_market_beta *beta = state;
    out[0] = out[1] = out[2] = out[3] = NAN;
    if (!fm_usable_price(in[0]) || !fm_usable_price(in[1]))
        return;
    int64_t passed = fm_slices_passed(&beta->clock, ts_ns);
    if (passed > 0)
        close_interval(beta, ts_ns, passed);
    beta->x = in[0];
    beta->market = in[1];
    out[0] = beta->beta;
    out[1] = fm_log_ratio(in[0], beta->x_before) - beta->beta * fm_log_ratio(in[1], beta->market_before);
    out[2] = fm_finite(out[1] * beta->per_sd);
    out[3] = beta->r2;
}

FM_ONE_STEP(fm_market_beta)
FM_STEP_ONE(step_beta, 0)
FM_STEP_ONE(step_residual, 1)
FM_STEP_ONE(step_z, 2)

const fm_kernel fm_kernel_market_beta = {
    .name = "market_beta",
    .summary = "Beta to the market, and what of the newest move it leaves.",
    .source = "Sharpe, J. Finance 19, 1964",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"},
                                 {.name = "market", .unit = "any", .help = "what it is compared with, > 0"},
                                 {0}},
    .outputs =
        (const fm_field[]){{.name = "beta", .unit = "1", .usual = 1, .help = "move for a move of the market"},
                           {.name = "residual", .unit = "1", .usual = 0, .help = "log return that is left"},
                           {.name = "residual_z", .unit = "sigma", .usual = 0, .help = "over the usual residual"},
                           {.name = "r2", .unit = "1", .usual = NAN, .help = "variance explained, 0 … 1"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_beta, step_residual, step_z},
    .warm_up = "after 31 intervals with records",
    .cost = "~11 ns, 160 bytes",
};
