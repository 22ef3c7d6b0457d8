/* kernels/detector/adwin.c - see the header. */
#include "kernels/detector/adwin.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define PER_ROW    5
#define PART_MIN   5
#define WARM_COUNT 30
#define PRINTS_MAX 3 /* in a row that are cut: more are a new level */

static const fm_field params[] = {
    {.name = "delta", .unit = "1", .low = 1e-12, .high = 0.5, .preset = 0.002, .help = "bound on false alarms"},
    {.name = "clock", .unit = "events", .low = 1, .high = 1000, .preset = 32, .help = "events between two checks"},
    {.name = "clip", .unit = "sigma", .low = 1, .high = 1e6, .preset = 5, .help = "how far one value may lie off"},
    {0},
};

typedef struct cut {
    double ratio;
    int64_t older; /* values before the cut */
} cut;

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_adwin);
}

static int init(void *state, const double *values)
{
    FM_TRY(fm_kernel_check(params, values));
    fm_adwin *window = state;
    window->delta = values[0];
    window->clock = window->due = (int64_t)values[1];
    window->clip = values[2];
    window->score = window->p = window->mean = window->sigma = NAN;
    return 0;
}

/* The two oldest buckets of a row leave it. */
static void leave(fm_adwin *window, int64_t row)
{
    double *mean = window->bucket_mean[row], *square = window->bucket_square[row];
    window->size[row] -= 2;
    memmove(mean, mean + 2, (size_t)window->size[row] * sizeof(double));
    memmove(square, square + 2, (size_t)window->size[row] * sizeof(double));
}

static void insert(fm_adwin *window, double x)
{
    double mean = x, square = 0.0;
    window->width++;
    for (int64_t row = 0;; row++) {
        double *means = window->bucket_mean[row], *squares = window->bucket_square[row];
        window->rows = row < window->rows ? window->rows : row + 1;
        int64_t at = window->size[row]++;
        means[at] = mean;
        squares[at] = square;
        if (at < PER_ROW)
            return;
        double apart = means[1] - means[0], half = 0.5 * (double)(INT64_C(1) << row);
        mean = means[0] + 0.5 * apart;
        square = squares[0] + squares[1] + apart * apart * half;
        leave(window, row);
        if (row + 1 == FM_ADWIN_ROWS) { /* forgotten */
            window->width -= INT64_C(2) << row;
            return;
        }
    }
}

/* Mean and sigma of the window: buckets joined from the oldest on. */
static void fold(fm_adwin *window)
{
    double count = 0.0, mean = 0.0, square = 0.0;
    for (int64_t row = window->rows - 1; row >= 0; row--) {
        double size = (double)(INT64_C(1) << row);
        for (int64_t i = 0; i < window->size[row]; i++) {
            double apart = window->bucket_mean[row][i] - mean, all = count + size, part = size / all;
            square += window->bucket_square[row][i] + apart * apart * count * part;
            mean += apart * part;
            count = all;
        }
    }
    window->mean = mean;
    window->sigma = sqrt(square / count);
}

/* The candidate with the largest ratio; ratio NaN while nothing varies. With s the sum of the older values' distances
 * from the mean, the means differ by |s| / m, so the ratio is |s| / (sigma (sqrt(2 L m) + 2 L / 3)). */
static cut find(const fm_adwin *window)
{
    double width = (double)window->width, older = 0.0, apart = 0.0;
    double twice = 2.0 * (fm_log)(2.0 * (fm_log)(width) / window->delta);
    cut best = {.ratio = window->sigma > 0.0 ? 0.0 : NAN};
    for (int64_t row = window->rows - 1; row >= 0 && window->sigma > 0.0; row--) {
        double size = (double)(INT64_C(1) << row);
        for (int64_t i = 0; i < window->size[row]; i++) {
            older += size;
            apart += size * (window->bucket_mean[row][i] - window->mean);
            if (older < PART_MIN)
                continue;
            if (width - older < PART_MIN)
                return best;
            double ratio =
                fabs(apart) / (window->sigma * (sqrt(twice * older * (width - older) / width) + twice / 3.0));
            if (ratio > best.ratio)
                best = (cut){.ratio = ratio, .older = (int64_t)older};
        }
    }
    return best;
}

