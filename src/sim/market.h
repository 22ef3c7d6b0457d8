/* sim/market.h - a seeded market: trades and quotes of many instruments in order of event time, with labelled
 * anomalies.
 *
 * For the demo, for tests and for anyone who has no feed at hand. It has the traits that rules stumble over in real
 * data:
 *   - one market factor and one factor a sector move all names together;
 *   - volatility clusters (GARCH(1,1) on a 100 ms grid, Bollerslev 1986) and jumps are fat (a normal mixture), so a
 * quiet half hour does not promise a quiet next minute;
 *   - activity follows a U over the session (busy at open and close) and differs a hundredfold between names;
 *   - prices stand on ticks, trades happen at the quoted bid or ask and their sides persist, spreads widen with
 * volatility. Into it anomalies are injected, one at a time a name, and every one is labelled: what, which symbol, from
 * when to when.
 *
 * Sessions follow each other without nights. Same config, same records, on every machine: the only randomness is
 * `seed`, the only mathematics base/fmath. One thread a simulator; nothing is allocated by fm_sim_next but the list of
 * labels. ~250 ns a record. */
#ifndef FM_SIM_MARKET_H
#define FM_SIM_MARKET_H

#include "base/error.h"
#include "base/record.h"

#include <stddef.h>
#include <stdint.h>

#define FM_SIM_INSTRUMENTS_MIN 10
#define FM_SIM_INSTRUMENTS_MAX 4096

typedef enum fm_sim_anomaly {
    FM_SIM_FLASH_CRASH,           /* falls 4..8 % in seconds on sells, comes back within a minute */
    FM_SIM_QUOTE_STUFFING,        /* hundreds of quotes a second that say nothing new, no trades */
    FM_SIM_FAT_FINGER,            /* one print far from the market, fifty times the usual size */
    FM_SIM_STALE_FEED,            /* an active name goes silent */
    FM_SIM_VOLUME_SURGE,          /* many more and much larger trades, price unmoved */
    FM_SIM_LIQUIDITY_EVAPORATION, /* the spread opens, the sizes vanish */
    FM_SIM_ANOMALY_COUNT
} fm_sim_anomaly;

typedef struct fm_sim_config {
    uint64_t seed;
    uint32_t instrument_count; /* FM_SIM_INSTRUMENTS_MIN..MAX; preset 60 */
    int64_t start_ns;          /* event time of the first record */
    int64_t end_ns;            /* no record at or after it; INT64_MAX = never ends */
    int64_t session_open_ns;   /* when a session opens; the curve repeats every session_ns before and after */
    int64_t session_ns;        /* preset 6.5 h */
    double rate;               /* records a second over all names, the session's mean; preset 1000 */
    int64_t anomaly_first_ns;  /* event time of the first anomaly */
    int64_t anomaly_every_ns;  /* mean distance of the next ones; 0 = none at all; preset 45 s */
} fm_sim_config;

extern const fm_sim_config fm_sim_config_preset; /* start_ns 0: 2024-01-02T14:30:00Z */

typedef struct fm_sim_label {
    fm_sim_anomaly kind;
    const char *symbol; /* valid as long as the simulator */
    int64_t start_ns;
    int64_t end_ns; /* the market is as usual again from here on */
} fm_sim_label;

typedef struct fm_sim fm_sim;

int fm_sim_create(const fm_sim_config *config, fm_sim **out) FM_CHECKED; /* FM_EINVAL, FM_ENOMEM */
void fm_sim_destroy(fm_sim *sim);

/* 1: *out is filled, ts_ns never falls, record->row counts from 1, texts are valid as long as the simulator. 0: end_ns
 * is reached. */
int fm_sim_next(fm_sim *sim, fm_record *out) FM_CHECKED;
int64_t
fm_sim_peek_ns(const fm_sim *sim); /* event time of the next record, or an earlier moment at which an anomaly begins */

/* What has been injected so far, in order of start; valid until the next fm_sim_next. */
const fm_sim_label *fm_sim_labels(const fm_sim *sim, size_t *count);
const char *fm_sim_anomaly_name(fm_sim_anomaly kind); /* "flash_crash", …; static */

/* Begins an anomaly at the event time reached. FM_EINVAL: no such instrument; FM_EBUSY: the name has one now. */
int fm_sim_inject(fm_sim *sim, fm_sim_anomaly kind, uint32_t instrument) FM_CHECKED;

uint32_t fm_sim_instrument_count(const fm_sim *sim);
const char *fm_sim_symbol(const fm_sim *sim, uint32_t instrument); /* most active first */
double fm_sim_activity(const fm_sim *sim,
                       int64_t ts_ns); /* the session's curve: mean 1, twice that at open and close */

#endif
