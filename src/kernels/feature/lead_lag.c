/* kernels/feature/lead_lag.c - see the header. */
#include "kernels/feature/lead_lag.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define WARM_COUNT 64
#define SQUARE_MIN 1e-100

static const fm_field params[] = {
    {.name = "interval", .unit = "s", .low = 1e-3, .high = 86400, .preset = 5, .help = "over which returns are taken"},
    {.name = "lags",
     .unit = "intervals",
     .low = 1,
     .high = FM_LEAD_LAGS_MAX,
     .preset = 5,
     .help = "furthest lead of either that is looked at"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 366 * 86400.0,
     .preset = 1800,
     .help = "age at which an interval weighs one half"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_lead_lag *lead = state;
    FM_TRY(fm_kernel_check(params, values));
    fm_slices_init(&lead->clock, values[0], 1);
    lead->interval = values[0];
    lead->lags = (int64_t)values[1];
    lead->keep = fm_exp2(-values[0] / values[2]);
    lead->x = lead->market = lead->x_before = lead->market_before = NAN;
    lead->lag = lead->correlation = lead->together = NAN;
    return 0;
}

static void push(fm_lead_lag *lead, double x, double market)
{
    for (int64_t k = lead->lags; k > 0; k--) {
        lead->x_move[k] = lead->x_move[k - 1];
        lead->market_move[k] = lead->market_move[k - 1];
    }
    lead->x_move[0] = x;
    lead->market_move[0] = market;
    lead->x_square = lead->keep * lead->x_square + x * x;
    lead->market_square = lead->keep * lead->market_square + market * market;
    for (int64_t k = 0; k <= lead->lags; k++) {
        lead->after_market[k] = lead->keep * lead->after_market[k] + x * lead->market_move[k];
        lead->after_x[k] = lead->keep * lead->after_x[k] + market * lead->x_move[k];
    }
    lead->intervals++;
}

static double within_one(double r)
{
    return r > 1.0 ? 1.0 : r < -1.0 ? -1.0 : r;
}

/* The lag of the largest correlation. */
static void find(fm_lead_lag *lead)
{
    double best = lead->after_market[0], at = 0.0;
    lead->lag = lead->correlation = lead->together = NAN;
    if (lead->x_square < SQUARE_MIN || lead->market_square < SQUARE_MIN || lead->intervals < WARM_COUNT)
        return;
    for (int64_t k = 1; k <= lead->lags; k++) {
        if (fabs(lead->after_market[k]) > fabs(best)) {
            best = lead->after_market[k];
            at = (double)k;
        }
        if (fabs(lead->after_x[k]) > fabs(best)) {
            best = lead->after_x[k];
            at = -(double)k;
        }
    }
    double scale = 1.0 / (sqrt(lead->x_square) * sqrt(lead->market_square));
    lead->lag = at * lead->interval;
    lead->correlation = within_one(best * scale);
    lead->together = within_one(lead->after_market[0] * scale);
}

static void close_intervals(fm_lead_lag *lead, int64_t ts_ns, int64_t passed)
{
    if (!isnan(lead->x_before)) {
        push(lead, fm_log_ratio(lead->x, lead->x_before), fm_log_ratio(lead->market, lead->market_before));
        int64_t empty = passed - 1 < lead->lags ? passed - 1 : lead->lags;
        for (int64_t i = 0; i < empty; i++)
            push(lead, 0.0, 0.0);
        find(lead);
    }
    bool night = fm_slices_night(&lead->clock, passed);
    lead->x_before = night ? NAN : lead->x;
    lead->market_before = night ? NAN : lead->market;
    fm_slices_open(&lead->clock, ts_ns, passed, 1);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_lead_lag *lead = state;
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable_price(in[0]) || !fm_usable_price(in[1]))
        return;
    int64_t passed = fm_slices_passed(&lead->clock, ts_ns);
    if (passed > 0)
        close_intervals(lead, ts_ns, passed);
    lead->x = in[0];
    lead->market = in[1];
    out[0] = lead->lag;
    out[1] = lead->correlation;
    out[2] = lead->together;
}

FM_ONE_STEP(fm_lead_lag)
FM_STEP_ONE(step_lag, 0)
FM_STEP_ONE(step_correlation, 1)

const fm_kernel fm_kernel_lead_lag = {
    .name = "lead_lag",
    .summary = "By how much the market leads the instrument, or the reverse.",
    .source = "Stoll & Whaley, J. Financial and Quantitative Analysis 25, 1990",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"},
                                 {.name = "market", .unit = "any", .help = "what it is compared with, > 0"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "lag", .unit = "s", .usual = 0, .help = "by which the market leads"},
                                  {.name = "correlation", .unit = "1", .usual = NAN, .help = "of returns at that lag"},
                                  {.name = "together", .unit = "1", .usual = NAN, .help = "correlation at lag 0"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_lag, step_correlation},
    .warm_up = "after 64 intervals",
    .cost = "~5 ns, 800 bytes",
};
