/* engine/cross.h - values of other partitions: the market that an instrument is compared with, its place within its sector.
 *
 * No partition reads another's state. A partition whose instrument others are compared with says its price on a grid of
 * event time; the engine carries it over and appends it to the log of the partition that reads it, as an FM_CROSS record
 * with the position where it comes from. A fold, live or later, uses what is recorded. When such a record comes relative
 * to others is up to the threads; that it came there is in the log.
 *
 *   market   every FM_MARKET_GRID_NS of its own records' time: the price of the market, to each partition that has an
 *            instrument compared with it
 *   member   every FM_SECTOR_GRID_NS: the price of an instrument of a sector, to the sector's home partition
 *   sector   when the home partition sees the next grid time: mean and standard deviation of the members' log returns
 *            over FM_SECTOR_HORIZON slots, and each member's rank, to each partition that has members
 *
 * Members whose newest price is older than the horizon are left out; below FM_SECTOR_LEAST there is no comparison. */
#ifndef FM_ENGINE_CROSS_H
#define FM_ENGINE_CROSS_H

#include "base/error.h"
#include "base/event.h"
#include "base/slice.h"

#include <stdint.h>

#define FM_MARKET_GRID_NS FM_NS_PER_S
#define FM_SECTOR_GRID_NS (5 * FM_NS_PER_S)
#define FM_SECTOR_HORIZON 12 /* slots of the sector's grid: a minute */
#define FM_SECTOR_LEAST   3
#define FM_SECTOR_MEMBERS 4096 /* of one sector in one domain; further ones are not compared, and counted */
#define FM_CROSS_BYTES    880  /* of a record's text at most: a sector of more members goes in several */

typedef enum fm_cross_kind { FM_CROSS_MARKET = 1, FM_CROSS_MEMBER = 2, FM_CROSS_RANKS = 3 } fm_cross_kind;

/* The text of an FM_CROSS record, whose index is the kind, domain the reader's domain, ts_ns the grid time, and
 * at_sequence the position of the value: these numbers, the names with a NUL behind each, then entries. */
typedef struct fm_cross_text {
    double value;  /* market, member: the price; ranks: mean of the log returns */
    double spread; /* ranks: their standard deviation */
    uint32_t count; /* ranks: entries behind the name */
    uint32_t unused;
} fm_cross_text;

typedef struct fm_cross_rank {
    uint64_t symbol_hash;
    double rank; /* share of the members with a lower return, half of the equal ones; 0 … 1 */
} fm_cross_rank;

typedef struct fm_cross { /* what a fold has to say */
    uint64_t targets;     /* partitions, a bit each */
    fm_slice domain;
    fm_cross_kind kind;
    int64_t grid_ns;
    uint64_t position;
    fm_slice text;
} fm_cross;

struct fm_fold;
struct fm_partition;
struct fm_series;
struct fm_sector_state;

/* The next grid time behind ts_ns; saturates. */
int64_t fm_grid_next(int64_t ts_ns, int64_t grid_ns);

/* A record of `series` is about to be applied and time has passed a grid point: says the price as of the record before. */
void fm_cross_publish(struct fm_fold *fold, const struct fm_partition *partition, const struct fm_series *series, int64_t ts_ns);

/* Applies an FM_CROSS record. FM_ECORRUPT when its text is none. */
int fm_cross_apply(struct fm_fold *fold, struct fm_partition *partition, const fm_event *event, fm_error *error) FM_CHECKED;

#endif
