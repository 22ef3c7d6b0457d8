/* kernels/feature/event_return.c - see the header. */
#include "kernels/feature/event_return.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "count", .unit = "events", .low = 1, .high = 10000, .preset = 100, .help = "trades to look back"},
    {0},
};

static size_t state_size(const double *values)
{
    return sizeof(fm_event_return) + (size_t)values[0] * sizeof(double);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_event_return *event_return = state;
    event_return->count = (int64_t)values[0];
    for (int64_t i = 0; i < event_return->count; i++)
        event_return->price[i] = NAN;
    return 0;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    const fm_event_return *event_return = state;
    out[0] = fm_usable_price(in[0]) ? fm_log_ratio(in[0], event_return->price[event_return->at]) : NAN;
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_event_return *event_return = state;
    if (!fm_usable_price(in[0]))
        return;
    event_return->price[event_return->at] = in[0];
    event_return->at = event_return->at + 1 < event_return->count ? event_return->at + 1 : 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    update(state, ts_ns, in);
}

FM_STEP_ONE(step_return, 0)

const fm_kernel fm_kernel_event_return = {
    .name = "event_return",
    .summary = "Log return over the last count trades.",
    .source = "T. Ane & H. Geman, J. Finance 55, 2000",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "event_return", .unit = "1", .usual = 0, .help = "0.0001 is one basis point"}, {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_return},
    .warm_up = "after count events",
    .cost = "~6 ns, 816 bytes at count = 100",
};
