/* kernels/detector/market.c - see the header. */
#include "kernels/detector/market.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/fmath.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#include <string.h>

#define STREAMS        7
#define GAPS           24
#define PAST           8
#define HOURS          168
#define HOUR_NS        INT64_C(3600000000000)
#define WARM_BARS      10.0               /* that moved */
#define YOUNG_BARS     5.0                /* scales are 1 + YOUNG_BARS/n times wider after n bars */
#define MOVED          1e-9               /* a range of less is rounding */
#define ENERGY_RATE    0.0451583960895835 /* 1 - 2^(-1/15) */
#define SQUARE_MAX     400.0
#define GAP_PRIOR      5.0  /* bars */
#define GAP_MEMORY     60.0 /* bars */
#define OPENING_MEMORY 5000.0
#define OPENING_PRIOR  10.0
#define CLOSED_SHARE   0.2 /* openings matter where their mean is this share of the slow scale */
#define SPREAD_CUT     4.0
#define SPREAD_MAX     1e6 /* of the price; so that no square is infinite */
#define RATIO_MAX      1e12
#define BUSY_SHARE     0.9f
#define SPANS_LEAST    1000.0
#define SILENCE_NS_MAX 600e9 /* interval beyond which a silence tells nothing */
#define PRINT_TIMES    12.0
#define PRINT_LEFT     0.05
#define LOG10_2        0.30102999566398120
#define LOG10_E        0.43429448190325183

enum { RANGE_SLOW, RANGE_MIDDLE, MOVE, RANGE_5, ENERGY, SPREAD, OPENING };

static const double WEIGHT[STREAMS] = {0.40, 0.10, 0.07, 0.12, 0.08, 0.30, 0.20};
static const double USUAL[STREAMS] = {0.80, 0.83, 0.60, 0.83, 0.60, 0.60, 0.90}; /* medians of the prior */
static const fm_market_kind KIND[STREAMS] = {FM_MARKET_RANGE,      FM_MARKET_RANGE,      FM_MARKET_RANGE,
                                             FM_MARKET_VOLATILITY, FM_MARKET_VOLATILITY, FM_MARKET_SPREAD,
                                             FM_MARKET_OPENING};

const fm_field fm_market_params[] = {
    {.name = "window", .unit = "s", .low = 1, .high = 86400, .preset = 60, .help = "length of a bar"},
    {.name = "slow", .unit = "bars", .low = 100, .high = 1e6, .preset = 5000, .help = "half-life of the slow scale"},
    {.name = "middle", .unit = "bars", .low = 10, .high = 1e6, .preset = 480, .help = "half-life of the faster scale"},
    {.name = "memory", .unit = "bars", .low = 100, .high = 1e7, .preset = 20000, .help = "half-life of the tails"},
    {.name = "prior", .unit = "bars", .low = 1, .high = 1e6, .preset = 3000, .help = "what the prior tail is worth"},
    {.name = "cut",
     .unit = "1",
     .low = 1.5,
     .high = 100,
     .preset = 4,
     .help = "largest bar, in means, that a mean takes"},
    {0},
};

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double ln(double x)
{
    return (fm_log)(x);
}

/* A mean's rate that begins as the plain mean. */
static double rate_of(double rate, double count)
{
    return larger(rate, 1.0 / (count + 1.0));
}

static int floor_log2(double x, int lowest)
{
    double octave = floor(fm_log2(x));
    return octave < lowest ? lowest : octave > GAPS - 1 ? GAPS - 1 : (int)octave;
}

static bool warm(const fm_market *market)
{
    return market->moved >= WARM_BARS;
}

/* -log10 of the chance of a ratio of x or more. */
static double surprise(const fm_market *market, int stream, double x)
{
    if (!(x > USUAL[stream]))
        return 0.0;
    double of_usual = x / USUAL[stream], prior = 1.0 / (1.0 + of_usual * of_usual * of_usual);
    double count = fm_pareto_count(&market->tail[stream]), chance = prior;
    if (count >= 8.0)
        chance = (market->prior * prior + count * fm_pareto_share(&market->tail[stream], x)) / (market->prior + count);
    return -LOG10_2 * fm_log2(chance + 1e-300);
}

