/* kernels/feature/autocorrelation.c - see the header. */
#include "kernels/feature/autocorrelation.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/one_step.h"

#define WARM_COUNT 30

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 600,
     .help = "age at which a pair of returns weighs one half"},
    {.name = "lag", .unit = "events", .low = 1, .high = FM_LAG_MAX, .preset = 1, .help = "ticks between the returns"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_autocorrelation *returns = state;
    FM_TRY(fm_kernel_check(params, values));
    fm_faded_pair_init(&returns->pairs, values[0]);
    returns->lag = (int64_t)values[1];
    returns->newest = NAN;
    for (int i = 0; i < FM_LAG_MAX; i++)
        returns->past[i] = NAN;
    return 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_autocorrelation *returns = state;
    out[0] = out[1] = NAN;
    if (!fm_usable_price(in[0]))
        return;
    double move = fm_log_ratio(in[0], returns->newest), old = returns->past[returns->at];
    returns->newest = in[0];
    returns->past[returns->at] = move;
    returns->at = returns->at + 1 < returns->lag ? returns->at + 1 : 0;
    if (isnan(old)) /* time passes */
        fm_quiet_fade(&returns->pairs.newest_ns, ts_ns, returns->pairs.fade);
    else
        fm_faded_pair_add(&returns->pairs, ts_ns, old, move);
    if (returns->pairs.count < WARM_COUNT)
        return;
    out[0] = fm_faded_pair_correlation(&returns->pairs);
    out[1] = out[0] * sqrt(fm_faded_pair_effective(&returns->pairs));
}

FM_ONE_STEP(fm_autocorrelation)
FM_STEP_ONE(step_autocorrelation, 0)
FM_STEP_ONE(step_z, 1)

const fm_kernel fm_kernel_autocorrelation = {
    .name = "autocorrelation",
    .summary = "Correlation of returns that many ticks apart.",
    .source = "Lo & MacKinlay, Review of Financial Studies 1, 1988",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"}, {0}},
    .outputs = (const fm_field[]){{.name = "autocorrelation", .unit = "1", .usual = 0, .help = "-1 … 1"},
                                  {.name = "z", .unit = "sigma", .usual = 0, .help = "distance from a random walk"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_autocorrelation, step_z},
    .warm_up = "after 30 pairs of returns",
    .cost = "~25 ns, 616 bytes",
};
