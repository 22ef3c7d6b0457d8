/* kernels/detector/spot.c - see the header. */
#include "kernels/detector/spot.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define LEVEL 0.02 /* of the weight on either side makes a tail */
#define ENTRY 2.0  /* score that a value enters with at most */

static const fm_field params[] = {
    {.name = "depth",
     .unit = "events",
     .low = 0,
     .high = 1000,
     .preset = 50,
     .help = "values whose mean is the drift; 0 = none"},
    {.name = "risk", .unit = "1", .low = 1e-12, .high = 0.02, .preset = 1e-4, .help = "p of the limits"},
    {.name = "side", .unit = "1", .low = -1, .high = 1, .preset = 0, .help = "1 upper, -1 lower tail, 0 both"},
    {.name = "memory",
     .unit = "events",
     .low = 64,
     .high = 1e6,
     .preset = 10000,
     .help = "a value as many events ago weighs 1/e"},
    {.name = "warm", .unit = "events", .low = 30, .high = 100000, .preset = 200, .help = "values until ready"},
    {0},
};

static size_t state_size(const double *values)
{
    return sizeof(fm_spot) + (size_t)values[0] * sizeof(double);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_spot *spot = state;
    *spot = (fm_spot){.depth = (int64_t)values[0],
                      .risk = values[1],
                      .side = (int64_t)values[2],
                      .memory = values[3],
                      .warm = (int64_t)values[4],
                      .high = NAN,
                      .low = NAN,
                      .upper = {.threshold = NAN},
                      .lower = {.threshold = NAN}};
    fm_last_init(&spot->last, spot->depth);
    fm_ranks_init(&spot->ranks, 16);
    return 0;
}

static bool has_limits(const fm_spot *spot)
{
    return (spot->side < 0 || !isnan(spot->high)) && (spot->side > 0 || !isnan(spot->low));
}

static bool is_ready(const fm_spot *spot)
{
    return spot->count >= spot->depth + spot->warm && has_limits(spot);
}

/* p of v on the sides that are asked */
static double p_of(const fm_spot *spot, double v)
{
    fm_rank rank = fm_ranks_of(&spot->ranks, fm_excess_float(v));
    double up = fm_excess_told(&spot->upper, rank, v, 1), down = fm_excess_told(&spot->lower, rank, v, -1);
    if (spot->side != 0)
        return spot->side > 0 ? up : down;
    double p = 2.0 * (up < down ? up : down);
    return p < 1.0 ? p : 1.0;
}

/* Distance from the median over that of the limit; below 0 on the side that is not asked. */
static double score_of(const fm_spot *spot, double v)
{
    double away = v - spot->median, up = away / (spot->high - spot->median), down = away / (spot->low - spot->median);
    if (spot->side != 0)
        return fm_finite(spot->side > 0 ? up : down);
    return fm_finite(away > 0.0 ? up : down);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    const fm_spot *spot = state;
    bool ready = is_ready(spot);
    out[0] = out[1] = NAN;
    out[2] = ready ? spot->drift + spot->median : NAN;
    out[3] = ready ? 1.0 : 0.0;
    out[4] = ready ? spot->drift + spot->high : NAN;
    out[5] = ready ? spot->drift + spot->low : NAN;
    if (!ready || !fm_usable(in[0]))
        return;
    double v = in[0] - spot->drift;
    out[0] = score_of(spot, v);
    out[1] = p_of(spot, v);
}

/* Both tails anew, and the limits. */
static void fit(fm_spot *spot)
{
    double part = spot->side == 0 ? 0.5 * spot->risk : spot->risk;
    spot->median = fm_excess_median(&spot->ranks);
    spot->high = spot->low = NAN;
    if (spot->side >= 0) {
        fm_excess_fit(&spot->upper, &spot->ranks, LEVEL, 1);
        spot->high = fm_finite(fm_excess_quantile(&spot->upper, part));
    }
    if (spot->side <= 0) {
        fm_excess_fit(&spot->lower, &spot->ranks, LEVEL, -1);
        spot->low = fm_finite(-fm_excess_quantile(&spot->lower, part));
    }
}

/* x joins the last `depth`. */
static void drift(fm_spot *spot, double x)
{
    if (spot->depth == 0)
        return;
    fm_last_add(&spot->last, spot->slot, x);
    spot->drift = fm_last_sum(&spot->last, spot->slot) / (double)spot->last.filled;
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    fm_spot *spot = state;
    if (!fm_usable(in[0]))
        return;
    double x = in[0], v = x - spot->drift;
    bool known = has_limits(spot);
    if (known && score_of(spot, v) > ENTRY)
        v = spot->median +
            ENTRY * ((spot->side > 0 || (spot->side == 0 && v > spot->median) ? spot->high : spot->low) - spot->median);
    if (known)
        x = spot->drift + v;
    if (spot->count++ >= spot->depth) {
        fm_ranks_add(&spot->ranks, fm_excess_float(v), (float)spot->memory);
        if (spot->ranks.waiting_count == 0)
            fit(spot);
    }
    drift(spot, x);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    update(state, ts_ns, in);
}

const fm_kernel fm_kernel_spot = {
    .name = "spot",
    .summary = "Is x beyond its tails? Limits of a chosen risk by extreme value theory, with or without drift.",
    .source = "Siffer, Fouque, Termier & Largouet, KDD 2017",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 0.2, .help = "above 1 is beyond the limit"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "probability of one as far out"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "drift and median"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {.name = "upper", .unit = "x", .usual = NAN, .help = "limit above"},
                                  {.name = "lower", .unit = "x", .usual = NAN, .help = "limit below"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after depth + warm values, once both tails have ten values of which some differ",
    .cost = "~120 ns, 1,872 bytes",
};
