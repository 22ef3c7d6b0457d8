/* kernels/feature/kyle_lambda.c - see the header. */
#include "kernels/feature/kyle_lambda.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/one_step.h"

#define WARM_COUNT 16

static const fm_field params[] = {
    {.name = "interval",
     .unit = "s",
     .low = 1e-3,
     .high = 86400,
     .preset = 10,
     .help = "over which price change and signed volume are taken"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 3600,
     .help = "age at which an interval weighs one half"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_kyle_lambda *impact = state;
    FM_TRY(fm_kernel_check(params, values));
    fm_slices_init(&impact->clock, values[0], 1);
    impact->before = impact->lambda = impact->r2 = NAN;
    fm_faded_pair_init(&impact->moves, values[1]);
    return 0;
}

/* A trade at ts_ns begins a new interval. */
static void close_interval(fm_kyle_lambda *impact, int64_t ts_ns, int64_t passed)
{
    if (!isnan(impact->before))
        fm_faded_pair_add(&impact->moves, impact->clock.end_ns, impact->flow,
                          1e4 * fm_log_ratio(impact->tick.price, impact->before));
    if (impact->tick.price > 0.0)
        impact->before = fm_slices_night(&impact->clock, passed) ? NAN : impact->tick.price;
    impact->flow = 0.0;
    fm_slices_open(&impact->clock, ts_ns, passed, 1);
    if (impact->moves.count < WARM_COUNT)
        return;
    double correlation = fm_faded_pair_correlation(&impact->moves);
    impact->lambda = fm_faded_pair_slope(&impact->moves);
    impact->r2 = correlation * correlation;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_kyle_lambda *impact = state;
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]) || !fm_usable_size(in[1]))
        return;
    int64_t passed = fm_slices_passed(&impact->clock, ts_ns);
    if (passed > 0)
        close_interval(impact, ts_ns, passed);
    fm_trade_rule rule;
    double tick = fm_tick_rule_next(&impact->tick, in[0]);
    impact->flow += fm_trade_sign(in[0], in[4], in[2], in[3], tick, &rule) * in[1];
    out[0] = impact->lambda;
    out[1] = impact->r2;
}

FM_ONE_STEP(fm_kyle_lambda)
FM_STEP_ONE(step_lambda, 0)

const fm_kernel fm_kernel_kyle_lambda = {
    .name = "kyle_lambda",
    .summary = "Price impact: the slope of price changes on signed volume.",
    .source = "Kyle, Econometrica 53, 1985",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs =
        (const fm_field[]){
            {.name = "price", .unit = "price", .help = "of the trade"},
            {.name = "size", .unit = "size", .help = "of the trade"},
            {.name = "bid", .unit = "price", .optional = true, .help = "best bid, NaN = not known"},
            {.name = "ask", .unit = "price", .optional = true, .help = "best ask, NaN = not known"},
            {.name = "side", .unit = "1", .optional = true, .help = "+1 bought, -1 sold, NaN = not known"},
            {0}},
    .outputs = (const fm_field[]){{.name = "lambda", .unit = "bp/size", .usual = NAN, .help = "move a unit bought"},
                                  {.name = "r2", .unit = "1", .usual = NAN, .help = "variance explained, 0 … 1"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_lambda},
    .warm_up = "after 17 intervals with trades",
    .cost = "~10 ns, 152 bytes",
};
