/* kernels/detector/market.h - one instrument, any record of it (bar, trade, quote): is the market unusual now?
 *
 * Records of one window are joined into a bar; a record that stands alone in its window is a bar of its own, so bars
 * of an hour or a day pass as they are. A point (four equal prices) counts as the middle one of three within a window,
 * so that a lone wrong print is nothing. From the open bar and the closed ones come seven ratios, about 1 as a rule:
 *   0 range, slow    true range / (gap * mean true range over `slow` bars)
 *   1 range, middle  true range / (gap * mean true range over `middle` bars)
 *   2 move           |log(close / close before)| / (gap * the mean over `middle`)
 *   3 range of 5     range of five bars / root of the sum of the squares of what each was expected to be
 *   4 energy         root of the mean of (move / expected)^2, at most 400, faded over 15 bars
 *   5 spread         mean spread of the bar / its mean over `slow` bars
 *   6 opening        |log(open / close before)| / its usual size; only where the market closes between bars
 * True range is log(max(high, close before) / min(low, close before)). Means are winsorised at `cut` times themselves.
 * `gap` is the mean true range, in units of the slow one, of past bars that followed a silence of as many intervals
 * (by powers of two): the first bar of a Monday is judged by those of other Mondays. Scales are 1 + 5/n times wider
 * after n bars that moved. A ratio x becomes -log10 P, where P mixes three tails:
 *   the series' own: the share of past bars above x in a log histogram (a tenth of an octave), faded over `memory`
 *   beyond its top hundredth: a Pareto tail, kernels/common/pareto.h
 *   a prior worth `prior` bars: 1 / (1 + (x / x0)^3), the inverse cubic law of returns
 *   score = weighted mean of -log10 P over the ratios that are there; about 0.2 on a calm market
 *
 * Params  window (s); slow, middle, memory, prior (bars); cut (1).  A record: open, high, low, close (> 0; points: four
 * equal ones), spread (ask - bid, same unit; NaN = none). Kernels of the table: `market`, a
 *         point x without spread; `market_bars`, whole bars.
 * Outputs score; p (share of past scores as large); expected (close of the bar before); ready; kind, an
 *         fm_market_kind: what most of the score is made of, the quality of the data first - a bar that goes 12 times
 *         as far as expected and takes 95 hundredths of it back is a bad print.
 * NaN     a missing or impossible price changes nothing. NaN and ready 0 until ten bars moved. Late = seen now.
 * Silence fm_market_silence, asked by a timer, tells how odd it is that nothing comes: it knows from the weeks before
 *         which hours of the week (UTC) are busy and how long silences last in them.
 * Scale   prices times a constant, or times shifted by whole weeks, score the same but for rounding.
 * Source  inverse cubic law: P. Gopikrishnan et al., "Scaling of the distribution of fluctuations of financial market
 *         indices" (1999); B. M. Hill, "A simple general approach to inference about the tail of a distribution"
 *         (1975); conformal p: R. Laxhammar & G. Falkman (2015). Weights were found on labelled events:
 *         docs/quality.md tells how, and what they are worth.
 * Cost    ~0.5 us a record, more on the first of a bar (seven tails take a sample); score alone copies the state
 *         when a bar ends. 10,024 bytes. */
#ifndef FM_KERNELS_DETECTOR_MARKET_H
#define FM_KERNELS_DETECTOR_MARKET_H

#include "kernels/common/pareto.h"
#include "kernels/common/tail.h"
#include "kernels/kernel.h"

typedef enum fm_market_kind {
    FM_MARKET_CALM, /* no stream has anything to say */
    FM_MARKET_RANGE,
    FM_MARKET_VOLATILITY,
    FM_MARKET_SPREAD,
    FM_MARKET_OPENING,
    FM_MARKET_BAD_PRINT,
} fm_market_kind;

/* ffi:begin */
typedef struct fm_market_record {
    double open, high, low, close, spread; /* spread: NaN = none */
} fm_market_record;
typedef struct fm_market {
    double slow_rate, middle_rate, grow, prior, cut; /* of the parameters */
    int64_t window_ns, slot, newest_ns,
        before_ns; /* length and number of the bar; newest record; that of the bar before */
    double open, high, low, close, close_before;               /* of the open bar */
    double spread_sum, spread_count, records;                  /* in the open bar */
    double bars, moved;                                        /* closed; with a range */
    double interval_ns, slow, middle, energy, spread, per_bar; /* learned means */
    double gap_scale, expected;                                /* of the open bar */
    int64_t gap;     /* its silence, in powers of two of intervals; 0 = none */
    double point[2]; /* the two points before */
    int64_t point_ns[2];
    double closes[8], highs[8], lows[8], squares[8]; /* logs; squares of `expected` */
    double gap_mean[24], gap_count[24], opening_mean[24], opening_count[24];
    double most[7];  /* largest ratio within the open bar */
    float busy[168]; /* share of the bars that each hour of the week had, NaN = new */
    int64_t hour;
    double hour_bars;
    double silent[24], spans; /* intervals in busy hours: by length, and all */
    fm_tail scores;
    fm_pareto tail[7];
} fm_market;
int fm_market_init(fm_market *market,
                   const double params[6]); /* window (s), slow, middle, memory, prior, cut; 0, or FM_EINVAL */
void fm_market_score(const fm_market *market, int64_t ts_ns, const fm_market_record *record,
                     double out[5]); /* score, p, expected, ready, kind */
void fm_market_update(fm_market *market, int64_t ts_ns, const fm_market_record *record);
void fm_market_step(fm_market *market, int64_t ts_ns, const fm_market_record *record,
                    double out[5]); /* score, then update */
/* -log10 of the chance of a silence up to ts_ns; 0 while there is none, or nothing is known of it. */
double fm_market_silence(const fm_market *market, int64_t ts_ns);
/* ffi:end */

extern const fm_field fm_market_params[], fm_market_outputs[]; /* of the kernels of the table that are made of it */

#endif
