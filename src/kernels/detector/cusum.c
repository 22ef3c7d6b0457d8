/* kernels/detector/cusum.c - see the header. */
#include "kernels/detector/cusum.h"

#include "base/assert.h"
#include "base/error.h"
#include "kernels/common/faded.h"
#include "kernels/kernel.h"

#define WARM_COUNT  30
#define LEVEL_HOLD  8   /* values from a change on in which both sums stay 0 */
#define LEVEL_KNOWN 2.0 /* values that the median of three is worth */

static const fm_field params[] = {
    {.name = "half_life",
     .unit = "s",
     .low = 1e-3,
     .high = 31 * 86400.0,
     .preset = 1800,
     .help = "age at which a value weighs one half in mean and sigma"},
    {.name = "drift", .unit = "sigma", .low = 0, .high = 100, .preset = 0.5, .help = "shift that is still no shift"},
    {.name = "limit", .unit = "sigma", .low = 1, .high = 1e6, .preset = 10, .help = "sum that is a change"},
    {.name = "clip", .unit = "sigma", .low = 1, .high = 1e6, .preset = 5, .help = "how much one value may add"},
    {.name = "floor", .unit = "x", .low = 0, .high = 1e15, .preset = 0, .help = "smallest sigma divided by"},
    {0},
};

typedef struct sums {
    double z, sum[2], score;
    int64_t since_ns[2];
    int larger;
} sums;

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_cusum);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_cusum *detector = state;
    *detector =
        (fm_cusum){.drift = values[1], .limit = values[2], .clip = values[3], .floor = values[4], .precision = NAN};
    fm_faded_init(&detector->past, values[0]);
    return 0;
}

static inline __attribute__((always_inline)) sums read(const fm_cusum *detector, int64_t ts_ns, double x, double *out)
{
    sums next = {.z = (x - detector->past.mean) * detector->precision, .score = NAN};
    bool ready = !isnan(detector->precision), scored = !isnan(next.z);
    int64_t now_ns = ts_ns > detector->past.newest_ns ? ts_ns : detector->past.newest_ns;
    double drift = detector->hold > 0 ? INFINITY : detector->drift;
    if (FM_LIKELY(scored)) {
        next.z = next.z > detector->clip ? detector->clip : next.z;
        next.z = next.z < -detector->clip ? -detector->clip : next.z;
        for (int i = 0; i < 2; i++) {
            next.sum[i] = fm_positive(detector->sum[i] + (i == 0 ? next.z : -next.z) - drift);
            next.since_ns[i] = detector->sum[i] > 0.0 ? detector->since_ns[i] : now_ns;
        }
        next.larger = next.sum[1] > next.sum[0];
        next.score = next.sum[next.larger];
    }
    bool passed = next.score > detector->limit;
    out[0] = next.score;
    out[1] = scored ? fm_tail_p(&detector->tail, fm_tail_bucket(next.score)) : NAN;
    out[2] = ready ? detector->past.mean : NAN;
    out[3] = ready ? 1.0 : 0.0;
    out[4] = !scored ? NAN : !passed ? 0.0 : next.larger ? -1.0 : 1.0;
    out[5] = next.score > 0.0 ? 1e-9 * (double)fm_elapsed_ns(now_ns, next.since_ns[next.larger]) : NAN;
    return next;
}

static double median(double a, double b, double c)
{
    double low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* The mean is that of the new level, of which little is known; both sums start anew. */
static void shift(fm_cusum *detector, double x)
{
    detector->past.mean = median(detector->newest[0], detector->newest[1], x);
    detector->level_weight = LEVEL_KNOWN;
    detector->hold = LEVEL_HOLD;
    detector->sum[0] = detector->sum[1] = 0.0;
}

/* As fm_faded_add, with a weight of its own for the mean, which begins anew at a change, as sigma does not. */
static inline void enter(fm_cusum *detector, int64_t ts_ns, double x)
{
    fm_faded *past = &detector->past;
    double keep = fm_faded_age(past, ts_ns), distance = x - past->mean;
    detector->level_weight = keep * detector->level_weight + 1.0;
    double step = distance / detector->level_weight;
    past->weight = keep * past->weight + 1.0;
    past->mean += step;
    past->sum_square = keep * past->sum_square + fm_positive(distance * (distance - step));
}

/* A usable x enters, `next` is what it makes of the sums. */
static inline __attribute__((always_inline)) void push(fm_cusum *detector, int64_t ts_ns, double x, const sums *next)
{
    bool scored = !isnan(next->z), passed = next->score > detector->limit;
    double raw = x;
    if (FM_UNLIKELY(fabs(next->z) >= detector->clip))
        x = detector->past.mean + next->z / detector->precision;
    detector->hold -= detector->hold > 0;
    if (FM_LIKELY(scored)) {
        fm_tail_add(&detector->tail, fm_tail_bucket(next->score));
        memcpy(detector->sum, next->sum, sizeof(next->sum));
        memcpy(detector->since_ns, next->since_ns, sizeof(next->since_ns));
    }
    if (FM_UNLIKELY(passed)) {
        shift(detector, raw);
        detector->past.newest_ns = ts_ns > detector->past.newest_ns ? ts_ns : detector->past.newest_ns;
    } else {
        enter(detector, ts_ns, x);
    }
    detector->newest[1] = detector->newest[0];
    detector->newest[0] = raw;
    if (FM_LIKELY(++detector->count >= WARM_COUNT))
        detector->precision = fm_faded_precision(&detector->past, detector->floor);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    read(state, ts_ns, fm_usable(in[0]) ? in[0] : NAN, out);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (FM_UNLIKELY(!fm_usable(in[0]))) {
        read(state, ts_ns, NAN, out);
        return;
    }
    sums next = read(state, ts_ns, in[0], out);
    push(state, ts_ns, in[0], &next);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[6];
    step(state, ts_ns, in, out);
}

FM_STEP_ONE(step_score, 0)
FM_STEP_ONE(step_p, 1)

const fm_kernel fm_kernel_cusum = {
    .name = "cusum",
    .summary = "Shift of the level of x, told once: which way and since when.",
    .source = "Page, Biometrika 41, 1954; Montgomery 2009",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 3,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "sigma", .usual = 1, .help = "larger of the two sums"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "faded mean of the level"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {.name = "change", .unit = "1", .usual = 0, .help = "+1 or -1 at a change, else 0"},
                                  {.name = "since", .unit = "s", .usual = NAN, .help = "age of the larger sum"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_score, step_p},
    .warm_up = "after 30 values of which two differ (or floor > 0)",
    .cost = "~35 ns, 456 bytes",
};
