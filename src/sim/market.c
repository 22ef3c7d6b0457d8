/* sim/market.c - the clockwork: whose record is next, and what it says.
 *
 * Each name waits an exponential time whose rate follows the session's curve and its anomaly; a heap finds the
 * earliest. Rates are taken as constant for at most a minute and end at an anomaly's edge, where the wait is drawn
 * anew. */
#include "sim/market.h"

#include "base/fmath.h"
#include "sim/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_NS        (60 * FM_NS_PER_S)
#define SIDE_PERSISTENCE 0.7 /* probability that a trade has the side of the one before */
#define FAT_SIZE         50.0

const fm_sim_config fm_sim_config_preset = {
    .seed = 1,
    .instrument_count = 60,
    .start_ns = 0,
    .end_ns = INT64_MAX,
    .session_open_ns = 0,
    .session_ns = 23400 * FM_NS_PER_S,
    .rate = 1000,
    .anomaly_first_ns = 0,
    .anomaly_every_ns = 45 * FM_NS_PER_S,
};

#define PRESET_START_NS (INT64_C(1704205800) * FM_NS_PER_S) /* 2024-01-02T14:30:00Z */

/* ---- the heap ---- */

static bool earlier(const fm_sim *sim, uint32_t a, uint32_t b)
{
    int64_t ta = sim->instrument[a].next_ns, tb = sim->instrument[b].next_ns;
    return ta != tb ? ta < tb : a < b;
}

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(fm_sim *sim, uint32_t at)
{
    uint32_t count = sim->config.instrument_count, *heap = sim->heap;
    for (;;) {
        uint32_t least = at, left = 2 * at + 1;
        if (left < count && earlier(sim, heap[left], heap[least]))
            least = left;
        if (left + 1 < count && earlier(sim, heap[left + 1], heap[least]))
            least = left + 1;
        if (least == at)
            return;
        swap(&heap[at], &heap[least]);
        at = least;
    }
}

