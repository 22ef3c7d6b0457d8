/* kernels/feature/return_z.c - see the header. */
#include "kernels/feature/return_z.h"

#include "base/error.h"
#include "kernels/common/faded.h"
#include "kernels/common/log_ratio.h"
#include "kernels/kernel.h"

#define WARM_COUNT 30
#define CUT        8.0 /* sigmas */

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 1800,
     .help = "age at which a return weighs one half"},
    {.name = "floor", .unit = "bp", .low = 0, .high = 1e4, .preset = 0.1, .help = "smallest sigma of a tick's return"},
    {0},
};

int fm_return_z_init(fm_return_z *return_z, double half_life_s, double floor_bp)
{
    FM_TRY(fm_kernel_check(params, (const double[]){half_life_s, floor_bp}));
    *return_z = (fm_return_z){.floor = floor_bp * 1e-4, .newest = NAN};
    fm_faded_init(&return_z->returns, half_life_s);
    return 0;
}

static void read(const fm_return_z *return_z, double x, double out[3])
{
    double precision = return_z->count >= WARM_COUNT ? fm_faded_precision(&return_z->returns, return_z->floor) : NAN;
    out[2] = fm_log_ratio(x, return_z->newest);
    out[1] = 1.0 / precision;
    out[0] = fm_finite((out[2] - return_z->returns.mean) * precision);
}

/* `out` is what read() gave for x */
static void push(fm_return_z *return_z, int64_t ts_ns, double x, const double out[3])
{
    return_z->newest = x;
    if (isnan(out[2]))
        return;
    double log_return = out[2];
    if (fabs(out[0]) > CUT)
        log_return = return_z->returns.mean + (out[0] > 0.0 ? CUT : -CUT) * out[1];
    fm_faded_add(&return_z->returns, ts_ns, log_return);
    return_z->count++;
}

void fm_return_z_score(const fm_return_z *return_z, double x, double out[3])
{
    read(return_z, fm_usable_price(x) ? x : NAN, out);
}

void fm_return_z_update(fm_return_z *return_z, int64_t ts_ns, double x)
{
    double out[3];
    if (!fm_usable_price(x))
        return;
    read(return_z, x, out);
    push(return_z, ts_ns, x, out);
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_return_z);
}

static int init(void *state, const double *values)
{
    return fm_return_z_init(state, values[0], values[1]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_return_z_score(state, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_return_z_update(state, ts_ns, in[0]);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_return_z_score(state, in[0], out);
    if (fm_usable_price(in[0]))
        push(state, ts_ns, in[0], out);
}

FM_STEP_ONE(step_z, 0)
FM_STEP_ONE(step_sigma, 1)
FM_STEP_ONE(step_log_return, 2)

const fm_kernel fm_kernel_return_z = {
    .name = "return_z",
    .summary = "One tick's log return in sigmas of the faded returns before it.",
    .source = "RiskMetrics Technical Document, 4th ed., 1996",
    .kind = FM_KERNEL_FEATURE,
    .layout = 3,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"}, {0}},
    .outputs = (const fm_field[]){{.name = "z", .unit = "sigma", .usual = 0, .help = "return less its mean, in sigmas"},
                                  {.name = "sigma", .unit = "1", .usual = NAN, .help = "sigma of a tick's log return"},
                                  {.name = "log_return", .unit = "1", .usual = 0, .help = "0.0001 is one basis point"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_z, step_sigma, step_log_return},
    .warm_up = "after 30 returns",
    .cost = "~15 ns, 72 bytes",
};
