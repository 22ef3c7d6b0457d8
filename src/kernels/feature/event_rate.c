/* kernels/feature/event_rate.c - see the header. */
#include "kernels/feature/event_rate.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 86400, .preset = 10, .help = "length of the window"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-2,
     .high = 31 * 86400.0,
     .preset = 3600,
     .help = "age at which a window weighs one half in the usual rate"},
    {.name = "floor", .unit = "1/s", .low = 0, .high = 1e9, .preset = 5, .help = "smallest usual rate divided by"},
    {.name = "warm_up",
     .unit = "s",
     .low = 0,
     .high = 31 * 86400.0,
     .preset = 0,
     .help = "event time before the first ratio; 0 is a quarter of half_life"},
    {0},
};

int fm_event_rate_init(fm_event_rate *rate, double window_s, double half_life_s, double floor_per_s, double warm_up_s)
{
    FM_TRY(fm_kernel_check(params, (const double[]){window_s, half_life_s, floor_per_s, warm_up_s}));
    *rate = (fm_event_rate){.per_s = 1.0 / window_s};
    fm_surge_init(&rate->events, window_s, half_life_s, warm_up_s, floor_per_s * window_s);
    return 0;
}

static bool usable(double event)
{
    return event > 0.0 && event <= FM_VALUE_MAX;
}

static void read(const fm_event_rate *rate, double event, double out[3])
{
    double total, usual;
    fm_surge_read(&rate->events, event, &total, &out[1], &usual);
    out[0] = total * rate->per_s;
    out[2] = usual * rate->per_s;
}

void fm_event_rate_score(const fm_event_rate *rate, int64_t ts_ns, double event, double out[3])
{
    out[0] = out[1] = out[2] = NAN;
    if (!usable(event))
        return;
    fm_event_rate moved = *rate;
    fm_surge_advance(&moved.events, ts_ns);
    read(&moved, event, out);
}

void fm_event_rate_update(fm_event_rate *rate, int64_t ts_ns, double event)
{
    if (!usable(event))
        return;
    fm_surge_advance(&rate->events, ts_ns);
    rate->events.sums.newest += event;
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_event_rate);
}

static int init(void *state, const double *values)
{
    return fm_event_rate_init(state, values[0], values[1], values[2], values[3]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_event_rate_score(state, ts_ns, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_event_rate_update(state, ts_ns, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    out[0] = out[1] = out[2] = NAN;
    if (!usable(in[0]))
        return;
    fm_event_rate *rate = state;
    fm_surge_advance(&rate->events, ts_ns);
    read(rate, in[0], out);
    rate->events.sums.newest += in[0];
}

FM_STEP_ONE(step_rate, 0)
FM_STEP_ONE(step_ratio, 1)
FM_STEP_ONE(step_usual, 2)

const fm_kernel fm_kernel_event_rate = {
    .name = "event_rate",
    .summary = "Records a second over the last window, and that over the usual rate.",
    .source = "Croux, Gelper & Mahieu, Robust exponential smoothing, 2010, for the guarded mean",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "event", .unit = "1", .help = "1 on every record"}, {0}},
    .outputs = (const fm_field[]){{.name = "rate", .unit = "1/s", .usual = NAN, .help = "of the window"},
                                  {.name = "ratio", .unit = "1", .usual = 1, .help = "rate over the usual rate"},
                                  {.name = "usual", .unit = "1/s", .usual = NAN, .help = "faded mean of such windows"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_rate, step_ratio, step_usual},
    .warm_up = "rate after one window, ratio after warm_up and 16 slices with records",
    .cost = "~9 ns, 360 bytes",
};
