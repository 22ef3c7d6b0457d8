/* kernels/feature/p2.c - see the header. */
#include "kernels/feature/p2.h"

#include "base/error.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define MARKERS 5

static const fm_field params[] = {
    {.name = "q", .unit = "1", .low = 0, .high = 1, .preset = 0.5, .help = "which quantile: 0.5 is the median"},
    {0},
};

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_p2);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    double q = values[0];
    *(fm_p2 *)state = (fm_p2){.place = {1, 2, 3, 4, 5}, .share = {q / 2, q, (1 + q) / 2}};
    return 0;
}

static void insert(fm_p2 *p2, double x)
{
    int at = (int)p2->count;
    for (; at > 0 && p2->height[at - 1] > x; at--)
        p2->height[at] = p2->height[at - 1];
    p2->height[at] = x;
    p2->count += 1.0;
}

/* Marker i moves a place up (by = 1) or down (by = -1). */
static void move(fm_p2 *p2, int i, double by)
{
    const double *h = &p2->height[i], *n = &p2->place[i];
    double above = (h[1] - h[0]) / (n[1] - n[0]), below = (h[0] - h[-1]) / (n[0] - n[-1]);
    double parabola = h[0] + by / (n[1] - n[-1]) * ((n[0] - n[-1] + by) * above + (n[1] - n[0] - by) * below);
    bool inside = h[-1] < parabola && parabola < h[1];
    p2->height[i] = inside ? parabola : h[0] + by * (by > 0.0 ? above : below);
    p2->place[i] += by;
}

static void add(fm_p2 *p2, double x)
{
    if (__builtin_expect(p2->count < MARKERS, 0)) {
        insert(p2, x);
        return;
    }
    double *h = p2->height, *n = p2->place;
    h[0] = x < h[0] ? x : h[0];
    h[4] = x > h[4] ? x : h[4];
    for (int i = 1; i < MARKERS - 1; i++)
        n[i] += x < h[i];
    n[4] += 1.0;
    for (int i = 1; i < MARKERS - 1; i++) {
        double off = 1.0 + p2->count * p2->share[i - 1] - n[i];
        if (off >= 1.0 && n[i + 1] - n[i] > 1.0)
            move(p2, i, 1.0);
        else if (off <= -1.0 && n[i] - n[i - 1] > 1.0)
            move(p2, i, -1.0);
    }
    p2->count += 1.0;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    const fm_p2 *p2 = state;
    double q = p2->share[1];
    int marker = q <= 0.0 ? 0 : q >= 1.0 ? 4 : 2; /* the third one cannot pass its neighbours */
    out[0] = fm_usable(in[0]) && p2->count >= MARKERS ? p2->height[marker] : NAN;
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    if (fm_usable(in[0]))
        add(state, in[0]);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    update(state, ts_ns, in);
}

FM_STEP_ONE(step_quantile, 0)

const fm_kernel fm_kernel_p2 = {
    .name = "p2",
    .summary = "A quantile of everything since the start, from five markers.",
    .source = "R. Jain & I. Chlamtac, Communications of the ACM 28, 1985",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){{.name = "quantile", .unit = "x", .usual = NAN, .help = "of the events before x"}, {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_quantile},
    .warm_up = "after five events",
    .cost = "~11 ns, 112 bytes",
};