static void sift_up(fm_sim *sim, uint32_t at)
{
    while (at > 0 && earlier(sim, sim->heap[at], sim->heap[(at - 1) / 2])) {
        swap(&sim->heap[at], &sim->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

void sim_heap_fix(fm_sim *sim, uint32_t index)
{
    uint32_t at = 0;
    while (sim->heap[at] != index) /* once an anomaly: a scan is good enough */
        at++;
    sift_down(sim, at);
    sift_up(sim, at);
}

/* ---- waiting ---- */

double fm_sim_activity(const fm_sim *sim, int64_t ts_ns)
{
    int64_t phase_ns = (ts_ns - sim->config.session_open_ns) % sim->config.session_ns;
    if (phase_ns < 0)
        phase_ns += sim->config.session_ns;
    double x = 2.0 * (double)phase_ns / (double)sim->config.session_ns - 1;
    return 0.5 + 1.5 * x * x;
}

int64_t sim_next_event(fm_sim *sim, const sim_instrument *instrument, int64_t from_ns)
{
    const sim_anomaly *anomaly = &instrument->anomaly;
    for (;;) {
        sim_effect effect = sim_effect_at(instrument, from_ns);
        int64_t edge_ns = from_ns + MINUTE_NS;
        if (anomaly->active && from_ns < anomaly->end_ns && anomaly->end_ns < edge_ns)
            edge_ns = anomaly->end_ns;
        double rate = instrument->rate * fm_sim_activity(sim, from_ns) * effect.rate;
        if (rate < effect.rate_min)
            rate = effect.rate_min;
        if (rate > 0) {
            double wait_ns = -fm_log(1 - fm_random_unit(&sim->random)) / rate * 1e9;
            if (wait_ns < (double)(edge_ns - from_ns))
                return from_ns + 1 + (int64_t)wait_ns;
        }
        from_ns = edge_ns;
    }
}

/* ---- what a record says ---- */

static int64_t draw_size(fm_sim *sim, const sim_instrument *one, double factor)
{
    double lots = floor(one->size_lots * factor * fm_exp(0.8 * fm_random_normal(&sim->random)));
    if (lots < 1)
        lots = 1;
    if (lots > 1e6)
        lots = 1e6;
    return (int64_t)lots * one->lot;
}

static double price_in_ticks(const fm_sim *sim, const sim_instrument *one, double shift)
{
    double level = one->log_price + one->beta_market * sim->market.level +
                   one->beta_sector * sim->sector[one->sector].level + one->own.level + shift;
    return fm_exp(level) / one->tick_price;
}

static void quote(fm_sim *sim, sim_instrument *one, const sim_effect *effect, fm_record *out)
{
    double middle = price_in_ticks(sim, one, effect->shift);
    double excited = 0.5 * (sqrt(one->own.variance) + sqrt(sim->market.variance));
    double half =
        0.5 * one->spread_ticks * effect->spread * (0.6 + 0.4 * excited) * (0.8 + 0.4 * fm_random_unit(&sim->random));
    double bid = floor(middle - half + 0.5), ask = floor(middle + half + 0.5);

    if (bid < 1)
        bid = 1;
    if (ask <= bid)
        ask = bid + 1;
    one->bid = (int64_t)bid * one->tick;
    one->ask = (int64_t)ask * one->tick;
    one->bid_size = draw_size(sim, one, effect->size);
    one->ask_size = draw_size(sim, one, effect->size);
    out->kind = FM_QUOTE;
    out->number[0] = (fm_decimal_number){one->bid, one->price_scale};
    out->number[1] = (fm_decimal_number){one->bid_size, one->size_scale};
    out->number[2] = (fm_decimal_number){one->ask, one->price_scale};
    out->number[3] = (fm_decimal_number){one->ask_size, one->size_scale};
}

static void trade(fm_sim *sim, sim_instrument *one, const sim_effect *effect, fm_record *out)
{
    if (effect->sell_share >= 0)
        one->side = fm_random_unit(&sim->random) < effect->sell_share ? -1 : 1;
    else if (fm_random_unit(&sim->random) >= SIDE_PERSISTENCE)
        one->side = -one->side;
    int64_t price = one->side > 0 ? one->ask : one->bid;
    double traded = 0.5 * effect->traded;

    if (one->anomaly.active && one->anomaly.kind == FM_SIM_FAT_FINGER && !one->anomaly.done) {
        one->anomaly.done = true;
        price = (int64_t)(price_in_ticks(sim, one, one->anomaly.depth) + 0.5) * one->tick;
        if (price < one->tick)
            price = one->tick;
        one->side = one->anomaly.depth > 0 ? 1 : -1;
        traded *= FAT_SIZE;
    }
    out->kind = FM_TRADE;
    out->side = one->side > 0 ? FM_BUY : FM_SELL;
    out->number[0] = (fm_decimal_number){price, one->price_scale};
    out->number[1] = (fm_decimal_number){draw_size(sim, one, traded), one->size_scale};
    out->number[2] = (fm_decimal_number){FM_ABSENT, 0};
    out->number[3] = (fm_decimal_number){FM_ABSENT, 0};
}

static void fill(fm_sim *sim, sim_instrument *one, int64_t ts_ns, fm_record *out)
{
    sim_advance(sim, ts_ns);
    sim_effect effect = sim_effect_at(one, ts_ns);
    memset(out, 0, sizeof(*out));
    out->ts_ns = ts_ns;
    out->seq = FM_SEQ_ABSENT;
    out->row = ++sim->row;
    out->symbol = fm_slice_of(one->symbol);
    out->venue = FM_SLICE("SIM");
    bool fat = one->anomaly.active && one->anomaly.kind == FM_SIM_FAT_FINGER && !one->anomaly.done;
    if (one->bid != 0 && (fat || fm_random_unit(&sim->random) < effect.trade_share))
        trade(sim, one, &effect, out);
    else
        quote(sim, one, &effect, out);
}

int fm_sim_next(fm_sim *sim, fm_record *out)
{
    sim_instrument *one = &sim->instrument[sim->heap[0]];
    while (sim->config.anomaly_every_ns > 0 && sim->plan_ns <= one->next_ns && sim->plan_ns < sim->config.end_ns) {
        FM_TRY(sim_plan(sim));
        one = &sim->instrument[sim->heap[0]];
    }
    int64_t ts_ns = one->next_ns;
    if (ts_ns >= sim->config.end_ns)
        return 0;
    fill(sim, one, ts_ns, out);
    sim->now_ns = ts_ns;
    one->next_ns = sim_next_event(sim, one, ts_ns);
    sift_down(sim, 0);
    return 1;
}

int64_t fm_sim_peek_ns(const fm_sim *sim)
{
    int64_t next_ns = sim->instrument[sim->heap[0]].next_ns;
    return sim->config.anomaly_every_ns > 0 && sim->plan_ns < next_ns ? sim->plan_ns : next_ns;
}

/* ---- life ---- */

static void begin(fm_sim *sim)
{
    fm_sim_config *config = &sim->config;
    if (config->start_ns == 0) {
        config->start_ns = PRESET_START_NS;
        config->session_open_ns += PRESET_START_NS;
        config->anomaly_first_ns += PRESET_START_NS;
    }
    fm_random_seed(&sim->random, config->seed);
    sim->now_ns = sim->grid_ns = config->start_ns;
    sim->plan_ns = config->anomaly_first_ns > config->start_ns ? config->anomaly_first_ns : config->start_ns;
    for (uint8_t i = 0; i < FM_SIM_ANOMALY_COUNT; i++)
        sim->plan_order[i] = i;
    sim_instruments_make(sim);
    for (uint32_t i = 0; i < config->instrument_count; i++) {
        sim->heap[i] = i;
        sim->instrument[i].next_ns = sim_next_event(sim, &sim->instrument[i], config->start_ns);
    }
    for (uint32_t i = config->instrument_count / 2 + 1; i-- > 0;)
        sift_down(sim, i);
}

int fm_sim_create(const fm_sim_config *config, fm_sim **out)
{
    uint32_t count = config->instrument_count;
    if (count < FM_SIM_INSTRUMENTS_MIN || count > FM_SIM_INSTRUMENTS_MAX || config->session_ns <= 0 ||
        config->start_ns < 0 || config->end_ns <= config->start_ns || !(config->rate > 0) || config->rate > 1e8 ||
        config->anomaly_every_ns < 0)
        return FM_EINVAL;
    fm_sim *sim = calloc(1, sizeof(*sim));
    if (!sim)
        return FM_ENOMEM;
    sim->config = *config;
    sim->heap = calloc(count, sizeof(*sim->heap));
    sim->instrument = calloc(count, sizeof(*sim->instrument));
    if (!sim->heap || !sim->instrument) {
        fm_sim_destroy(sim);
        return FM_ENOMEM;
    }
    begin(sim);
    *out = sim;
    return 0;
}

void fm_sim_destroy(fm_sim *sim)
{
    if (!sim)
        return;
    free(sim->label);
    free(sim->heap);
    free(sim->instrument);
    free(sim);
}

const fm_sim_label *fm_sim_labels(const fm_sim *sim, size_t *count)
{
    *count = sim->label_count;
    return sim->label;
}

int fm_sim_inject(fm_sim *sim, fm_sim_anomaly kind, uint32_t instrument)
{
    if (instrument >= sim->config.instrument_count || (unsigned)kind >= FM_SIM_ANOMALY_COUNT)
        return FM_EINVAL;
    const sim_anomaly *anomaly = &sim->instrument[instrument].anomaly;
    if (anomaly->active && sim->now_ns < anomaly->end_ns)
        return FM_EBUSY;
    return sim_anomaly_begin(sim, kind, instrument, sim->now_ns);
}

uint32_t fm_sim_instrument_count(const fm_sim *sim)
{
    return sim->config.instrument_count;
}

const char *fm_sim_symbol(const fm_sim *sim, uint32_t instrument)
{
    return sim->instrument[instrument].symbol;
}
