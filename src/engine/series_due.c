/* engine/series_due.c - what comes due for one instrument between two of its records: corporate actions of the reference data, and
 * grid times at which other partitions are told of it.
 *
 * Every record compares its time with two numbers of its series, and comes here when it is not between them. */
#include "engine/fold_internal.h"

#include "base/assert.h"

#include <math.h>
#include <string.h>

const fm_layout *fm_series_layout(fm_plan *plan, const fm_series *series)
{
    return fm_plan_layout(plan, (fm_slice){series->symbol, series->symbol_size}, (fm_slice){series->venue, series->venue_size},
                          fm_slice_of(series->instrument != NULL ? series->instrument->class_ : ""));
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void set_due(const fm_partition *partition, fm_series *series, int64_t now_ns)
{
    const fm_instrument *instrument = series->instrument;
    series->due_ns = INT64_MAX;
    if (instrument != NULL && instrument->watched_by != 0)
        series->due_ns = fm_grid_next(now_ns, FM_MARKET_GRID_NS);
    if (instrument != NULL && instrument->in_sector != NULL)
        series->due_ns = earlier(series->due_ns, fm_grid_next(now_ns, FM_SECTOR_GRID_NS));
    for (uint32_t i = 0; instrument != NULL && i < instrument->action_count; i++) {
        const fm_action *action = &partition->reference->action[instrument->first_action + i];
        if (action->effective_ns > series->actions_ns) {
            series->due_ns = earlier(series->due_ns, action->effective_ns);
            break;
        }
    }
}

/* What it is compared with: values of another market or sector are none of the new one. */
static void forget_others(fm_series *series, const fm_instrument *now)
{
    static const fm_instrument nothing = {.first_action = 0};
    const fm_instrument *before = series->instrument != NULL ? series->instrument : &nothing;
    now = now != NULL ? now : &nothing;
    if (strcmp(before->market, now->market) != 0)
        series->cross[FM_CROSS_OF_MARKET] = NAN;
    if (strcmp(before->sector, now->sector) != 0)
        series->cross[FM_CROSS_OF_MEAN] = series->cross[FM_CROSS_OF_SPREAD] = series->cross[FM_CROSS_OF_RANK] = NAN;
}

/* What has happened before it was told of has been seen, for better or worse: it is not undone. */
void fm_series_refer(fm_partition *partition, fm_series *series)
{
    const fm_instrument *now = fm_reference_find(partition->reference, series->symbol);
    forget_others(series, now);
    series->instrument = now;
    series->session = (fm_calendar_span){0};
    if (series->records == 0) {
        series->due_ns = INT64_MIN;
        return;
    }
    if (series->newest_ns > series->actions_ns)
        series->actions_ns = series->newest_ns;
    set_due(partition, series, series->newest_ns);
}

double fm_series_quoted(const fm_series *series, double price)
{
    double unit = 2.0 * fm_powers_of_ten[series->price_scale];
    return series->price_ratio == 1.0 || isnan(price) ? price : floor(price / series->price_ratio * unit + 0.5) / unit;
}

/* The last price, as it was quoted. */
static double last_quoted(const fm_series *series)
{
    return fm_series_price(series) / series->price_ratio;
}

static double ratio_of(const fm_action *action, double price)
{
    double after = action->kind == FM_ACTION_DIVIDEND ? price - action->number : price + action->number;
    return after > 0.0 && price > 0.0 ? price / after : 1.0; /* without a price before it there is nothing to go on from */
}

/* Products of absurd ratios would end as 0 or infinity; one that leads out of all reason is left out. */
static void adjust(double *ratio, double by)
{
    double product = *ratio * by;
    if (product >= 1.0 / FM_RATIO_MAX && product <= FM_RATIO_MAX)
        *ratio = product;
}

static void begin_anew(fm_fold *fold, fm_partition *partition, fm_series *series)
{
    fm_rows_run(fold); /* rows of the old asset are the old rule states' */
    fm_block_init(partition->plan, series->layout, series->block);
    series->price_ratio = series->size_ratio = 1.0;
    series->last_price = series->last_size = series->last_value = series->last_close = NAN;
    series->bid = series->ask = series->bid_size = series->ask_size = series->mid = NAN;
    series->x_from = FM_X_VALUE;
    series->top_count = 0;
    series->top_stream = FM_STREAM_NONE;
    fold->pending_stale = true;
}

static void apply_action(fm_fold *fold, fm_partition *partition, fm_series *series, const fm_action *action)
{
    switch ((fm_action_kind)action->kind) {
    case FM_ACTION_SPLIT:
        adjust(&series->price_ratio, action->number);
        adjust(&series->size_ratio, action->number);
        break;
    case FM_ACTION_DIVIDEND:
    case FM_ACTION_ROLL:
        adjust(&series->price_ratio, ratio_of(action, last_quoted(series)));
        break;
    case FM_ACTION_RATIO:
        adjust(&series->price_ratio, action->number);
        break;
    case FM_ACTION_RELIST:
        begin_anew(fold, partition, series);
        break;
    case FM_ACTION_RENAME:
        series->phase = FM_PHASE_CLOSED;
        break;
    }
    fm_market_forget_books(partition, series); /* what rests in them has prices and sizes of before; a venue tells anew what stands */
    series->basis_ns = action->effective_ns;
    fm_count(fold->config.counters, FM_METRIC_ACTIONS_APPLIED, 1);
}

bool fm_series_due(fm_fold *fold, fm_partition *partition, fm_series *series, int64_t ts_ns)
{
    if (ts_ns < series->basis_ns) {
        fm_count(fold->config.counters, FM_METRIC_BEFORE_ACTION, 1);
        return false;
    }
    const fm_instrument *instrument = series->instrument;
    if (instrument != NULL)
        fm_cross_publish(fold, partition, series, ts_ns);
    if (series->actions_ns == INT64_MIN) /* its first record: what was before is history */
        series->actions_ns = ts_ns;
    for (uint32_t i = 0; instrument != NULL && i < instrument->action_count; i++) {
        const fm_action *action = &partition->reference->action[instrument->first_action + i];
        if (action->effective_ns <= series->actions_ns || action->effective_ns > ts_ns)
            continue;
        apply_action(fold, partition, series, action);
        series->actions_ns = action->effective_ns;
        fm_series_derive(partition->plan, series);
    }
    set_due(partition, series, ts_ns > series->newest_ns ? ts_ns : series->newest_ns);
    return true;
}
