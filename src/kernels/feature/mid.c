/* kernels/feature/mid.c - see the header. */
#include "kernels/feature/mid.h"

#include "kernels/common/number.h"
#include "kernels/kernel.h"

double fm_mid(double bid, double ask)
{
    return fm_usable_quote(bid, ask) ? 0.5 * (bid + ask) : NAN;
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
    out[0] = fm_mid(in[0], in[1]);
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

FM_STEP_ONE(step_mid, 0)

const fm_kernel fm_kernel_mid = {
    .name = "mid",
    .summary = "Middle of the best bid and ask.",
    .source = "definition",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = (const fm_field[]){{0}},
    .inputs = (const fm_field[]){{.name = "bid", .unit = "price", .help = "best bid"},
                                 {.name = "ask", .unit = "price", .help = "best ask"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "mid", .unit = "price", .usual = NAN, .help = "half the sum"}, {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_mid},
    .warm_up = "at once; NaN while a side is missing or the quote is crossed",
    .cost = "~2 ns, 0 bytes",
};
