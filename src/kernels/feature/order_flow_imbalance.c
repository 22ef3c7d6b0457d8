/* kernels/feature/order_flow_imbalance.c - see the header. */
#include "kernels/feature/order_flow_imbalance.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 86400, .preset = 10, .help = "length of the window"},
    {0},
};

int fm_order_flow_imbalance_init(fm_order_flow_imbalance *flow, double window_s)
{
    FM_TRY(fm_kernel_check(params, &window_s));
    *flow = (fm_order_flow_imbalance){.bid = NAN};
    fm_slices_init(&flow->clock, window_s, FM_SLICES);
    return 0;
}

static bool usable(const double quote[4])
{
    return fm_usable_quote(quote[0], quote[2]) && fm_usable_size(quote[1]) && fm_usable_size(quote[3]);
}

static void advance(fm_order_flow_imbalance *flow, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&flow->clock, ts_ns);
    if (passed == 0)
        return;
    fm_sums_close(&flow->net, flow->clock.open, passed);
    fm_sums_close(&flow->gross, flow->clock.open, passed);
    fm_slices_open(&flow->clock, ts_ns, passed, FM_SLICES);
}

/* 0 for the first quote */
static double contribution(const fm_order_flow_imbalance *flow, const double quote[4])
{
    double e = 0.0;
    e += quote[0] >= flow->bid ? quote[1] : 0.0;
    e -= quote[0] <= flow->bid ? flow->bid_size : 0.0;
    e -= quote[2] <= flow->ask ? quote[3] : 0.0;
    e += quote[2] >= flow->ask ? flow->ask_size : 0.0;
    return isnan(flow->bid) ? 0.0 : e;
}

static void read(const fm_order_flow_imbalance *flow, double e, double out[2])
{
    double gross = fm_sums_total(&flow->gross) + fabs(e);
    out[0] = isnan(flow->bid) ? NAN : fm_sums_total(&flow->net) + e;
    out[1] = gross > 0.0 ? fm_finite(out[0] / gross) : NAN;
}

static void add(fm_order_flow_imbalance *flow, const double quote[4], double e)
{
    flow->net.newest += e;
    flow->gross.newest += fabs(e);
    flow->bid = quote[0];
    flow->bid_size = quote[1];
    flow->ask = quote[2];
    flow->ask_size = quote[3];
}

void fm_order_flow_imbalance_score(const fm_order_flow_imbalance *flow, int64_t ts_ns, const double quote[4],
                                   double out[2])
{
    out[0] = out[1] = NAN;
    if (!usable(quote))
        return;
    fm_order_flow_imbalance moved = *flow;
    advance(&moved, ts_ns);
    read(&moved, contribution(&moved, quote), out);
}

void fm_order_flow_imbalance_update(fm_order_flow_imbalance *flow, int64_t ts_ns, const double quote[4])
{
    if (!usable(quote))
        return;
    advance(flow, ts_ns);
    add(flow, quote, contribution(flow, quote));
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_order_flow_imbalance);
}

static int init(void *state, const double *values)
{
    return fm_order_flow_imbalance_init(state, values[0]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_order_flow_imbalance_score(state, ts_ns, in, out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_order_flow_imbalance_update(state, ts_ns, in);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    out[0] = out[1] = NAN;
    if (!usable(in))
        return;
    fm_order_flow_imbalance *flow = state;
    advance(flow, ts_ns);
    double e = contribution(flow, in);
    read(flow, e, out);
    add(flow, in, e);
}

FM_STEP_ONE(step_imbalance, 0)
FM_STEP_ONE(step_ratio, 1)

const fm_kernel fm_kernel_order_flow_imbalance = {
    .name = "order_flow_imbalance",
    .summary = "Net size that joined the bid or left the ask over the last window.",
    .source = "Cont, Kukanov & Stoikov, J. Financial Econometrics 12, 2014",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "bid", .unit = "price", .help = "best bid"},
                                 {.name = "bid_size", .unit = "size", .help = "size at it"},
                                 {.name = "ask", .unit = "price", .help = "best ask"},
                                 {.name = "ask_size", .unit = "size", .help = "size at it"},
                                 {0}},
    .outputs =
        (const fm_field[]){{.name = "imbalance", .unit = "size", .usual = 0, .help = "positive = pressure up"},
                           {.name = "ratio", .unit = "1", .usual = 0, .help = "imbalance over gross flow, -1 … 1"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_imbalance, step_ratio},
    .warm_up = "from the second quote",
    .cost = "~14 ns, 600 bytes",
};
