/* kernels/feature/trade_imbalance.c - see the header. */
#include "kernels/feature/trade_imbalance.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 86400, .preset = 60, .help = "length of the window"},
    {0},
};

int fm_trade_imbalance_init(fm_trade_imbalance *trades, double window_s)
{
    FM_TRY(fm_kernel_check(params, &window_s));
    *trades = (fm_trade_imbalance){0};
    fm_slices_init(&trades->clock, window_s, FM_SLICES);
    return 0;
}

static bool usable(const double trade[3])
{
    return fm_usable_price(trade[0]) && fm_usable_size(trade[1]);
}

static void advance(fm_trade_imbalance *trades, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&trades->clock, ts_ns);
    if (passed == 0)
        return;
    fm_sums_close(&trades->net, trades->clock.open, passed);
    fm_sums_close(&trades->gross, trades->clock.open, passed);
    fm_slices_open(&trades->clock, ts_ns, passed, FM_SLICES);
}

/* Bought +, sold -; without a quote, so by side or tick alone. */
static double sign(fm_trade_imbalance *trades, const double trade[3])
{
    fm_trade_rule rule;
    double tick = fm_tick_rule_next(&trades->tick, trade[0]);
    return fm_trade_sign(trade[0], trade[2], NAN, NAN, tick, &rule);
}

static void read(const fm_trade_imbalance *trades, double size, double signed_size, double out[2])
{
    double gross = fm_sums_total(&trades->gross) + size;
    out[1] = fm_sums_total(&trades->net) + signed_size;
    out[0] = gross > 0.0 ? fm_finite(out[1] / gross) : NAN;
}

void fm_trade_imbalance_score(const fm_trade_imbalance *trades, int64_t ts_ns, const double trade[3], double out[2])
{
    out[0] = out[1] = NAN;
    if (!usable(trade))
        return;
    fm_trade_imbalance moved = *trades;
    advance(&moved, ts_ns);
    read(&moved, trade[1], sign(&moved, trade) * trade[1], out);
}

static void push(fm_trade_imbalance *trades, double size, double signed_size)
{
    trades->net.newest += signed_size;
    trades->gross.newest += size;
}

void fm_trade_imbalance_update(fm_trade_imbalance *trades, int64_t ts_ns, const double trade[3])
{
    if (!usable(trade))
        return;
    advance(trades, ts_ns);
    push(trades, trade[1], sign(trades, trade) * trade[1]);
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_trade_imbalance);
}

static int init(void *state, const double *values)
{
    return fm_trade_imbalance_init(state, values[0]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_trade_imbalance_score(state, ts_ns, in, out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_trade_imbalance_update(state, ts_ns, in);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    out[0] = out[1] = NAN;
    if (!usable(in))
        return;
    fm_trade_imbalance *trades = state;
    advance(trades, ts_ns);
    double signed_size = sign(trades, in) * in[1];
    read(trades, in[1], signed_size, out);
    push(trades, in[1], signed_size);
}

FM_STEP_ONE(step_imbalance, 0)
FM_STEP_ONE(step_net, 1)

const fm_kernel fm_kernel_trade_imbalance = {
    .name = "trade_imbalance",
    .summary = "Bought less sold over all that was traded in the last window.",
    .source = "Lee & Ready, J. Finance 46, 1991",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs =
        (const fm_field[]){
            {.name = "price", .unit = "price", .help = "of the trade"},
            {.name = "size", .unit = "size", .help = "of the trade"},
            {.name = "side", .unit = "1", .optional = true, .help = "+1 bought, -1 sold, NaN = by the tick test"},
            {0}},
    .outputs = (const fm_field[]){{.name = "imbalance", .unit = "1", .usual = 0, .help = "1 = all bought"},
                                  {.name = "net", .unit = "size", .usual = 0, .help = "bought less sold"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_imbalance, step_net},
    .warm_up = "from the first trade",
    .cost = "~11 ns, 584 bytes",
};
