/* kernels/feature/volume_return.c - see the header. */
#include "kernels/feature/volume_return.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

static const fm_field params[] = {
    {.name = "volume", .unit = "size", .low = 1e-6, .high = 1e15, .preset = NAN, .help = "volume traded to look back"},
    {0},
};

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_volume_return);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    *(fm_volume_return *)state =
        (fm_volume_return){.width = values[0] / FM_SLICES, .per_width = FM_SLICES / values[0], .missing = FM_SLICES};
    return 0;
}

static inline bool usable(double price, double size)
{
    return fm_usable_price(price) && size > 0.0 && size <= FM_VALUE_MAX;
}

/* Boundaries that `volume` of the open slice has crossed. */
static inline int64_t crossed(const fm_volume_return *back, double volume)
{
    double slices = volume * back->per_width;
    return slices < (double)FM_SLICES_FAR ? (int64_t)slices : FM_SLICES_FAR;
}

static inline double answer(const fm_volume_return *back, int64_t passed, double price)
{
    if (passed >= back->missing) {
        if (passed >= FM_SLICES)
            return 0.0;
        return fm_log_ratio(price, back->price[(back->open + passed) % FM_SLICES]);
    }
    return NAN;
}

static inline void add(fm_volume_return *back, int64_t passed, double price, double volume)
{
    if (passed > 0) {
        for (int64_t i = 0; i < passed && i < FM_SLICES; i++)
            back->price[(back->open + i) % FM_SLICES] = price;
        back->open = (back->open + passed) % FM_SLICES;
        back->missing = passed < back->missing ? back->missing - passed : 0;
        volume = passed < FM_SLICES_FAR ? volume - (double)passed * back->width : 0.0;
    }
    back->inside = volume;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    const fm_volume_return *back = state;
    out[0] = NAN;
    if (usable(in[0], in[1]))
        out[0] = answer(back, crossed(back, back->inside + in[1]), in[0]);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_volume_return *back = state;
    if (usable(in[0], in[1]))
        add(back, crossed(back, back->inside + in[1]), in[0], back->inside + in[1]);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    update(state, ts_ns, in);
}

FM_STEP_ONE(step_return, 0)

const fm_kernel fm_kernel_volume_return = {
    .name = "volume_return",
    .summary = "Log return over the last volume traded.",
    .source = "P. K. Clark, Econometrica 41, 1973",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "price", .unit = "price", .help = "of the trade"},
                                 {.name = "size", .unit = "size", .help = "of the trade"},
                                 {0}},
    .outputs =
        (const fm_field[]){{.name = "volume_return", .unit = "1", .usual = 0, .help = "0.0001 is one basis point"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_return},
    .warm_up = "once volume has been traded",
    .cost = "~15 ns, 296 bytes",
};
