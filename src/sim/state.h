/* sim/state.h - what the files of the simulator share. Not for others: they use sim/market.h. */
#ifndef FM_SIM_STATE_H
#define FM_SIM_STATE_H

#include "base/random.h"
#include "sim/market.h"

#include <stdbool.h>

#define SIM_SECTORS 8
#define SIM_GRID_NS (100 * FM_NS_PER_MS)

/* A log price that moves on the grid; `variance` is the GARCH state, 1 on average. */
typedef struct sim_walk {
    double level;
    double variance;
} sim_walk;

typedef struct sim_anomaly {
    bool active;
    bool done; /* fat finger: the print is out */
    fm_sim_anomaly kind;
    int64_t start_ns, end_ns;
    double depth; /* flash crash: log distance; fat finger: signed log distance */
} sim_anomaly;

/* What an anomaly does at one moment. */
typedef struct sim_effect {
    double shift;       /* added to the log price */
    double spread;      /* factor */
    double size;        /* factor, quoted */
    double traded;      /* factor, traded */
    double rate;        /* factor; 0 = silent */
    double rate_min;    /* events a second at least */
    double trade_share; /* of events */
    double sell_share;  /* of trades; below 0 = as the flow goes */
} sim_effect;

typedef struct sim_instrument {
    char symbol[16];
    uint32_t sector;
    int32_t price_scale, size_scale;
    int64_t tick, lot;                      /* in units of the scales */
    double tick_price;                      /* the tick as a number */
    double log_price;                       /* where it started */
    double beta_market, beta_sector, sigma; /* sigma: own, a grid step */
    double rate;                            /* events a second on an average moment */
    double spread_ticks, size_lots;
    sim_walk own;
    double side;                          /* of the last trade: +1, -1 */
    int64_t bid, ask, bid_size, ask_size; /* as last quoted; bid 0 = not yet */
    int64_t next_ns;
    sim_anomaly anomaly;
} sim_instrument;

struct fm_sim {
    fm_sim_config config;
    fm_random random;
    sim_walk market;
    sim_walk sector[SIM_SECTORS];
    int64_t grid_ns; /* the walks stand here */
    int64_t now_ns;  /* of the last record or anomaly */
    int64_t plan_ns; /* the next anomaly begins */
    uint32_t plan_index;
    uint8_t plan_order[FM_SIM_ANOMALY_COUNT];
    uint64_t row;
    fm_sim_label *label;
    size_t label_count, label_capacity;
    uint32_t *heap; /* instruments by (next_ns, index) */
    sim_instrument *instrument;
};

void sim_instruments_make(fm_sim *sim);
void sim_walk_step(sim_walk *walk, fm_random *random, double sigma);
void sim_advance(fm_sim *sim, int64_t ts_ns); /* all walks up to the grid point at or before ts_ns */

sim_effect sim_effect_at(const sim_instrument *instrument, int64_t ts_ns);
int sim_anomaly_begin(fm_sim *sim, fm_sim_anomaly kind, uint32_t index, int64_t ts_ns);
int sim_plan(fm_sim *sim); /* begins the planned anomaly at plan_ns and plans the next */

int64_t sim_next_event(fm_sim *sim, const sim_instrument *instrument, int64_t from_ns);
void sim_heap_fix(fm_sim *sim, uint32_t index); /* after next_ns of the instrument has changed */

#endif