/* The oldest `older` values leave: whole buckets. */
static void drop(fm_adwin *window, int64_t older)
{
    window->width -= older;
    for (int64_t row = window->rows - 1; older > 0; row--) {
        int64_t gone = older >> row < window->size[row] ? older >> row : window->size[row];
        older -= gone << row;
        window->size[row] -= gone;
        memmove(window->bucket_mean[row], &window->bucket_mean[row][gone], (size_t)window->size[row] * sizeof(double));
        memmove(window->bucket_square[row], &window->bucket_square[row][gone],
                (size_t)window->size[row] * sizeof(double));
    }
    while (window->rows > 0 && window->size[window->rows - 1] == 0)
        window->rows--;
}

/* The window begins anew with the first bucket in which no value was cut, if a new level was. */
static void drop_cut(fm_adwin *window)
{
    int64_t clean = (window->run < 0 ? -window->run : window->run) - PRINTS_MAX, older = 0;
    if (clean <= 0)
        return;
    for (int64_t row = window->rows - 1; row >= 0; row--)
        for (int64_t i = 0; i < window->size[row] && window->width - older > clean; i++)
            older += INT64_C(1) << row;
    if (older < window->width)
        drop(window, older);
}

static void check(fm_adwin *window)
{
    fold(window);
    cut best = find(window);
    window->score = fm_finite(best.ratio);
    window->p = NAN;
    if (isnan(window->score))
        return;
    unsigned bucket = fm_tail_bucket(8.0 * window->score);
    window->p = fm_tail_p(&window->tail, bucket);
    fm_tail_add(&window->tail, bucket);
    window->change = best.ratio > 1.0 ? 1.0 : 0.0;
    while (best.ratio > 1.0) {
        drop(window, best.older);
        fold(window);
        best = find(window);
    }
    if (window->change == 0.0)
        return;
    drop_cut(window);
    fold(window);
    window->sigma = NAN;
    window->run = 0;
}

/* What x enters as. */
static double cut_to_reach(fm_adwin *window, double x)
{
    double reach = window->clip * window->sigma, away = x - window->mean;
    if (FM_LIKELY(fabs(away) <= 0.5 * reach)) {
        window->run = 0;
        return x;
    }
    int64_t side = away > 0.0 ? 1 : -1;
    window->run = side * window->run > 0 ? window->run + side : side;
    if (fabs(away) <= reach || side * window->run > PRINTS_MAX)
        return x;
    return window->mean + (double)side * reach;
}

/* A usable x enters. */
static void push(fm_adwin *window, double x)
{
    insert(window, window->sigma > 0.0 ? cut_to_reach(window, x) : x);
    window->change = 0.0;
    if (FM_LIKELY(--window->due > 0))
        return;
    window->due = window->clock;
    if (window->width >= WARM_COUNT || !isnan(window->score))
        check(window);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    (void)ts_ns;
    const fm_adwin *window = state;
    bool ready = !isnan(window->score), asked = ready && fm_usable(in[0]);
    out[0] = asked ? window->score : NAN;
    out[1] = asked ? window->p : NAN;
    out[2] = ready ? window->mean : NAN;
    out[3] = ready ? 1.0 : 0.0;
    out[4] = ready ? (double)window->width : NAN;
    out[5] = asked ? window->change : NAN;
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    (void)ts_ns;
    if (fm_usable(in[0]))
        push(state, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    score(state, ts_ns, in, out);
    update(state, ts_ns, in);
}

const fm_kernel fm_kernel_adwin = {
    .name = "adwin",
    .summary = "Change of the mean of x: a window that grows until its old and new parts differ.",
    .source = "Bifet & Gavalda, SIAM SDM 2007",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs = (const fm_field[]){{.name = "score", .unit = "1", .usual = 0.5, .help = "above 1: the mean has changed"},
                                  {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past checks as large"},
                                  {.name = "expected", .unit = "x", .usual = NAN, .help = "mean of the window"},
                                  {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
                                  {.name = "width", .unit = "events", .usual = NAN, .help = "values in the window"},
                                  {.name = "change", .unit = "1", .usual = 0, .help = "1 once after each change"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "at the first check with 30 values of which two differ",
    .cost = "~25 ns, 3,304 bytes",
};
