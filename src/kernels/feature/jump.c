/* kernels/feature/jump.c - see the header. */
#include "kernels/feature/jump.h"

#include "base/error.h"
#include "kernels/common/faded.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define C            0.79788456080286536 /* sqrt(2 / pi) */
#define LOG_PI       1.1447298858494002
#define ROOT_HALF_PI 1.2533141373155003

#define size_of(count) (sizeof(fm_jump) + (size_t)(count) * sizeof(double))

static const fm_field params[] = {
    {.name = "count",
     .unit = "events",
     .low = 10,
     .high = FM_JUMP_COUNT_MAX,
     .preset = 270,
     .help = "pairs of returns that the local volatility is made from"},
    {.name = "among",
     .unit = "events",
     .low = 10,
     .high = 1e9,
     .preset = 1000,
     .help = "returns of which the largest is judged"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_jump *jump = state;
    FM_TRY(fm_kernel_check(params, values));
    double log_n = (fm_log)(values[1]), root = sqrt(2.0 * log_n);
    jump->count = (int64_t)values[0];
    jump->newest = jump->move = NAN;
    jump->centre = root / C - (LOG_PI + (fm_log)(log_n)) / (2.0 * C * root);
    jump->pace = C * root;
    jump->per_count = 1.0 / (double)jump->count;
    fm_last_init(&jump->products, jump->count);
    return 0;
}

/* P(largest of n >= statistic); the series where 1 - exp would lose its digits. */
static double tail_of(const fm_jump *jump, double statistic)
{
    double rare = fm_exp((jump->centre - statistic) * jump->pace);
    return rare < 1e-4 ? rare * (1.0 - 0.5 * rare * (1.0 - rare * (1.0 / 3))) : 1.0 - fm_exp(-rare);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_jump *jump = state;
    (void)ts_ns;
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable_price(in[0]))
        return;
    double move = fabs(fm_log_ratio(in[0], jump->newest));
    double sum = fm_last_sum(&jump->products, jump->slot);
    if (fm_last_full(&jump->products) && sum >= FM_SQUARES_MIN) {
        double sigma = sqrt(sum * jump->per_count);
        out[0] = move / sigma;
        out[1] = tail_of(jump, out[0]);
        out[2] = ROOT_HALF_PI * sigma;
    }
    if (!isnan(jump->move))
        fm_last_add(&jump->products, jump->slot, move * jump->move);
    jump->newest = in[0];
    jump->move = move;
}

FM_ONE_STEP_COUNTED(fm_jump, size_of, FM_JUMP_COUNT_MAX, 0)

const fm_kernel fm_kernel_jump = {
    .name = "jump",
    .summary = "Newest return over the local bipower volatility, and the chance of one as large without a jump.",
    .source = "Lee & Mykland, Review of Financial Studies 21, 2008",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"}, {0}},
    .outputs = (const fm_field[]){{.name = "statistic", .unit = "sigma", .usual = 0.8, .help = "|return| over sigma"},
                                  {.name = "p",
                                   .unit = "1",
                                   .usual = 1,
                                   .help = "chance that the largest of `among` ordinary returns is as large"},
                                  {.name = "volatility", .unit = "1", .usual = NAN, .help = "of one return"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after count + 1 returns",
    .cost = "~26 ns, 80 + 8 * count bytes",
};
