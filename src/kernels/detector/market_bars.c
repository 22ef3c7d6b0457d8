/* kernels/detector/market_bars.c - see the header. */
#include "kernels/detector/market_bars.h"

#include <math.h>

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_market);
}

static int init(void *state, const double *values)
{
    return fm_market_init(state, values);
}

static fm_market_record bar_of(const double *in)
{
    return (fm_market_record){in[0], in[1], in[2], in[3], NAN};
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_market_record record = bar_of(in);
    fm_market_score(state, ts_ns, &record, out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_market_record record = bar_of(in);
    fm_market_update(state, ts_ns, &record);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_market_record record = bar_of(in);
    fm_market_step(state, ts_ns, &record, out);
}

const fm_kernel fm_kernel_market_bars = {
    .name = "market_bars",
    .summary = "Is this market unusual? The detector `market` on whole bars.",
    .source = "tails: Gopikrishnan et al. 1999, Hill 1975; docs/quality.md",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = fm_market_params,
    .inputs = (const fm_field[]){{.name = "open", .unit = "price", .help = "first price of the bar"},
                                 {.name = "high", .unit = "price", .help = "highest"},
                                 {.name = "low", .unit = "price", .help = "lowest"},
                                 {.name = "close", .unit = "price", .help = "last"},
                                 {0}},
    .outputs = fm_market_outputs,
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after ten bars in which the price moved",
    .cost = "~0.5 us, 10 KiB",
};
