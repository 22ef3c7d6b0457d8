/* kernels/feature/amihud.c - see the header. */
#include "kernels/feature/amihud.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define BP_MILLION 1e10

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 1800, .help = "length of the window"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_amihud *amihud = state;
    FM_TRY(fm_kernel_check(params, values));
    amihud->newest = amihud->before = NAN;
    fm_window_init(&amihud->window, values[0]);
    return 0;
}

static void close_slice(fm_amihud *amihud, int64_t ts_ns, int64_t passed)
{
    fm_sums *sums = amihud->ratio_count_value;
    if (!isnan(amihud->before) && sums[2].newest > 1e-100) {
        sums[0].newest = fabs(fm_log_ratio(amihud->newest, amihud->before)) / sums[2].newest;
        sums[1].newest = 1.0;
    }
    amihud->before = fm_slices_night(&amihud->window.clock, passed) ? NAN : amihud->newest;
    fm_window_open(&amihud->window, sums, 3, ts_ns, passed);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_amihud *amihud = state;
    fm_sums *sums = amihud->ratio_count_value;
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]) || !fm_usable_size(in[1]))
        return;
    int64_t passed = fm_slices_passed(&amihud->window.clock, ts_ns);
    if (passed > 0)
        close_slice(amihud, ts_ns, passed);
    sums[2].newest += in[0] * in[1];
    amihud->newest = in[0];
    out[0] = sums[1].closed > 0.0 ? fm_finite(BP_MILLION * sums[0].closed / sums[1].closed) : NAN;
    out[1] = fm_sums_total(&sums[2]);
}

FM_ONE_STEP(fm_amihud)
FM_STEP_ONE(step_illiquidity, 0)
FM_STEP_ONE(step_value, 1)

const fm_kernel fm_kernel_amihud = {
    .name = "amihud",
    .summary = "Illiquidity: mean of |return| over the value traded.",
    .source = "Amihud, J. Financial Markets 5, 2002",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "price", .unit = "price", .help = "of the trade"},
                                 {.name = "size", .unit = "size", .help = "of the trade"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "illiquidity",
                                   .unit = "bp/million",
                                   .usual = NAN,
                                   .help = "move for each million of price * size traded"},
                                  {.name = "value", .unit = "price*size", .usual = NAN, .help = "traded in the window"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_illiquidity, step_value},
    .warm_up = "when the second slice with a trade closes",
    .cost = "~9 ns, 864 bytes",
};
