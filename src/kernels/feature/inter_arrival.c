/* kernels/feature/inter_arrival.c - see the header. */
#include "kernels/feature/inter_arrival.h"

#include "base/error.h"
#include "kernels/common/one_step.h"
#include "kernels/common/quiet_fade.h"

#define WARM_COUNT 16
#define CUT        8.0

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 1800,
     .help = "age at which a wait weighs one half"},
    {0},
};

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    *(fm_inter_arrival *)state = (fm_inter_arrival){.fade = 1e-9 / values[0], .newest_ns = INT64_MIN};
    return 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_inter_arrival *waits = state;
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable(in[0]) || in[0] == 0.0)
        return;
    bool first = waits->newest_ns == INT64_MIN;
    double wait = ts_ns > waits->newest_ns ? 1e-9 * (double)fm_elapsed_ns(ts_ns, waits->newest_ns) : 0.0;
    double keep = fm_quiet_fade(&waits->newest_ns, ts_ns, waits->fade);
    if (first)
        return;
    double mean = waits->mean, entering = wait;
    out[0] = wait;
    if (waits->count >= WARM_COUNT && mean > 0.0) {
        out[1] = fm_finite(wait / mean);
        out[2] = mean;
        entering = wait < CUT * mean ? wait : CUT * mean;
    }
    waits->weight = keep * waits->weight + 1.0;
    waits->mean += (entering - mean) / waits->weight;
    waits->count++;
}

FM_ONE_STEP(fm_inter_arrival)
FM_STEP_ONE(step_wait, 0)
FM_STEP_ONE(step_ratio, 1)

const fm_kernel fm_kernel_inter_arrival = {
    .name = "inter_arrival",
    .summary = "Time since the last record, and over the usual one.",
    .source = "Engle & Russell, Econometrica 66, 1998",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "event", .unit = "1", .help = "1 on every record"}, {0}},
    .outputs = (const fm_field[]){{.name = "wait", .unit = "s", .usual = NAN, .help = "since the record before"},
                                  {.name = "ratio", .unit = "1", .usual = 1, .help = "over the usual wait"},
                                  {.name = "expected", .unit = "s", .usual = NAN, .help = "the usual wait"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_wait, step_ratio},
    .warm_up = "wait with the second record; the others after 16 waits",
    .cost = "~9 ns, 40 bytes",
};
