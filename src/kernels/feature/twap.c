/* kernels/feature/twap.c - see the header. */
#include "kernels/feature/twap.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 300, .help = "length of the window"},
    {0},
};

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_twap);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_twap *twap = state;
    *twap = (fm_twap){.newest_ns = INT64_MIN};
    fm_slices_init(&twap->clock, values[0], FM_SLICES);
    return 0;
}

static inline void stand(fm_twap *twap, int64_t until_ns)
{
    double time = (double)(until_ns - twap->newest_ns);
    twap->time.newest += time;
    twap->product.newest += time * twap->newest;
    twap->newest_ns = until_ns;
}

static inline int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The value stood to the end of the open slice and all through those between it and the slice of ts_ns. */
static __attribute__((noinline)) void turn(fm_twap *twap, int64_t ts_ns, int64_t passed)
{
    int64_t open = twap->clock.open;
    double width = (double)twap->clock.width_ns;
    bool first = twap->newest_ns == INT64_MIN;
    if (!first)
        stand(twap, twap->clock.end_ns);
    fm_sums_close(&twap->time, open, passed);
    fm_sums_close(&twap->product, open, passed);
    for (int64_t i = passed < FM_SLICES ? 1 : passed - FM_SLICES + 1; i < passed && !first; i++) {
        twap->time.slot[(open + i) % FM_SLICES] = width;
        twap->product.slot[(open + i) % FM_SLICES] = width * twap->newest;
    }
    twap->time.closed = fm_slices_sum(twap->time.slot);
    twap->product.closed = fm_slices_sum(twap->product.slot);
    fm_slices_open(&twap->clock, ts_ns, passed, FM_SLICES);
    twap->newest_ns = first ? ts_ns : larger(twap->newest_ns, twap->clock.end_ns - twap->clock.width_ns);
}

/* Time passes; a late tick counts as seen now. */
static inline void advance(fm_twap *twap, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&twap->clock, ts_ns);
    if (passed > 0)
        turn(twap, ts_ns, passed);
    if (ts_ns > twap->newest_ns)
        stand(twap, ts_ns);
}

static inline __attribute__((always_inline)) void read(const fm_twap *twap, double x, double *out)
{
    double time = fm_sums_total(&twap->time), mean = fm_sums_total(&twap->product) / time;
    out[0] = out[1] = NAN;
    if (!(time > 0.0))
        return;
    out[0] = fm_finite(mean);
    out[1] = fm_finite(1e4 * (x - mean) / mean);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_twap *twap = state;
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]))
        return;
    advance(twap, ts_ns);
    read(twap, in[0], out);
    twap->newest = in[0];
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_twap moved = *(const fm_twap *)state;
    step(&moved, ts_ns, in, out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_twap *twap = state;
    if (!fm_usable_price(in[0]))
        return;
    advance(twap, ts_ns);
    twap->newest = in[0];
}

FM_STEP_ONE(step_twap, 0)
FM_STEP_ONE(step_deviation, 1)

const fm_kernel fm_kernel_twap = {
    .name = "twap",
    .summary = "Time-weighted average of the last window, and how far x is from it.",
    .source = "R. Kissell, The Science of Algorithmic Trading and Portfolio Management, 2013",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"}, {0}},
    .outputs = (const fm_field[]){{.name = "twap", .unit = "x", .usual = NAN, .help = "of the window up to this tick"},
                                  {.name = "deviation", .unit = "bp", .usual = 0, .help = "x over twap, less 1"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_twap, step_deviation},
    .warm_up = "with the first tick later than the first",
    .cost = "~7 ns, 584 bytes",
};
