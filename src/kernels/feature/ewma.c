/* kernels/feature/ewma.c - see the header. */
#include "kernels/feature/ewma.h"

#include "base/error.h"
#include "kernels/common/faded.h"
#include "kernels/kernel.h"

int fm_ewma_init(fm_ewma *ewma, double half_life_ns)
{
    if (!(half_life_ns > 0.0 && half_life_ns <= FM_VALUE_MAX))
        return FM_EINVAL;
    *ewma = (fm_ewma){.fade = 1.0 / half_life_ns, .soon_ns = fm_fade_soon_ns(half_life_ns), .newest_ns = INT64_MIN};
    return 0;
}

static inline double z_of(const fm_ewma *ewma, double x)
{
    return (x - ewma->mean) * sqrt(ewma->spread_weight / ewma->sum_square);
}

double fm_ewma_z(const fm_ewma *ewma, double x)
{
    return fm_usable(x) && ewma->sum_square >= FM_SQUARES_MIN ? z_of(ewma, x) : NAN;
}

/* The quotient waits for no distance: on the way from one mean to the next lie a subtraction, a product and a sum. */
static inline __attribute__((always_inline)) void enter(fm_ewma *ewma, double keep, double keep_spread, double x)
{
    double weight = keep * ewma->weight + 1.0, per_weight = 1.0 / weight;
    double distance = x - ewma->mean, move = distance * per_weight;
    double gain = distance * (distance - move); /* below 0 only by rounding, when the past has faded away */
    ewma->weight = weight;
    ewma->mean += move;
    ewma->spread_weight = keep_spread * ewma->spread_weight + 1.0;
    ewma->sum_square = keep_spread * ewma->sum_square + fm_positive(gain);
}

void fm_ewma_update(fm_ewma *ewma, int64_t ts_ns, double x)
{
    double keep = 1.0;
    if (!fm_usable(x))
        return;
    if (ts_ns > ewma->newest_ns) {
        keep = fm_fade((double)fm_elapsed_ns(ts_ns, ewma->newest_ns) * ewma->fade);
        ewma->newest_ns = ts_ns;
    }
    enter(ewma, keep, keep > 0.5 ? keep : 0.5, x);
}

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 60,
     .help = "age at which a tick weighs one half"},
    {0},
};

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_ewma);
}

static int init(void *state, const double *values)
{
    return fm_kernel_check(params, values) < 0 ? FM_EINVAL : fm_ewma_init(state, values[0] * 1e9);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    const fm_ewma *ewma = state;
    out[0] = ewma->weight > 0.0 ? ewma->mean : NAN;
    out[1] = fm_ewma_z(ewma, in[0]);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_ewma_update(state, ts_ns, in[0]);
}

static __attribute__((noinline, cold)) void step_rare(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    fm_ewma_update(state, ts_ns, in[0]);
}

/* The usual tick: soon after the one before, with a past that varies. The two quotients stay apart: as one instruction
 * that of the new mean would wait for the sum of squares. */
FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_ewma *ewma = state;
    if (__builtin_expect(!fm_fades_soon(ewma->newest_ns, ewma->soon_ns, ts_ns) ||
                             !(ewma->sum_square >= FM_SQUARES_MIN) || !fm_usable(in[0]),
                         0)) {
        step_rare(state, ts_ns, in, out);
        return;
    }
    double keep = fm_fade_soon((double)(ts_ns - ewma->newest_ns) * ewma->fade);
    out[0] = ewma->mean;
    out[1] = z_of(ewma, in[0]);
    ewma->newest_ns = ts_ns;
    enter(ewma, keep, keep, in[0]);
}

FM_STEP_ONE(step_mean, 0)
FM_STEP_ONE(step_z, 1)

const fm_kernel fm_kernel_ewma = {
    .name = "ewma",
    .summary = "Faded mean, and the distance from it.",
    .source = "T. Finch, Incremental calculation of weighted mean and variance, 2009",
    .kind = FM_KERNEL_FEATURE,
    .layout = 3,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "mean", .unit = "x", .usual = NAN, .help = "mean of the past, before x"},
                                  {.name = "z", .unit = "sigma", .usual = 0, .help = "distance of x from that mean"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_mean, step_z},
    .warm_up = "mean after one tick, z once two ticks differ",
    .cost = "~7 ns, 56 bytes",
};
