/* kernels/feature/permutation_entropy.c - see the header. */
#include "kernels/feature/permutation_entropy.h"

#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/number.h"
#include "kernels/common/one_step.h"

#define UNIT 0x1p36

#define size_of(count) (sizeof(fm_permutation_entropy) + ((size_t)(count) + 7) / 8 * 8)

static const double PATTERNS[] = {0, 0, 0, 6, 24, 120};

static const fm_field params[] = {
    {.name = "order", .unit = "1", .low = 3, .high = 5, .preset = 4, .help = "values in a run"},
    {.name = "count",
     .unit = "events",
     .low = 10,
     .high = FM_PATTERN_COUNT_MAX,
     .preset = 500,
     .help = "runs that the shares are made from"},
    {0},
};

static int init(void *state, const double *values)
{
    fm_permutation_entropy *entropy = state;
    FM_TRY(fm_kernel_check(params, values));
    entropy->order = (int64_t)values[0];
    entropy->count = (int64_t)values[1];
    entropy->whole = fm_log2((double)entropy->count);
    entropy->scale = 1.0 / fm_log2(PATTERNS[entropy->order]);
    return 0;
}

/* The new value enters; its run's pattern as a number in the factorial system, by how many later values are smaller. */
static int64_t pattern_of(fm_permutation_entropy *entropy, double x)
{
    int64_t order = entropy->order, code = 0;
    double *recent = entropy->recent;
    for (int64_t i = 1; i < order; i++)
        recent[i - 1] = recent[i];
    recent[order - 1] = x;
    for (int64_t i = 0; i < order - 1; i++) {
        int64_t smaller = 0;
        for (int64_t j = i + 1; j < order; j++)
            smaller += recent[j] < recent[i];
        code = code * (order - i) + smaller;
    }
    return code;
}

static int64_t part(int64_t n)
{
    return n > 1 ? (int64_t)((double)n * fm_log2((double)n) * UNIT + 0.5) : 0;
}

static void count_pattern(fm_permutation_entropy *entropy, int64_t code, int64_t change)
{
    int64_t n = entropy->number[code], now = part(n + change);
    entropy->sum += now - entropy->part[code];
    entropy->part[code] = now;
    entropy->number[code] = (uint16_t)(n + change);
    entropy->different += (n + change > 0) - (n > 0);
}

static void push(fm_permutation_entropy *entropy, int64_t code)
{
    bool full = entropy->filled == entropy->count;
    int64_t leaving = full ? entropy->pattern[entropy->at] : -1;
    if (leaving != code) {
        count_pattern(entropy, code, 1);
        if (full)
            count_pattern(entropy, leaving, -1);
    }
    entropy->pattern[entropy->at] = (uint8_t)code;
    entropy->at = entropy->at + 1 < entropy->count ? entropy->at + 1 : 0;
    entropy->filled += !full;
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_permutation_entropy *entropy = state;
    (void)ts_ns;
    out[0] = out[1] = NAN;
    if (!fm_usable(in[0]))
        return;
    int64_t code = pattern_of(entropy, in[0]);
    entropy->seen += entropy->seen < entropy->order;
    if (entropy->seen == entropy->order)
        push(entropy, code);
    if (entropy->filled < entropy->count)
        return;
    double bits = entropy->whole - (double)entropy->sum / (UNIT * (double)entropy->count);
    out[0] = fm_positive(bits * entropy->scale);
    out[1] = 1.0 - (double)entropy->different / PATTERNS[entropy->order];
}

FM_ONE_STEP_COUNTED(fm_permutation_entropy, size_of, FM_PATTERN_COUNT_MAX, 1)

const fm_kernel fm_kernel_permutation_entropy = {
    .name = "permutation_entropy",
    .summary = "How unforeseeable the order of the last values is.",
    .source = "Bandt & Pompe, Physical Review Letters 88, 2002",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "entropy", .unit = "1", .usual = 1, .help = "1 = noise, 0 = one pattern"},
                                  {.name = "missing", .unit = "1", .usual = 0, .help = "share of patterns unseen"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after count + order - 1 values",
    .cost = "~42 ns, 1312 + count bytes",
};
