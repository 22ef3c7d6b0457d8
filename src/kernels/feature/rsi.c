/* kernels/feature/rsi.c - see the header. */
#include "kernels/feature/rsi.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define AVERAGE_MIN 1e-290

static const fm_field params[] = {
    {.name = "count", .unit = "events", .low = 2, .high = 10000, .preset = 14, .help = "events averaged over"},
    {0},
};

int fm_rsi_init(fm_rsi *rsi, double count)
{
    FM_TRY(fm_kernel_check(params, &count));
    *rsi = (fm_rsi){.per_count = 1.0 / floor(count), .keep = 1.0, .newest = NAN, .missing = (int64_t)count};
    return 0;
}

/* An average goes on by a product and a sum. What has all but faded away is dropped: denormal numbers are slow. */
static inline double averaged(const fm_rsi *rsi, double average, double change)
{
    double next = average * rsi->keep + change * rsi->per_count;
    if (__builtin_expect(next < AVERAGE_MIN && next > 0.0, 0))
        return 0.0;
    return next;
}

static inline double answer(const fm_rsi *rsi)
{
    double all = rsi->up + rsi->down;
    return rsi->missing == 0 && all > 0.0 ? 100.0 * (rsi->up / all) : NAN;
}

double fm_rsi_step(fm_rsi *rsi, double x)
{
    if (!fm_usable(x))
        return NAN;
    double change = x - rsi->newest;
    rsi->newest = x;
    if (__builtin_expect(isnan(change), 0))
        return NAN;
    rsi->up = averaged(rsi, rsi->up, fm_positive(change));
    rsi->down = averaged(rsi, rsi->down, fm_positive(-change));
    if (__builtin_expect(rsi->missing > 0, 0) && --rsi->missing == 0)
        rsi->keep = 1.0 - rsi->per_count;
    return answer(rsi);
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_rsi);
}

static int init(void *state, const double *values)
{
    return fm_rsi_init(state, values[0]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    fm_rsi moved = *(const fm_rsi *)state;
    out[0] = fm_rsi_step(&moved, in[0]);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    (void)fm_rsi_step(state, in[0]);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    out[0] = fm_rsi_step(state, in[0]);
}

FM_STEP_ONE(step_rsi, 0)

const fm_kernel fm_kernel_rsi = {
    .name = "rsi",
    .summary = "Relative strength index: the share of the recent movement that was upward.",
    .source = "J. W. Wilder, New Concepts in Technical Trading Systems, 1978",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "rsi", .unit = "1", .usual = 50, .help = "0 = only falls, 100 = only rises"}, {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_rsi},
    .warm_up = "after count + 1 events, once x has moved",
    .cost = "~5 ns, 48 bytes",
};
