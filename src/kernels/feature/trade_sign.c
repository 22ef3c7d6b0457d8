/* kernels/feature/trade_sign.c - see the header. */
#include "kernels/feature/trade_sign.h"

#include "kernels/common/one_step.h"

static int init(void *state, const double *values)
{
    (void)state;
    (void)values;
    return 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]))
        return;
    fm_trade_rule rule;
    double tick = fm_tick_rule_next(state, in[0]);
    double sign = fm_trade_sign(in[0], in[3], in[1], in[2], tick, &rule);
    if (rule == FM_TRADE_UNKNOWN)
        return;
    out[0] = sign;
    out[1] = (double)(int)rule;
}

FM_ONE_STEP(fm_tick_rule)
FM_STEP_ONE(step_sign, 0)
FM_STEP_ONE(step_rule, 1)

const fm_kernel fm_kernel_trade_sign = {
    .name = "trade_sign",
    .summary = "Who began the trade: its side, else by the quote, else by the last change of price.",
    .source = "Lee & Ready, J. Finance 46, 1991",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = (const fm_field[]){{0}},
    .inputs =
        (const fm_field[]){
            {.name = "price", .unit = "price", .help = "of the trade"},
            {.name = "bid", .unit = "price", .optional = true, .help = "best bid, NaN = not known"},
            {.name = "ask", .unit = "price", .optional = true, .help = "best ask, NaN = not known"},
            {.name = "side", .unit = "1", .optional = true, .help = "+1 bought, -1 sold, NaN = not known"},
            {0}},
    .outputs = (const fm_field[]){{.name = "sign", .unit = "1", .usual = 0, .help = "1 = bought, -1 = sold"},
                                  {.name = "rule", .unit = "1", .usual = NAN, .help = "1 = side, 2 = quote, 3 = tick"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_sign, step_rule},
    .warm_up = "at once with a side or a quote; else when a price differs from the one before",
    .cost = "~10 ns, 16 bytes",
};
