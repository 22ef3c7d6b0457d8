/* kernels/feature/bipower_variation.c - see the header. */
#include "kernels/feature/bipower_variation.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define HALF_PI 1.5707963267948966

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 31 * 86400.0, .preset = 300, .help = "length of the window"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_bipower_variation *bipower = state;
    FM_TRY(fm_kernel_check(params, values));
    bipower->newest = bipower->move = NAN;
    fm_window_init(&bipower->window, values[0]);
    return 0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_bipower_variation *bipower = state;
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable_price(in[0]))
        return;
    fm_sums *squares = &bipower->squares_products[0], *products = &bipower->squares_products[1];
    fm_window_advance(&bipower->window, bipower->squares_products, 2, ts_ns);
    double move = fabs(fm_log_ratio(in[0], bipower->newest));
    if (!isnan(move))
        squares->newest += move * move;
    if (!isnan(bipower->move))
        products->newest += move * bipower->move;
    bipower->newest = in[0];
    bipower->move = move;
    if (!fm_window_whole(&bipower->window))
        return;
    double all = fm_sums_total(squares);
    out[0] = HALF_PI * fm_sums_total(products);
    out[1] = sqrt(out[0]);
    out[2] = all > 0.0 ? fm_positive(1.0 - out[0] / all) : NAN;
}

FM_ONE_STEP(fm_bipower_variation)
FM_STEP_ONE(step_variance, 0)
FM_STEP_ONE(step_volatility, 1)
FM_STEP_ONE(step_jump_share, 2)

const fm_kernel fm_kernel_bipower_variation = {
    .name = "bipower_variation",
    .summary = "Variation of the last window without its jumps, and the share of the jumps.",
    .source = "Barndorff-Nielsen & Shephard, J. Financial Econometrics 2, 2004",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"}, {0}},
    .outputs =
        (const fm_field[]){
            {.name = "variance", .unit = "1", .usual = NAN, .help = "of log returns over the window, without jumps"},
            {.name = "volatility", .unit = "1", .usual = NAN, .help = "its root; 0.001 is ten basis points"},
            {.name = "jump_share", .unit = "1", .usual = 0, .help = "part of the realised variance that is jumps"},
            {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_variance, step_volatility, step_jump_share},
    .warm_up = "once the series is a window old",
    .cost = "~12 ns, 592 bytes",
};
