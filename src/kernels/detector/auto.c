/* kernels/detector/auto.c - see the header. */
#include "kernels/detector/auto.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/normal.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define SLOTS         48
#define SLOT_NS       (INT64_C(1800000000000))
#define SLOT_MEMORY   5.0
#define SCALES        3
#define LEVELS        3
#define STREAMS       8
#define WARM_COUNT    30
#define RANK_WARM     60.0   /* rows until which a normal score is not believed whole */
#define MEAN_MEMORY   500.0  /* rows; of the mean that stands in for slots without a row */
#define RATIO_MAX     1e30   /* of x to its unit; so that a float holds the difference of two */
#define BUDGET_ROWS   1000.0 /* rows at which the budget takes nothing */
#define SILENCED      0.999  /* of the level not reached: what a silenced row shows */
#define MERGE_STAGGER 4      /* rows between the merges of two sketches */

static const double scale_rows[SCALES] = {5, 25, 125};
static const double level_share[LEVELS] = {1, 0.93, 0.86};

static const fm_field params[] = {
    {.name = "memory",
     .unit = "rows",
     .low = 100,
     .high = 1e5,
     .preset = 2000,
     .help = "age at which a row weighs 1/e in the ranks"},
    {.name = "threshold", .unit = "nats", .low = 0.1, .high = 100, .preset = 3.5, .help = "level of an alarm"},
    {.name = "margin",
     .unit = "nats",
     .low = 0,
     .high = 100,
     .preset = 3,
     .help = "level above that of the alarm that breaks its silence"},
    {.name = "hold", .unit = "1", .low = 0, .high = 1, .preset = 0.03, .help = "silence, as a share of the rows seen"},
    {.name = "budget",
     .unit = "nats",
     .low = 0,
     .high = 10,
     .preset = 0.5,
     .help = "evidence wanted more for each e-fold of rows"},
    {.name = "horizon",
     .unit = "rows",
     .low = 1000,
     .high = 1e9,
     .preset = 5000,
     .help = "rows at which silence and budget stop growing"},
    {0},
};

/* What one row says, before any of it becomes past. */
typedef struct reading {
    int64_t ts_ns;
    double unit, x, s, usual;
    double weight[SCALES], smooth_z[SCALES], smooth_s[SCALES];
    double evidence, level, score; /* NaN, 0 and NaN until warm */
    int slot;
    bool reaches[LEVELS], alarms[LEVELS];
} reading;

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

int fm_auto_init(fm_auto *detector, const double values[6])
{
    FM_TRY(fm_kernel_check(params, values));
    *detector = (fm_auto){.memory = values[0],
                          .threshold = values[1],
                          .margin = values[2],
                          .hold = values[3],
                          .budget = values[4],
                          .horizon = values[5],
                          .newest_ns = INT64_MIN};
    for (int i = 0; i < STREAMS; i++)
        fm_ranks_init(&detector->stream[i], FM_RANKS_WAITING - MERGE_STAGGER * i);
    return 0;
}

/* x / unit to 31 bits, by Veltkamp's split: what a factor rounds differently in x and in the unit is cut off. */
static double in_units(double x, double unit)
{
    double y = unit > 0.0 ? x / unit : 0.0;
    y = y > RATIO_MAX ? RATIO_MAX : y < -RATIO_MAX ? -RATIO_MAX : y;
    double split = y * 4194305.0; /* 2^22 + 1 */
    return split - (split - y);
}

static int slot_of(int64_t ts_ns)
{
    const int64_t day_ns = SLOTS * SLOT_NS;
    return (int)((ts_ns % day_ns + day_ns) % day_ns / SLOT_NS);
}

/* What this time of day shows, in units; `otherwise` before any row. */
static double usual_at(const fm_auto *detector, int slot, double otherwise)
{
    double sum = 0.0, weight = 0.0;
    for (int i = -1; i <= 1; i++) {
        int at = (slot + i + SLOTS) % SLOTS;
        double w = detector->slot_count[at] * (i == 0 ? 1.0 : 0.5);
        sum += w * detector->slot_mean[at];
        weight += w;
    }
    if (weight > 0.0)
        return sum / weight;
    return detector->seen > 0 ? detector->mean : otherwise;
}

static double normal_score(fm_rank rank)
{
    double all = (double)rank.all;
    if (all < 2.0)
        return 0.0;
    double p = ((double)rank.below + 0.5 * (double)rank.equal + 0.5) / (all + 1.0);
    return fm_normal_quantile(p) * (all < RANK_WARM ? all / RANK_WARM : 1.0);
}

/* The strongest level that is reached and not silenced decides the score. */
static void judge(const fm_auto *detector, reading *now)
{
    double row = (double)detector->seen, threshold = detector->threshold;
    double level = now->evidence - detector->budget * (fm_log)(smaller(row + 1.0, detector->horizon) / BUDGET_ROWS);
    now->level = level > 0.0 ? level : 0.0;
    double shown = smaller(now->level, SILENCED * level_share[LEVELS - 1] * threshold), ceiling = now->level;
    bool decided = false;
    for (int i = 0; i < LEVELS; i++) {
        double from = threshold * level_share[i];
        now->reaches[i] = now->level >= from;
        now->alarms[i] = now->reaches[i] &&
                         (row >= detector->hold_until[i] || now->level >= detector->level_last[i] + detector->margin);
        if (now->alarms[i] && !decided) {
            shown = smaller(now->level, ceiling);
            decided = true;
        }
        ceiling = SILENCED * from;
    }
    now->score = shown / (shown + threshold);
}

