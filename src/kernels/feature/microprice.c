/* kernels/feature/microprice.c - see the header. */
#include "kernels/feature/microprice.h"

#include "kernels/common/number.h"
#include "kernels/kernel.h"

double fm_size_imbalance(double bid_size, double ask_size)
{
    if (!fm_usable_size(bid_size) || !fm_usable_size(ask_size) || !(bid_size + ask_size > 0.0))
        return NAN;
    return (bid_size - ask_size) / (bid_size + ask_size);
}

double fm_microprice(double bid, double bid_size, double ask, double ask_size)
{
    if (!fm_usable_quote(bid, ask))
        return NAN;
    /* mid + spread/2 * imbalance: the same number, without products that could overflow */
    return 0.5 * (bid + ask) + 0.5 * (ask - bid) * fm_size_imbalance(bid_size, ask_size);
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
    out[0] = fm_microprice(in[0], in[1], in[2], in[3]);
    out[1] = isnan(out[0]) ? NAN : fm_size_imbalance(in[1], in[3]);
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

FM_STEP_ONE(step_microprice, 0)
FM_STEP_ONE(step_imbalance, 1)

const fm_kernel fm_kernel_microprice = {
    .name = "microprice",
    .summary = "Size-weighted middle of the best quote, and its imbalance.",
    .source = "Gatheral & Oomen, Zero-intelligence realized variance estimation, 2010",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = (const fm_field[]){{0}},
    .inputs = (const fm_field[]){{.name = "bid", .unit = "price", .help = "best bid"},
                                 {.name = "bid_size", .unit = "size", .help = "size at it"},
                                 {.name = "ask", .unit = "price", .help = "best ask"},
                                 {.name = "ask_size", .unit = "size", .help = "size at it"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "microprice", .unit = "price", .usual = NAN, .help = "weighted middle"},
                                  {.name = "imbalance", .unit = "1", .usual = 0, .help = "1 = all size on the bid"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_microprice, step_imbalance},
    .warm_up = "at once; NaN while a side or the sizes are missing or the quote is crossed",
    .cost = "~4 ns, 0 bytes",
};