/* --- bars --- */

static double true_range(const fm_market *market, double before)
{
    return ln(larger(market->high, before) / smaller(market->low, before));
}

static void learn_gap(fm_market *market, double range)
{
    if (market->gap == 0)
        return;
    double *mean = &market->gap_mean[market->gap], *count = &market->gap_count[market->gap];
    double taken = smaller(range / larger(market->slow, 1e-12), market->cut * market->gap_scale);
    *count = smaller(*count + 1.0, GAP_MEMORY);
    *mean += (taken - *mean) / *count;
}

static void learn_opening(fm_market *market)
{
    if (market->bars == 0.0 || !(market->high > market->low))
        return;
    double *mean = &market->opening_mean[market->gap], *count = &market->opening_count[market->gap];
    double jump = fabs(ln(market->open / market->close_before));
    if (*count > 20.0 && *mean > 0.0)
        jump = smaller(jump, market->cut * *mean);
    *count = smaller(*count + 1.0, OPENING_MEMORY);
    *mean += (jump - *mean) / *count;
}

static void learn_spread(fm_market *market)
{
    if (market->spread_count == 0.0)
        return;
    double spread = market->spread_sum / market->spread_count;
    if (warm(market) && market->spread > 0.0)
        spread = smaller(spread, SPREAD_CUT * market->spread);
    market->spread += (spread - market->spread) * rate_of(market->slow_rate, market->bars);
}

static void close_bar(fm_market *market)
{
    double before = market->bars > 0.0 ? market->close_before : market->open;
    double range = true_range(market, before), plain = range / market->gap_scale, bars = market->bars;
    int i = (int)((int64_t)bars % PAST);
    market->closes[i] = ln(market->close);
    market->highs[i] = ln(market->high);
    market->lows[i] = ln(market->low);
    market->squares[i] = market->expected * market->expected;
    market->moved += range > MOVED;
    double taken = warm(market) ? smaller(plain, market->cut * market->slow) : plain;
    market->middle += (taken - market->middle) * rate_of(market->middle_rate, bars);
    market->slow += (taken - market->slow) * rate_of(market->slow_rate, bars);
    double records = smaller(market->records, 8.0 * larger(market->per_bar, 1.0));
    market->per_bar += (records - market->per_bar) * rate_of(market->slow_rate, bars);
    double z = warm(market) ? ln(market->close / before) / larger(market->expected, 1e-12) : 0.0;
    market->energy += (smaller(z * z, SQUARE_MAX) - market->energy) * ENERGY_RATE;
    if (warm(market)) {
        learn_gap(market, range);
        for (int k = 0; k < STREAMS; k++)
            if (market->most[k] > 1e-6) /* no change of price is no sample */
                fm_pareto_add(&market->tail[k], market->grow, market->most[k]);
    }
    memset(market->most, 0, sizeof(market->most));
    learn_spread(market);
    learn_opening(market);
    market->spread_sum = market->spread_count = market->records = 0.0;
    market->close_before = market->close;
    market->before_ns = market->newest_ns;
    market->bars++;
}

/* --- the week --- */

static int hour_of_week(int64_t hour)
{
    return (int)((hour % HOURS + HOURS) % HOURS);
}

static bool busy(const fm_market *market, int64_t ts_ns)
{
    return market->busy[hour_of_week(ts_ns / HOUR_NS)] > BUSY_SHARE;
}

static void live_hour(fm_market *market, int64_t hour, double share)
{
    float *known = &market->busy[hour_of_week(hour)];
    *known = isnan(*known) ? (float)share : 0.5f * (*known + (float)share);
}

