/* sim/anomaly.c - what is injected, when, and what it does to a name while it lasts. */
#include "base/fmath.h"
#include "sim/state.h"

#include <stdlib.h>

static const char *const names[FM_SIM_ANOMALY_COUNT] = {
    "flash_crash", "quote_stuffing", "fat_finger", "stale_feed", "volume_surge", "liquidity_evaporation",
};

static const int64_t shortest_s[FM_SIM_ANOMALY_COUNT] = {45, 6, 2, 30, 20, 20};
static const int64_t longest_s[FM_SIM_ANOMALY_COUNT] = {75, 10, 3, 60, 40, 40};

#define TRADE_SHARE 0.3 /* of events on a usual moment */
#define FALL_SHARE  0.2 /* part of a flash crash in which the price falls */

const char *fm_sim_anomaly_name(fm_sim_anomaly kind)
{
    return (unsigned)kind < FM_SIM_ANOMALY_COUNT ? names[kind] : "unknown";
}

static void effect_of_crash(const sim_anomaly *anomaly, int64_t ts_ns, sim_effect *effect)
{
    double part = (double)(ts_ns - anomaly->start_ns) / (double)(anomaly->end_ns - anomaly->start_ns);
    double fall = part < FALL_SHARE ? part / FALL_SHARE : (1 - part) / (1 - FALL_SHARE);
    effect->shift = -anomaly->depth * fall;
    effect->spread = 1 + 5 * fall;
    effect->size = 0.3;
    effect->traded = 2;
    effect->rate = 4;
    effect->rate_min = 20;
    effect->trade_share = 0.5;
    effect->sell_share = part < FALL_SHARE ? 0.95 : 0.4;
}

sim_effect sim_effect_at(const sim_instrument *instrument, int64_t ts_ns)
{
    const sim_anomaly *anomaly = &instrument->anomaly;
    sim_effect effect = {.spread = 1, .size = 1, .traded = 1, .rate = 1, .trade_share = TRADE_SHARE, .sell_share = -1};

    if (!anomaly->active || ts_ns < anomaly->start_ns || ts_ns >= anomaly->end_ns)
        return effect;
    switch (anomaly->kind) {
    case FM_SIM_FLASH_CRASH:
        effect_of_crash(anomaly, ts_ns, &effect);
        break;
    case FM_SIM_QUOTE_STUFFING:
        effect.rate = 30;
        effect.rate_min = 400;
        effect.trade_share = 0;
        break;
    case FM_SIM_FAT_FINGER: /* the print itself is made in market.c; the rest of the market does not follow */
        effect.rate_min = 10;
        break;
    case FM_SIM_STALE_FEED:
        effect.rate = 0;
        break;
    case FM_SIM_VOLUME_SURGE:
        effect.rate = 4;
        effect.rate_min = 15;
        effect.trade_share = 0.7;
        effect.traded = 12;
        break;
    case FM_SIM_LIQUIDITY_EVAPORATION:
        effect.spread = 15;
        effect.size = 0.05;
        effect.rate_min = 5;
        effect.trade_share = 0.1;
        break;
    case FM_SIM_ANOMALY_COUNT:
        break;
    }
    return effect;
}

static int add_label(fm_sim *sim, const sim_instrument *instrument)
{
    if (sim->label_count == sim->label_capacity) {
        size_t capacity = sim->label_capacity ? 2 * sim->label_capacity : 64;
        fm_sim_label *grown = realloc(sim->label, capacity * sizeof(*grown));
        if (!grown)
            return FM_ENOMEM;
        sim->label = grown;
        sim->label_capacity = capacity;
    }
    const sim_anomaly *anomaly = &instrument->anomaly;
    sim->label[sim->label_count++] =
        (fm_sim_label){anomaly->kind, instrument->symbol, anomaly->start_ns, anomaly->end_ns};
    return 0;
}

int sim_anomaly_begin(fm_sim *sim, fm_sim_anomaly kind, uint32_t index, int64_t ts_ns)
{
    sim_instrument *one = &sim->instrument[index];
    int64_t length_s =
        shortest_s[kind] + (int64_t)fm_random_below(&sim->random, (uint64_t)(longest_s[kind] - shortest_s[kind] + 1));
    double depth = 0.04 + 0.04 * fm_random_unit(&sim->random);

    if (kind == FM_SIM_FAT_FINGER && fm_random_below(&sim->random, 2) == 0)
        depth = -depth;
    one->anomaly = (sim_anomaly){
        .active = true, .kind = kind, .start_ns = ts_ns, .end_ns = ts_ns + length_s * FM_NS_PER_S, .depth = depth};
    int result = add_label(sim, one);
    if (result < 0) {
        one->anomaly.active = false;
        return result;
    }
    /* The rate has changed, so the waiting time is drawn anew; an exponential wait has no memory, so nothing else is
     * lost by it. */
    one->next_ns = sim_next_event(sim, one, ts_ns);
    sim_heap_fix(sim, index);
    return 0;
}

static bool is_free(const fm_sim *sim, uint32_t index, int64_t ts_ns)
{
    const sim_anomaly *anomaly = &sim->instrument[index].anomaly;
    return !anomaly->active || ts_ns >= anomaly->end_ns + 60 * FM_NS_PER_S;
}

static void shuffle(fm_sim *sim)
{
    for (uint32_t i = FM_SIM_ANOMALY_COUNT - 1; i > 0; i--) {
        uint32_t other = (uint32_t)fm_random_below(&sim->random, i + 1);
        uint8_t kept = sim->plan_order[i];
        sim->plan_order[i] = sim->plan_order[other];
        sim->plan_order[other] = kept;
    }
}

int sim_plan(fm_sim *sim)
{
    int64_t ts_ns = sim->plan_ns;
    uint32_t slot = sim->plan_index++ % FM_SIM_ANOMALY_COUNT;
    /* The first round keeps its order: it opens with the flash crash, which every rule set should see. */
    if (slot == 0 && sim->plan_index > 1)
        shuffle(sim);
    fm_sim_anomaly kind = (fm_sim_anomaly)sim->plan_order[slot];
    sim->plan_ns += (int64_t)((0.5 + fm_random_unit(&sim->random)) * (double)sim->config.anomaly_every_ns);

    /* Silence means something only in a name that is never silent: the more active half is drawn from. */
    uint32_t from = sim->config.instrument_count / 2;
    for (uint32_t attempt = 0; attempt < 8; attempt++) {
        uint32_t index = (uint32_t)fm_random_below(&sim->random, from);
        if (is_free(sim, index, ts_ns))
            return sim_anomaly_begin(sim, kind, index, ts_ns);
    }
    return 0; /* everything is upset already */
}
