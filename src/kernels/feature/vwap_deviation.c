/* kernels/feature/vwap_deviation.c - see the header. */
#include "kernels/feature/vwap_deviation.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define DISTANCE_MAX 1e6 /* price / anchor - 1 beyond this is a bad print; it keeps every product finite */

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 300, .help = "length of the window"},
    {.name = "floor", .unit = "bp", .low = 0, .high = 1e4, .preset = 0.1, .help = "smallest sigma divided by"},
    {0},
};

int fm_vwap_deviation_init(fm_vwap_deviation *vwap, double window_s, double floor_bp)
{
    FM_TRY(fm_kernel_check(params, (const double[]){window_s, floor_bp}));
    *vwap = (fm_vwap_deviation){.floor = floor_bp * 1e-4};
    fm_slices_init(&vwap->clock, window_s, FM_SLICES);
    return 0;
}

static void advance(fm_vwap_deviation *vwap, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&vwap->clock, ts_ns);
    if (passed == 0)
        return;
    fm_sums_close(&vwap->size, vwap->clock.open, passed);
    fm_sums_close(&vwap->product, vwap->clock.open, passed);
    fm_sums_close(&vwap->square, vwap->clock.open, passed);
    fm_slices_open(&vwap->clock, ts_ns, passed, FM_SLICES);
}

static inline __attribute__((always_inline)) void read(const fm_vwap_deviation *vwap, double price, double out[3])
{
    double volume = fm_sums_total(&vwap->size);
    out[0] = out[1] = out[2] = NAN;
    if (!(volume > 0.0))
        return;
    double per_volume = 1.0 / volume;
    double mean = fm_sums_total(&vwap->product) * per_volume;
    double variance = fm_sums_total(&vwap->square) * per_volume - mean * mean;
    double distance = price * vwap->per_anchor - 1.0 - mean;
    double scale = 1.0 + mean; /* VWAP / anchor */
    double least = vwap->floor * scale;
    double sigma = variance > least * least ? sqrt(variance) : least;
    out[0] = fm_finite(1e4 * distance / scale);
    out[1] = sigma > 0.0 ? fm_finite(distance / sigma) : NAN;
    out[2] = fm_finite(scale / vwap->per_anchor);
}

static void add(fm_vwap_deviation *vwap, double price, double size)
{
    if (fm_sums_total(&vwap->size) == 0.0)
        vwap->per_anchor = 1.0 / price;
    double distance = price * vwap->per_anchor - 1.0;
    if (distance > DISTANCE_MAX)
        return;
    vwap->size.newest += size;
    vwap->product.newest += size * distance;
    vwap->square.newest += size * distance * distance;
}

static bool usable(double price, double size)
{
    return fm_usable_price(price) && size > 0.0 && size <= FM_VALUE_MAX;
}

void fm_vwap_deviation_score(const fm_vwap_deviation *vwap, int64_t ts_ns, double price, double out[3])
{
    fm_vwap_deviation moved = *vwap;
    advance(&moved, ts_ns);
    read(&moved, fm_usable_price(price) ? price : NAN, out);
}

void fm_vwap_deviation_update(fm_vwap_deviation *vwap, int64_t ts_ns, double price, double size)
{
    if (!usable(price, size))
        return;
    advance(vwap, ts_ns);
    add(vwap, price, size);
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_vwap_deviation);
}

static int init(void *state, const double *values)
{
    return fm_vwap_deviation_init(state, values[0], values[1]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_vwap_deviation_score(state, ts_ns, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_vwap_deviation_update(state, ts_ns, in[0], in[1]);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (!usable(in[0], in[1])) {
        score(state, ts_ns, in, out);
        return;
    }
    advance(state, ts_ns);
    read(state, in[0], out);
    add(state, in[0], in[1]);
}

FM_STEP_ONE(step_deviation, 0)
FM_STEP_ONE(step_z, 1)
FM_STEP_ONE(step_vwap, 2)

const fm_kernel fm_kernel_vwap_deviation = {
    .name = "vwap_deviation",
    .summary = "Distance of a trade from the volume-weighted average price of the last window.",
    .source = "Berkowitz, Logue & Noser, J. Finance 43, 1988",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "price", .unit = "price", .help = "of the trade"},
                                 {.name = "size", .unit = "size", .help = "of the trade"},
                                 {0}},
    .outputs =
        (const fm_field[]){
            {.name = "deviation", .unit = "bp", .usual = 0, .help = "price over VWAP, less 1"},
            {.name = "z", .unit = "sigma", .usual = 0, .help = "the same in sigmas of the window's prices"},
            {.name = "vwap", .unit = "price", .usual = NAN, .help = "of the trades before this one"},
            {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_deviation, step_z, step_vwap},
    .warm_up = "from the second trade of a window",
    .cost = "~10 ns, 856 bytes",
};