static void learn_week(fm_market *market, int64_t ts_ns)
{
    int64_t hour = ts_ns / HOUR_NS, last = market->hour;
    if (market->bars == 0.0) {
        market->hour = hour;
        market->hour_bars = -1e9; /* the hour of the start is not whole */
    } else if (hour != last) {
        if (market->hour_bars > 0.0)
            live_hour(market, last, market->hour_bars * market->interval_ns / (double)HOUR_NS);
        for (int64_t i = hour - last > HOURS ? hour - HOURS : last + 1; i < hour; i++)
            live_hour(market, i, 0.0);
        market->hour = hour;
        market->hour_bars = 0.0;
    }
    market->hour_bars++;
}

double fm_market_silence(const fm_market *market, int64_t ts_ns)
{
    if (market->interval_ns <= 0.0 || market->interval_ns > SILENCE_NS_MAX || market->spans < SPANS_LEAST)
        return 0.0;
    double intervals = (double)fm_elapsed_ns(ts_ns, market->newest_ns) / market->interval_ns, longer = 0.0;
    if (intervals < 2.0 || !busy(market, ts_ns) || !busy(market, market->newest_ns))
        return 0.0;
    for (int i = floor_log2(intervals, 0); i < GAPS; i++)
        longer += market->silent[i];
    return LOG10_E * ln((market->spans + 1.0) / (longer + 0.5));
}

/* --- the open bar --- */

static void learn_interval(fm_market *market, double elapsed_ns)
{
    double *interval = &market->interval_ns;
    if (*interval == 0.0)
        *interval = elapsed_ns;
    else if (elapsed_ns < *interval * 0.98)
        *interval -= smaller(*interval - elapsed_ns, *interval * 0.1);
    else if (elapsed_ns > *interval * 1.02)
        *interval += smaller(elapsed_ns - *interval, *interval * 0.02);
}

static void open_bar(fm_market *market, int64_t ts_ns, const fm_market_record *record)
{
    market->open = record->open;
    market->high = record->high;
    market->low = record->low;
    market->gap = 0;
    market->gap_scale = 1.0;
    if (market->bars == 0.0)
        return;
    double elapsed_ns = (double)fm_elapsed_ns(ts_ns, market->before_ns);
    learn_interval(market, elapsed_ns);
    double intervals = elapsed_ns / market->interval_ns;
    if (busy(market, market->before_ns) && busy(market, ts_ns)) {
        market->spans++;
        market->silent[floor_log2(intervals, 0)]++;
    }
    if (!(intervals >= 1.5))
        return;
    market->gap = floor_log2(2.0 * intervals, 1);
    double prior = fm_exp2(0.25 * smaller((double)market->gap, 8.0)), count = market->gap_count[market->gap];
    market->gap_scale = (market->gap_mean[market->gap] * count + prior * GAP_PRIOR) / (count + GAP_PRIOR);
}

/* True range of the open bar and the four before it. */
static double range_5(const fm_market *market)
{
    double top = ln(market->high), bottom = ln(market->low), squares = market->expected * market->expected;
    int64_t bars = (int64_t)market->bars;
    for (int64_t h = 1; h < 5; h++) {
        int64_t i = (bars - h) % PAST;
        top = larger(top, market->highs[i]);
        bottom = smaller(bottom, market->lows[i]);
        squares += market->squares[i];
    }
    double start = market->closes[(bars - 5) % PAST];
    return (larger(top, start) - smaller(bottom, start)) / sqrt(squares);
}

static double opening(const fm_market *market, double slow)
{
    int64_t gap = market->gap;
    double prior = gap > 0 ? 2.0 * market->opening_mean[0] : 0.3 * slow, count = market->opening_count[gap];
    double usual = (count * market->opening_mean[gap] + OPENING_PRIOR * prior) / (count + OPENING_PRIOR);
    return fabs(ln(market->open / market->close_before)) / usual;
}