static reading read(const fm_auto *detector, int64_t ts_ns, double x)
{
    reading now = {.ts_ns = ts_ns > detector->newest_ns ? ts_ns : detector->newest_ns,
                   .unit = detector->unit > 0.0 ? detector->unit : fabs(x),
                   .evidence = NAN,
                   .score = NAN};
    const fm_ranks *stream = detector->stream;
    now.x = in_units(x, now.unit);
    now.slot = slot_of(now.ts_ns);
    now.usual = usual_at(detector, now.slot, now.x);
    now.s = now.x - now.usual;
    fm_rank rank = fm_ranks_of(&stream[0], (float)now.x);
    double z = normal_score(rank), product = fm_rank_p(rank) * fm_rank_p(fm_ranks_of(&stream[1], (float)now.s));
    for (int i = 0; i < SCALES; i++) {
        now.weight[i] = detector->smooth_weight[i] * (1.0 - 2.0 / (scale_rows[i] + 1.0)) + 1.0;
        now.smooth_z[i] = detector->smooth_z[i] + (z - detector->smooth_z[i]) / now.weight[i];
        now.smooth_s[i] = detector->smooth_s[i] + (now.s - detector->smooth_s[i]) / now.weight[i];
        product *= fm_rank_p(fm_ranks_of(&stream[2 + 2 * i], (float)now.smooth_z[i])) *
                   fm_rank_p(fm_ranks_of(&stream[3 + 2 * i], (float)now.smooth_s[i]));
    }
    if (FM_LIKELY(detector->seen >= WARM_COUNT)) {
        now.evidence = -(fm_log)(product) / STREAMS;
        judge(detector, &now);
    }
    return now;
}

static void write(const fm_auto *detector, const reading *now, double out[5])
{
    bool ready = detector->seen >= WARM_COUNT;
    out[0] = now->score;
    out[1] = isnan(now->evidence) ? NAN : fm_tail_p(&detector->tail, fm_tail_bucket(now->evidence));
    out[2] = ready ? fm_finite(now->usual * now->unit) : NAN;
    out[3] = ready ? 1.0 : 0.0;
    out[4] = now->evidence;
}

static void learn_streams(fm_auto *detector, const reading *now)
{
    float memory = (float)detector->memory;
    fm_ranks_add(&detector->stream[0], (float)now->x, memory);
    fm_ranks_add(&detector->stream[1], (float)now->s, memory);
    for (int i = 0; i < SCALES; i++) {
        detector->smooth_weight[i] = now->weight[i];
        detector->smooth_z[i] = now->smooth_z[i];
        detector->smooth_s[i] = now->smooth_s[i];
        fm_ranks_add(&detector->stream[2 + 2 * i], (float)now->smooth_z[i], memory);
        fm_ranks_add(&detector->stream[3 + 2 * i], (float)now->smooth_s[i], memory);
    }
}

static void learn(fm_auto *detector, const reading *now)
{
    learn_streams(detector, now);
    double *count = &detector->slot_count[now->slot], *mean = &detector->slot_mean[now->slot];
    *count = smaller(*count + 1.0, SLOT_MEMORY);
    *mean += (now->x - *mean) / *count;
    double row = (double)detector->seen;
    detector->mean += (now->x - detector->mean) / smaller(row + 1.0, MEAN_MEMORY);
    for (int i = 0; i < LEVELS; i++) {
        if (now->alarms[i])
            detector->level_last[i] = now->level;
        if (now->reaches[i])
            detector->hold_until[i] = row + detector->hold * smaller(row, detector->horizon);
    }
    if (!isnan(now->evidence))
        fm_tail_add(&detector->tail, fm_tail_bucket(now->evidence));
    detector->unit = now->unit;
    detector->newest_ns = now->ts_ns;
    detector->seen++;
}

void fm_auto_score(const fm_auto *detector, int64_t ts_ns, double x, double out[5])
{
    bool usable = fm_usable(x);
    reading now = read(detector, ts_ns, usable ? x : detector->unit);
    if (!usable)
        now.score = now.evidence = NAN;
    write(detector, &now, out);
}

void fm_auto_update(fm_auto *detector, int64_t ts_ns, double x)
{
    if (!fm_usable(x))
        return;
    reading now = read(detector, ts_ns, x);
    learn(detector, &now);
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_auto);
}

static int init(void *state, const double *values)
{
    return fm_auto_init(state, values);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_auto_score(state, ts_ns, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_auto_update(state, ts_ns, in[0]);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (FM_UNLIKELY(!fm_usable(in[0]))) {
        score(state, ts_ns, in, out);
        return;
    }
    reading now = read(state, ts_ns, in[0]);
    write(state, &now, out);
    learn(state, &now);
}

const fm_kernel fm_kernel_auto = {
    .name = "auto",
    .summary = "Is this row unusual for its series? Needs no configuration: alarm at score 0.5.",
    .source = "conformal p of eight views: Laxhammar & Falkman 2015, Fisher 1932; docs/quality.md",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"}, {0}},
    .outputs =
        (const fm_field[]){
            {.name = "score", .unit = "1", .usual = 0.2, .help = "alarm at 0.5, then silence for the same event"},
            {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past evidence as large"},
            {.name = "expected", .unit = "x", .usual = NAN, .help = "mean at this time of day"},
            {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
            {.name = "evidence",
             .unit = "nats",
             .usual = 1,
             .help = "mean surprise of the eight views, without silence"},
            {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after 30 values",
    .cost = "~1 us, 11632 bytes",
};
