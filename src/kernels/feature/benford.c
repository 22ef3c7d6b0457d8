/* kernels/feature/benford.c - see the header. */
#include "kernels/feature/benford.h"

#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define LOG2_10 3.3219280948873623

#define size_of(count) (sizeof(fm_benford) + ((size_t)(count) + 7) / 8 * 8)

static const fm_field params[] = {
    {.name = "count",
     .unit = "events",
     .low = 20,
     .high = FM_BENFORD_COUNT_MAX,
     .preset = 500,
     .help = "sizes whose digits are counted"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_benford *benford = state;
    FM_TRY(fm_kernel_check(params, values));
    benford->count = (int64_t)values[0];
    for (int d = 1; d <= 9; d++) {
        benford->expected[d] = (double)benford->count * fm_log2(1.0 + 1.0 / d) / LOG2_10;
        benford->per_expected[d] = 1.0 / benford->expected[d];
    }
    return 0;
}

/* First digit of a size > 0, by halving the decades that are left. */
static int first_digit(double size)
{
    static const double POWER[] = {1e64, 1e32, 1e16, 1e8, 1e4, 1e2, 1e1};
    double shift = 1.0;
    for (int i = 0; i < 7; i++) {
        if (size >= POWER[i] * shift)
            shift *= POWER[i];
        else if (size * POWER[i] < 10.0 * shift)
            shift /= POWER[i];
    }
    int digit = (int)(size / shift * (1.0 + 1e-12));
    return digit > 9 ? 1 : digit < 1 ? 1 : digit;
}

static void push(fm_benford *benford, int digit)
{
    if (benford->filled == benford->count)
        benford->number[benford->digit[benford->at]]--;
    else
        benford->filled++;
    benford->number[digit]++;
    benford->digit[benford->at] = (uint8_t)digit;
    benford->at = benford->at + 1 < benford->count ? benford->at + 1 : 0;
}

static void read(const fm_benford *benford, double out[3])
{
    double chi2 = 0.0, worst = -1.0;
    for (int d = 1; d <= 9; d++) {
        double distance = (double)benford->number[d] - benford->expected[d];
        double part = distance * distance * benford->per_expected[d];
        chi2 += part;
        if (part > worst) {
            worst = part;
            out[2] = d;
        }
    }
    double h = 0.5 * chi2, p = fm_exp(-h) * (1.0 + h * (1.0 + h * (1.0 / 2 + h * (1.0 / 6))));
    out[0] = chi2;
    out[1] = p < 1.0 ? p : 1.0;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_benford *benford = state;
    (void)ts_ns;
    out[0] = out[1] = out[2] = NAN;
    if (!fm_usable_price(in[0]))
        return;
    push(benford, first_digit(in[0]));
    if (benford->filled == benford->count)
        read(benford, out);
}

FM_ONE_STEP_COUNTED(fm_benford, size_of, FM_BENFORD_COUNT_MAX, 0)

const fm_kernel fm_kernel_benford = {
    .name = "benford",
    .summary = "Distance of the first digits of sizes from Benford's law.",
    .source = "Benford, Proceedings of the American Philosophical Society 78, 1938",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "size", .unit = "size", .help = "> 0; others are skipped"}, {0}},
    .outputs = (const fm_field[]){{.name = "chi2", .unit = "1", .usual = 8, .help = "8 on average under the law"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "chance of as much under the law"},
                                  {.name = "digit", .unit = "1", .usual = NAN, .help = "furthest from its part, 1 … 9"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after count sizes",
    .cost = "~40 ns, 224 + count bytes",
};