/* Ratios of the open bar; below 0 where there is none. */
static void measure(fm_market *market, double x[STREAMS])
{
    double slow = larger(market->slow, 1e-9), middle = larger(market->middle, 1e-9), gap = market->gap_scale;
    for (int k = 0; k < STREAMS; k++)
        x[k] = -1.0;
    market->expected = slow * gap;
    if (!warm(market))
        return;
    double young = 1.0 + YOUNG_BARS / market->moved;
    slow *= young;
    middle *= young;
    market->expected *= young;
    double range = true_range(market, market->close_before), move = ln(market->close / market->close_before);
    x[RANGE_SLOW] = range / (gap * slow);
    x[RANGE_MIDDLE] = range / (gap * middle);
    x[MOVE] = fabs(move) / (gap * middle);
    if (market->bars >= 5.0)
        x[RANGE_5] = range_5(market);
    double z = move / larger(market->expected, 1e-12);
    x[ENERGY] = sqrt(market->energy + (smaller(z * z, SQUARE_MAX) - market->energy) * ENERGY_RATE);
    if (market->spread > 0.0 && market->spread_count > 0.0)
        x[SPREAD] = smaller(market->spread_sum / market->spread_count / market->spread, RATIO_MAX);
    if (market->per_bar < 1.5 && market->opening_mean[0] > CLOSED_SHARE * slow)
        x[OPENING] = opening(market, slow);
}

/* --- records --- */

/* The middle one of three points of one minute; slower series pass unchanged. */
static double agreed(fm_market *market, int64_t ts_ns, double price)
{
    double a = market->point[0], b = market->point[1];
    bool three = a > 0.0 && fm_elapsed_ns(ts_ns, market->point_ns[0]) < market->window_ns;
    market->point[0] = b;
    market->point_ns[0] = market->point_ns[1];
    market->point[1] = price;
    market->point_ns[1] = ts_ns;
    return three ? larger(smaller(a, b), smaller(larger(a, b), price)) : price;
}

static bool usable(const fm_market_record *record)
{
    return fm_usable_price(record->open) && fm_usable_price(record->high) && fm_usable_price(record->low) &&
           fm_usable_price(record->close);
}

/* The record becomes part of the open bar, or opens one. */
static void take(fm_market *market, int64_t ts_ns, const fm_market_record *record)
{
    fm_market_record now = *record;
    if (now.open == now.close && now.high == now.low && now.high == now.close)
        now.open = now.high = now.low = now.close = agreed(market, ts_ns, now.close);
    int64_t slot = ts_ns / market->window_ns;
    if (slot != market->slot || market->records == 0.0) {
        if (market->records > 0.0)
            close_bar(market);
        market->slot = slot;
        open_bar(market, ts_ns, &now);
        learn_week(market, ts_ns);
    }
    market->high = larger(market->high, now.high);
    market->low = smaller(market->low, now.low);
    market->close = now.close;
    market->records++;
    market->newest_ns = ts_ns;
    if (now.spread > 0.0) {
        market->spread_sum += smaller(now.spread / now.close, SPREAD_MAX);
        market->spread_count++;
    }
}

static fm_market_kind kind_of(const fm_market *market, const double part[STREAMS])
{
    double range = true_range(market, market->close_before), move = fabs(ln(market->close / market->close_before));
    if (range > PRINT_TIMES * market->expected && move < PRINT_LEFT * range)
        return FM_MARKET_BAD_PRINT;
    int best = 0;
    for (int k = 1; k < STREAMS; k++)
        if (part[k] > part[best])
            best = k;
    return part[best] > 0.0 ? KIND[best] : FM_MARKET_CALM;
}

static void missing(const fm_market *market, double out[5])
{
    out[0] = out[1] = out[2] = out[4] = NAN;
    out[3] = warm(market);
}

