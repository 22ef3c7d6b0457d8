/* kernels/feature/vpin.c - see the header. */
#include "kernels/feature/vpin.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define ROOT_HALF 0.70710678118654752

#define size_of(count) (sizeof(fm_vpin) + 2 * (size_t)(count) * sizeof(double))

static const fm_field params[] = {
    {.name = "volume",
     .unit = "size",
     .low = 1e-9,
     .high = 1e15,
     .preset = NAN,
     .help = "size of a bucket, about a fiftieth of what a day trades"},
    {.name = "count",
     .unit = "events",
     .low = 2,
     .high = FM_VPIN_COUNT_MAX,
     .preset = 50,
     .help = "buckets that the mean is made from"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_vpin *vpin = state;
    FM_TRY(fm_kernel_check(params, values));
    vpin->volume = values[0];
    vpin->count = (int64_t)values[1];
    vpin->before = vpin->vpin = vpin->signed_part = NAN;
    fm_last_init(&vpin->imbalances, vpin->count);
    fm_last_init(&vpin->squares, vpin->count);
    return 0;
}

static void close_bucket(fm_vpin *vpin)
{
    double *imbalance = vpin->slot, *square = vpin->slot + vpin->count;
    double move = fm_log_ratio(vpin->newest, vpin->before), bulk = 0.5;
    fm_last_add(&vpin->squares, square, move * move);
    double variance = fm_last_sum(&vpin->squares, square) / (double)vpin->squares.filled;
    if (variance > 0.0)
        bulk = 0.5 * fm_erfc(-ROOT_HALF * move / sqrt(variance));
    double bought = vpin->bought + bulk * (vpin->volume - vpin->given);
    vpin->signed_part = 2.0 * bought / vpin->volume - 1.0;
    fm_last_add(&vpin->imbalances, imbalance, fabs(vpin->signed_part));
    if (fm_last_full(&vpin->imbalances))
        vpin->vpin = fm_last_sum(&vpin->imbalances, imbalance) / (double)vpin->count;
    vpin->filled = vpin->bought = vpin->given = 0.0;
    vpin->before = vpin->newest;
}

static void fill(fm_vpin *vpin, double size, double side)
{
    double most = vpin->volume * (double)vpin->count, left = size < most ? size : most;
    bool told = side == 1.0 || side == -1.0;
    while (left > 0.0) {
        double room = vpin->volume - vpin->filled;
        bool full = left >= room;
        double part = full ? room : left;
        vpin->filled += part;
        vpin->bought += side == 1.0 ? part : 0.0;
        vpin->given += told ? part : 0.0;
        left -= part;
        if (full)
            close_bucket(vpin);
    }
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_vpin *vpin = state;
    (void)ts_ns;
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]) || !fm_usable_size(in[1]))
        return;
    vpin->newest = in[0];
    if (isnan(vpin->before))
        vpin->before = in[0];
    fill(vpin, in[1], in[2]);
    out[0] = vpin->vpin;
    out[1] = vpin->signed_part;
}

FM_ONE_STEP_COUNTED(fm_vpin, size_of, FM_VPIN_COUNT_MAX, 1)

const fm_kernel fm_kernel_vpin = {
    .name = "vpin",
    .summary = "One-sidedness of trading over buckets of equal volume.",
    .source = "Easley, Lopez de Prado & O'Hara, Review of Financial Studies 25, 2012",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs =
        (const fm_field[]){{.name = "price", .unit = "price", .help = "of the trade"},
                           {.name = "size", .unit = "size", .help = "of the trade"},
                           {.name = "side", .unit = "1", .optional = true, .help = "+1 bought, -1 sold, NaN = in bulk"},
                           {0}},
    .outputs =
        (const fm_field[]){
            {.name = "vpin", .unit = "1", .usual = NAN, .help = "mean |bought - sold| of a bucket, 0 … 1"},
            {.name = "bucket", .unit = "1", .usual = 0, .help = "bought less sold of the newest full one"},
            {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after count full buckets",
    .cost = "~16 ns, 136 + 16 * count bytes",
};
