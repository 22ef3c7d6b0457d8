/* kernels/feature/signed_volume.c - see the header. */
#include "kernels/feature/signed_volume.h"

#include "base/error.h"
#include "kernels/common/one_step.h"

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 60, .help = "length of the window"},
    {0},
};

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_window_init(&((fm_signed_volume *)state)->window, values[0]);
    return 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_signed_volume *flow = state;
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]) || !fm_usable_size(in[1]))
        return;
    fm_trade_rule rule;
    fm_sums *net = &flow->net_gross[0], *gross = &flow->net_gross[1];
    fm_window_advance(&flow->window, flow->net_gross, 2, ts_ns);
    double tick = fm_tick_rule_next(&flow->tick, in[0]);
    net->newest += fm_trade_sign(in[0], in[4], in[2], in[3], tick, &rule) * in[1];
    gross->newest += in[1];
    double all = fm_sums_total(gross);
    out[0] = fm_sums_total(net);
    out[1] = all > 0.0 ? fm_finite(out[0] / all) : NAN;
}

FM_ONE_STEP(fm_signed_volume)
FM_STEP_ONE(step_volume, 0)
FM_STEP_ONE(step_share, 1)

const fm_kernel fm_kernel_signed_volume = {
    .name = "signed_volume",
    .summary = "Bought less sold over the last window, by side, quote or tick.",
    .source = "Lee & Ready, J. Finance 46, 1991",
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
    .outputs = (const fm_field[]){{.name = "volume", .unit = "size", .usual = 0, .help = "bought less sold"},
                                  {.name = "share", .unit = "1", .usual = 0, .help = "of all traded; 1 = all bought"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_volume, step_share},
    .warm_up = "from the first trade",
    .cost = "~13 ns, 592 bytes",
};