void fm_market_step(fm_market *market, int64_t ts_ns, const fm_market_record *record, double out[5])
{
    if (FM_UNLIKELY(!usable(record))) {
        missing(market, out);
        return;
    }
    double x[STREAMS], part[STREAMS] = {0}, sum = 0.0, there = 0.0;
    take(market, ts_ns > market->newest_ns ? ts_ns : market->newest_ns, record);
    measure(market, x);
    if (FM_UNLIKELY(!warm(market))) {
        missing(market, out);
        return;
    }
    for (int k = 0; k < STREAMS; k++) {
        if (x[k] < 0.0)
            continue;
        market->most[k] = larger(market->most[k], x[k]);
        part[k] = WEIGHT[k] * surprise(market, k, x[k]);
        sum += part[k];
        there += WEIGHT[k];
    }
    double score = sum / there; /* the ranges are always there */
    unsigned bucket = fm_tail_bucket(score);
    out[0] = score;
    out[1] = fm_tail_p(&market->scores, bucket);
    out[2] = market->close_before;
    out[3] = 1.0;
    out[4] = kind_of(market, part);
    fm_tail_add(&market->scores, bucket);
}

void fm_market_update(fm_market *market, int64_t ts_ns, const fm_market_record *record)
{
    double unread[5];
    fm_market_step(market, ts_ns, record, unread);
}

void fm_market_score(const fm_market *market, int64_t ts_ns, const fm_market_record *record, double out[5])
{
    fm_market copy = *market; /* what the record would do to a bar that ends with it is not worth a second telling */
    fm_market_step(&copy, ts_ns, record, out);
}

int fm_market_init(fm_market *market, const double values[6])
{
    FM_TRY(fm_kernel_check(fm_market_params, values));
    memset(market, 0, sizeof(*market));
    market->window_ns = (int64_t)(values[0] * 1e9);
    market->slow_rate = 1.0 - fm_exp2(-1.0 / values[1]);
    market->middle_rate = 1.0 - fm_exp2(-1.0 / values[2]);
    market->grow = fm_exp2(1.0 / values[3]);
    market->prior = values[4];
    market->cut = values[5];
    market->newest_ns = market->slot = INT64_MIN;
    for (int i = 0; i < HOURS; i++)
        market->busy[i] = NAN;
    return 0;
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_market);
}

static int init(void *state, const double *values)
{
    return fm_market_init(state, values);
}

static fm_market_record point_at(double x)
{
    return (fm_market_record){x, x, x, x, NAN};
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_market_record record = point_at(in[0]);
    fm_market_score(state, ts_ns, &record, out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_market_record record = point_at(in[0]);
    fm_market_update(state, ts_ns, &record);
}

static void step(void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_market_record record = point_at(in[0]);
    fm_market_step(state, ts_ns, &record, out);
}

const fm_field fm_market_outputs[] = {
    {.name = "score", .unit = "1", .usual = 0.2, .help = "mean of -log10 of the tails; 2 is rare, 3 is news"},
    {.name = "p", .unit = "1", .usual = 0.5, .help = "share of past scores as large"},
    {.name = "expected", .unit = "x", .usual = NAN, .help = "close of the minute before"},
    {.name = "ready", .unit = "1", .usual = 1, .help = "1 once warm"},
    {.name = "kind",
     .unit = "1",
     .usual = NAN,
     .help = "0 calm, 1 range, 2 volatility, 3 spread, 4 opening, 5 bad print"},
    {0}};

const fm_kernel fm_kernel_market = {
    .name = "market",
    .summary = "Is this market unusual? Range, move, energy and opening of its bars, each by its own tail.",
    .source = "tails: Gopikrishnan et al. 1999, Hill 1975; docs/quality.md",
    .kind = FM_KERNEL_DETECTOR,
    .layout = 1,
    .params = fm_market_params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "price", .help = "trade price or mid"}, {0}},
    .outputs = fm_market_outputs,
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "after ten minutes in which the price moved",
    .cost = "~0.5 us, 10 KiB",
};
