/* kernels/feature/quote_lifetime.c - see the header. */
#include "kernels/feature/quote_lifetime.h"

#include "base/error.h"
#include "kernels/common/one_step.h"
#include "kernels/common/order_action.h"
#include "kernels/common/quiet_fade.h"

#define WARM_COUNT 16
#define AGE_MIN    1e-6

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 300,
     .help = "age at which a cancel weighs one half"},
    {.name = "young",
     .unit = "s",
     .low = 1e-6,
     .high = 86400,
     .preset = 0.1,
     .help = "a cancelled order younger than this"},
    {0},
};

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    *(fm_quote_lifetime *)state =
        (fm_quote_lifetime){.fade = 1e-9 / values[0], .young = values[1], .newest_ns = INT64_MIN};
    return 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_quote_lifetime *quotes = state;
    out[0] = out[1] = NAN;
    if (!fm_usable_action(in[0]) || !fm_usable_size(in[1]))
        return;
    quotes->weight *= fm_quiet_fade(&quotes->newest_ns, ts_ns, quotes->fade);
    if (in[0] == FM_ACTION_CANCEL) {
        double log_age = (fm_log)(in[1] > AGE_MIN ? in[1] : AGE_MIN), young = in[1] < quotes->young ? 1.0 : 0.0;
        quotes->weight += 1.0;
        double part = 1.0 / quotes->weight;
        quotes->log_age += part * (log_age - quotes->log_age);
        quotes->share += part * (young - quotes->share);
        quotes->count++;
    }
    if (quotes->count < WARM_COUNT)
        return;
    out[0] = fm_exp(quotes->log_age);
    out[1] = fm_positive(quotes->share);
}

FM_ONE_STEP(fm_quote_lifetime)
FM_STEP_ONE(step_typical, 0)
FM_STEP_ONE(step_share, 1)

const fm_kernel fm_kernel_quote_lifetime = {
    .name = "quote_lifetime",
    .summary = "Usual age of orders when they are cancelled, and the share of very young ones.",
    .source = "Hasbrouck & Saar, J. Financial Markets 12, 2009",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "action", .unit = "1", .help = "1 add, 2 modify, 3 cancel, 4 execute"},
                                 {.name = "order_age", .unit = "s", .help = "since the order was added"},
                                 {0}},
    .outputs =
        (const fm_field[]){{.name = "typical", .unit = "s", .usual = NAN, .help = "geometric mean of ages at a cancel"},
                           {.name = "young_share", .unit = "1", .usual = NAN, .help = "part of cancels that are young"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_typical, step_share},
    .warm_up = "after 16 cancels",
    .cost = "~20 ns, 56 bytes",
};
