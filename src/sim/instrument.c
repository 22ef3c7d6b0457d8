/* sim/instrument.c - the names of the simulated market and how their prices walk.
 *
 * Sectors differ in price, tick and size as real ones do: shares in cents, currency pairs in tenths of a pip, coins
 * with decimals in their sizes. The names are invented on purpose: nobody shall take them for quotes of a real company.
 */
#include "base/fmath.h"
#include "sim/state.h"

#include <math.h>
#include <stdio.h>

typedef struct sector_traits {
    const char *name;
    double price_low, price_high;
    int32_t price_scale, size_scale;
    int64_t tick, lot;
    double size_lots;  /* median of a quote */
    double day_sigma;  /* own volatility over 6.5 h */
    double spread_bps; /* median spread, 1e-4 of the price */
    double beta_market;
} sector_traits;

static const sector_traits sectors[SIM_SECTORS] = {
    {"TECH", 20, 600, 2, 0, 1, 100, 4, 0.012, 2.0, 1.2},    {"BANK", 8, 180, 2, 0, 1, 100, 8, 0.008, 2.0, 1.1},
    {"FX", 0.6, 1.9, 5, 0, 1, 100000, 10, 0.002, 0.6, 0.1}, {"OIL", 15, 150, 2, 0, 1, 100, 5, 0.010, 2.5, 0.9},
    {"COIN", 20, 60000, 2, 3, 1, 10, 60, 0.020, 1.5, 0.8},  {"CHIP", 30, 900, 2, 0, 1, 100, 3, 0.015, 2.0, 1.4},
    {"PHRM", 10, 400, 2, 0, 1, 100, 3, 0.009, 3.0, 0.7},    {"FOOD", 10, 120, 2, 0, 1, 100, 6, 0.006, 3.0, 0.5},
};

#define STEPS_A_SESSION  234000.0 /* grid steps in 6.5 h */
#define MARKET_DAY_SIGMA 0.008
#define SECTOR_DAY_SIGMA 0.006

/* GARCH(1,1) with shocks from 98 % N(0,1) and 2 % N(0,16), scaled to variance 1. Persistence 0.997: half-life 23 s. The
 * fourth moment is finite: alpha^2 * 10.8 + 2 alpha beta + beta^2 = 0.996. */
#define GARCH_ALPHA  0.015
#define GARCH_BETA   0.982
#define JUMP_SHARE   0.02
#define JUMP_SCALE   4.0
#define SHOCK_SD     1.140175425099138 /* sqrt(0.98 + 0.02 * 16) */
#define VARIANCE_MAX 40.0
#define REVERT                                                                                                         \
    2e-6 /* pull to the starting price a step: half-life 9.6 h, so a demo left on for weeks keeps sane prices */

void sim_walk_step(sim_walk *walk, fm_random *random, double sigma)
{
    double shock = fm_random_normal(random) / SHOCK_SD;
    if (fm_random_unit(random) < JUMP_SHARE)
        shock *= JUMP_SCALE;
    walk->level += sigma * sqrt(walk->variance) * shock - REVERT * walk->level;
    double variance = (1 - GARCH_ALPHA - GARCH_BETA) + (GARCH_ALPHA * shock * shock + GARCH_BETA) * walk->variance;
    walk->variance = variance < VARIANCE_MAX ? variance : VARIANCE_MAX;
}

void sim_advance(fm_sim *sim, int64_t ts_ns)
{
    static const double step = 1.0 / 483.73546489791295; /* 1 / sqrt(STEPS_A_SESSION) */
    while (sim->grid_ns + SIM_GRID_NS <= ts_ns) {
        sim->grid_ns += SIM_GRID_NS;
        sim_walk_step(&sim->market, &sim->random, MARKET_DAY_SIGMA * step);
        for (uint32_t i = 0; i < SIM_SECTORS; i++)
            sim_walk_step(&sim->sector[i], &sim->random, SECTOR_DAY_SIGMA * step);
        for (uint32_t i = 0; i < sim->config.instrument_count; i++)
            sim_walk_step(&sim->instrument[i].own, &sim->random, sim->instrument[i].sigma);
    }
}

static void make_one(fm_sim *sim, uint32_t index, uint32_t sector, uint32_t number)
{
    sim_instrument *one = &sim->instrument[index];
    const sector_traits *traits = &sectors[sector];
    fm_random *random = &sim->random;

    snprintf(one->symbol, sizeof(one->symbol), "%s%02u", traits->name, number);
    one->sector = sector;
    one->price_scale = traits->price_scale;
    one->size_scale = traits->size_scale;
    one->tick = traits->tick;
    one->lot = traits->lot;
    one->tick_price = fm_pow(10, -traits->price_scale) * (double)traits->tick;
    double low = fm_log(traits->price_low), high = fm_log(traits->price_high);
    one->log_price = low + (high - low) * fm_random_unit(random);
    one->beta_market = traits->beta_market * (0.7 + 0.6 * fm_random_unit(random));
    one->beta_sector = 0.7 + 0.6 * fm_random_unit(random);
    one->sigma = traits->day_sigma * (0.7 + 0.6 * fm_random_unit(random)) / sqrt(STEPS_A_SESSION);
    double spread = traits->spread_bps * (0.7 + 0.6 * fm_random_unit(random)) * 1e-4 * fm_exp(one->log_price);
    one->spread_ticks = spread / one->tick_price;
    if (one->spread_ticks < 1)
        one->spread_ticks = 1;
    one->size_lots = traits->size_lots;
    one->own.variance = 1;
    one->side = 1;
}

void sim_instruments_make(fm_sim *sim)
{
    uint32_t count = sim->config.instrument_count;
    double total = 0;

    for (uint32_t i = 0; i < count; i++) {
        make_one(sim, i, i % SIM_SECTORS, i / SIM_SECTORS + 1);
        sim->instrument[i].rate = 1 / fm_pow(i + 3, 0.9); /* Zipf-like: few names make most of the traffic */
        total += sim->instrument[i].rate;
    }
    for (uint32_t i = 0; i < count; i++)
        sim->instrument[i].rate *= sim->config.rate / total;
    sim->market.variance = 1;
    for (uint32_t i = 0; i < SIM_SECTORS; i++)
        sim->sector[i].variance = 1;
}
