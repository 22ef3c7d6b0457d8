/* kernels/feature/volume_ratio.c - see the header. */
#include "kernels/feature/volume_ratio.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 86400, .preset = 60, .help = "length of the window"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-2,
     .high = 31 * 86400.0,
     .preset = 3600,
     .help = "age at which a window weighs one half in the usual volume"},
    {.name = "floor", .unit = "size", .low = 0, .high = 1e15, .preset = 0, .help = "smallest usual volume divided by"},
    {.name = "warm_up",
     .unit = "s",
     .low = 0,
     .high = 31 * 86400.0,
     .preset = 0,
     .help = "event time before the first ratio; 0 is a quarter of half_life"},
    {0},
};

int fm_volume_ratio_init(fm_volume_ratio *ratio, double window_s, double half_life_s, double floor, double warm_up_s)
{
    FM_TRY(fm_kernel_check(params, (const double[]){window_s, half_life_s, floor, warm_up_s}));
    *ratio = (fm_volume_ratio){0};
    fm_surge_init(&ratio->sizes, window_s, half_life_s, warm_up_s, floor);
    return 0;
}

static void read(const fm_volume_ratio *ratio, double size, double out[3])
{
    fm_surge_read(&ratio->sizes, size, &out[1], &out[0], &out[2]);
}

void fm_volume_ratio_score(const fm_volume_ratio *ratio, int64_t ts_ns, double size, double out[3])
{
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable_size(size))
        return;
    fm_volume_ratio moved = *ratio;
    fm_surge_advance(&moved.sizes, ts_ns);
    read(&moved, size, out);
}

void fm_volume_ratio_update(fm_volume_ratio *ratio, int64_t ts_ns, double size)
{
    if (!fm_usable_size(size))
        return;
    fm_surge_advance(&ratio->sizes, ts_ns);
    ratio->sizes.sums.newest += size;
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_volume_ratio);
}

static int init(void *state, const double *values)
{
    return fm_volume_ratio_init(state, values[0], values[1], values[2], values[3]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_volume_ratio_score(state, ts_ns, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_volume_ratio_update(state, ts_ns, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable_size(in[0]))
        return;
    fm_volume_ratio *ratio = state;
    fm_surge_advance(&ratio->sizes, ts_ns);
    read(ratio, in[0], out);
    ratio->sizes.sums.newest += in[0];
}

FM_STEP_ONE(step_ratio, 0)
FM_STEP_ONE(step_volume, 1)
FM_STEP_ONE(step_usual, 2)

const fm_kernel fm_kernel_volume_ratio = {
    .name = "volume_ratio",
    .summary = "Volume of the last window over the usual volume of such a window.",
    .source = "Croux, Gelper & Mahieu, Robust exponential smoothing, 2010, for the guarded mean",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "size", .unit = "size", .help = "of the trade"}, {0}},
    .outputs = (const fm_field[]){{.name = "ratio", .unit = "1", .usual = 1, .help = "volume over the usual volume"},
                                  {.name = "volume", .unit = "size", .usual = NAN, .help = "of the window"},
                                  {.name = "usual", .unit = "size", .usual = NAN, .help = "faded mean of such windows"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_ratio, step_volume, step_usual},
    .warm_up = "volume after one window, ratio after warm_up and 16 slices with trades",
    .cost = "~5 ns, 352 bytes",
};
