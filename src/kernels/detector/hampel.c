/* kernels/detector/hampel.c - see the header. */
#include "kernels/detector/hampel.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/common/sorted.h"
#include "kernels/kernel.h"

#define WARM_COUNT 16

static const fm_field params[] = {
    {.name = "count", .unit = "events", .low = 16, .high = 1000, .preset = 100, .help = "values in the window"},
    {.name = "floor", .unit = "x", .low = 0, .high = 1e15, .preset = 0, .help = "smallest sigma divided by"},
    {0},
};

static size_t state_size(const double *values)
{
    return sizeof(fm_hampel) + 2 * (size_t)values[0] * sizeof(double);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_hampel *detector = state;
    detector->room = (int64_t)values[0];
    detector->floor = values[1];
    detector->median = detector->sigma = NAN;
    return 0;
}

/* Returns the score, NaN while there is none. */
static double read(const fm_hampel *detector, double x, double out[4])
{
    double score = fm_finite(fabs(x - detector->median) / detector->sigma);
    out[0] = score;
    out[1] = isnan(score) ? NAN : fm_tail_p(&detector->tail, fm_tail_bucket(score));
    out[2] = isnan(detector->sigma) ? NAN : detector->median;
    out[3] = isnan(detector->sigma) ? 0.0 : 1.0;
    return score;
}

/* A usable x of that score enters. */
static void push(fm_hampel *detector, double x, double score)
{
    double *sorted = &detector->value[detector->room];
    if (!isnan(score))
        fm_tail_add(&detector->tail, fm_tail_bucket(score));
    if (detector->count == detector->room)
        fm_sorted_drop(sorted, &detector->count, detector->value[detector->next]);
    fm_sorted_take(sorted, &detector->count, x);
    detector->value[detector->next] = x;
    detector->next = detector->next + 1 < detector->room ? detector->next + 1 : 0;
    if (detector->count < WARM_COUNT)
        return;
    detector->median = fm_sorted_median(sorted, detector->count);
    double sigma = fm_sorted_scale(sorted, detector->count, detector->median);
    sigma = sigma < detector->floor ? detector->floor : sigma;
    if (sigma > 0.0)
        detector->sigma = sigma;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    read(state, fm_usable(in[0]) ? in[0] : NAN, out);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (!fm_usable(in[0])) {
        score(state, ts_ns, in, out);
        return;
    }
    push(state, in[0], read(state, in[0], out));
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    double out[4];
    step(state, ts_ns, in, out);
}

const fm_kernel fm_kernel_hampel = {
    .name = "hampel",
    .summary = "Distance of x from the median of the last events, in MADs, with a conformal p.",
    .source = "Hampel, JASA 69, 1974; Vovk, Gammerman & Shafer 2005",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "sigma", .usual = 1, .help = "distance from the median"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "median"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 16 values of which two differ, or floor > 0",
    .cost = "~150 ns, 1,944 bytes",
};
