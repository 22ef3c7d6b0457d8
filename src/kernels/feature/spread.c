/* kernels/feature/spread.c - see the header. */
#include "kernels/feature/spread.h"

#include "kernels/common/number.h"
#include "kernels/kernel.h"

double fm_spread(double bid, double ask)
{
    return fm_usable_quote(bid, ask) && ask > bid ? ask - bid : NAN;
}

static inline double relative(double wide, double bid, double ask)
{
    return 2e4 * wide / (bid + ask);
}

double fm_spread_bp(double bid, double ask)
{
    return relative(fm_spread(bid, ask), bid, ask);
}

static size_t state_size(const double *values)
{
    (void)values;
    return 0;
}

static int init(void *state, const double *values)
{
    (void)state;
    (void)values;
    return 0;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)state;
    (void)ts_ns;
    double wide = fm_spread(in[0], in[1]);
    out[0] = wide;
    out[1] = relative(wide, in[0], in[1]);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)state;
    (void)ts_ns;
    (void)in;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
}

FM_STEP_ONE(step_absolute, 0)
FM_STEP_ONE(step_relative, 1)

const fm_kernel fm_kernel_spread = {
    .name = "spread",
    .summary = "Distance of the best ask from the best bid.",
    .source = "definition",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = (const fm_field[]){{0}},
    .inputs = (const fm_field[]){{.name = "bid", .unit = "price", .help = "best bid"},
                                 {.name = "ask", .unit = "price", .help = "best ask"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "absolute", .unit = "price", .usual = NAN, .help = "ask less bid"},
                                  {.name = "relative", .unit = "bp", .usual = NAN, .help = "the same, of the mid"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_absolute, step_relative},
    .warm_up = "at once; NaN while a side is missing or the quote is locked or crossed",
    .cost = "~3 ns, 0 bytes",
};
