/* engine/partition.h - the state of one partition: what admission knows, and what the fold has made of the log.
 *
 * Admission (admission.h) decides about a record before it is in the log; the fold (fold.h) applies what is in the log. Both are functions of the
 * log alone: live, admission notes each entry as it makes it; in recovery and replay it notes each entry as it reads it. */
#ifndef FM_ENGINE_PARTITION_H
#define FM_ENGINE_PARTITION_H

#include "base/arena.h"
#include "base/event.h"
#include "base/slice.h"
#include "engine/book.h"
#include "engine/cross.h"
#include "engine/reference.h"
#include "engine/rules.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#define FM_STREAMS_MAX 4096 /* (venue, channel) pairs of a partition */
#define FM_STREAM_NONE UINT16_MAX
#define FM_VENUES_MAX  32   /* venues that quote one instrument at once; the longest silent one leaves for a new one */

/* ---- admission's side ---- */

typedef struct fm_domain_entry {
    char    name[FM_NAME_MAX + 1];
    uint8_t name_size;
    bool    live;
    int64_t time_ns; /* newest event time; INT64_MIN before the first record */
} fm_domain_entry;

typedef struct fm_stream_entry {
    uint64_t hash;
    uint16_t venue; /* the first stream with the same venue: one top of book for each venue */
    uint8_t  venue_size, channel_size;
    char     text[2 * FM_NAME_MAX]; /* venue, then channel */
} fm_stream_entry;

typedef struct fm_symbol_entry {
    uint64_t hash; /* of (domain, symbol) */
    uint32_t domain;
    int8_t   price_scale, size_scale;
    uint8_t  symbol_size, venue_size;
    char     symbol[FM_SYMBOL_MAX];
    char     venue[FM_NAME_MAX]; /* of the first record */
} fm_symbol_entry;

/* Rows seen of one source, as pages of bits tagged with the row range that they hold. */
#define FM_ROW_PAGE_BITS 4096u
#define FM_ROW_PAGES_MAX ((1u << 30) / FM_ROW_PAGE_BITS) /* ingest.source_window at most */
typedef struct fm_row_page {
    uint64_t tag; /* row / FM_ROW_PAGE_BITS + 1; 0 = unused */
    uint64_t bits[FM_ROW_PAGE_BITS / 64];
} fm_row_page;

typedef struct fm_source_entry {
    uint64_t      hash;     /* of the name; 0 = forgotten, its place may be taken */
    uint32_t      domain;   /* rows are counted per domain: the same file in another domain is another run */
    uint8_t       name_size;
    char          name[FM_NAME_MAX];
    uint64_t      used_at;  /* sequence of the last record: the least recently used source is forgotten first */
    uint64_t      high;     /* the largest row seen */
    fm_row_page  *page;     /* page_count of them, made with the first row; the system gives memory as they are touched */
    uint32_t      page_count;
} fm_source_entry;

/* The newest venue sequences, first in first out. */
typedef struct fm_sequence_set {
    uint64_t *ring, *table;
    uint32_t  capacity, count, head; /* table has 2 * capacity places */
} fm_sequence_set;

typedef struct fm_admission {
    uint64_t         next_sequence; /* of the log; from 1 */
    fm_domain_entry *domain;
    uint32_t         domain_count, domain_capacity;
    fm_stream_entry *stream; /* [0] is "not named" */
    uint32_t         stream_count, stream_capacity;
    fm_symbol_entry *symbol;
    uint32_t         symbol_count, symbol_capacity;
    uint32_t        *symbol_table; /* open addressing: index + 1 */
    uint32_t         symbol_table_size;
    fm_source_entry *source; /* [0] is "none" */
    uint32_t         source_count, source_capacity;
    fm_sequence_set  sequences;
    uint32_t         last_stream; /* memo of the last lookup */
    uint64_t         sources_forgotten;
} fm_admission;

/* ---- the fold's side ---- */

typedef struct fm_top { /* the best prices of one venue; NaN = no side */
    double   bid, bid_size, ask, ask_size;
    int64_t  bid_ns, ask_ns; /* event time of each side's last word */
    uint32_t venue;
    uint32_t unused;
} fm_top;

/* State of one (rule, series), followed by the rule's slots. */
typedef struct fm_rule_state {
    int64_t  fired_ns;   /* start of the last episode that raised an alert; INT64_MIN = never */
    int64_t  quiet_ns;   /* when that episode last held: cooldown counts from here */
    int64_t  pending_ns; /* since when `when` holds; INT64_MIN = it does not */
    uint64_t pending_position;
    int64_t  due_ns;     /* of its timer; INT64_MAX = none */
    int64_t  heap_ns;    /* when its entry in the heap comes up; INT64_MAX = it has none */
    uint32_t ordinal;    /* alerts with the same start */
    uint32_t unused;
    double   slot[];
} fm_rule_state;

/* What the default series x is of: the first of trades, mids, closes of bars and values that the instrument has ever had. */
typedef enum fm_x_from { FM_X_VALUE, FM_X_BAR, FM_X_MID, FM_X_TRADE } fm_x_from;

/* An instrument's book at one venue, and what of it the fold shows. */
typedef struct fm_venue_book {
    uint32_t      venue; /* as fm_top has it */
    uint32_t      unused;
    fm_order_book book;
} fm_venue_book;

struct fm_layout;
struct fm_plan;

typedef enum fm_cross_value { FM_CROSS_OF_MARKET, FM_CROSS_OF_MEAN, FM_CROSS_OF_SPREAD, FM_CROSS_OF_RANK, FM_CROSS_VALUES } fm_cross_value;

typedef struct fm_series { /* by cache line: what every record reads or writes, quotes, trades, a lone venue's quotes; then the rest */
    alignas(64) uint32_t index;
    uint32_t domain;
    int8_t   price_scale, size_scale;
    uint8_t  x_from;    /* fm_x_from: what may move the default series from now on */
    uint8_t  kinds;     /* a bit for each kind ever seen */
    uint8_t  phase;     /* fm_phase; 0 = not told */
    uint8_t  unused;
    uint16_t top_stream; /* a stream of the venue of top[0]: not state; FM_STREAM_NONE = not looked up */
    const struct fm_layout *layout;
    char    *block; /* kernel states, outputs, rule states: engine/plan.h */
    uint64_t records;
    int64_t  newest_ns;
    int64_t  basis_ns, due_ns; /* records from basis_ns on and before due_ns go the usual way: series_due.h */
    fm_top  *top;
    uint32_t top_count, top_capacity;
    double   bid, ask, bid_size, ask_size, mid; /* consolidated; NaN = none */
    int64_t  last_quote_ns;
    double   price_unit, size_unit; /* how many make one whole: derived from the scales and ratios (fm_series_derive) */
    /* Derived from the block, never state of its own (fm_series_derive): */
    uint64_t rules_ready[FM_RULES_MAX / 64]; /* rules of the layout that miss none of their columns */
    uint64_t ready[4];  /* columns that are not NaN: FM_MASK_WORDS of engine/plan.h */
    uint64_t pending[FM_RULES_MAX / 64]; /* rules whose `when` holds */
    double   last_price, last_size;
    int64_t  last_trade_ns;
    uint8_t  symbol_size, venue_size;
    fm_top   only_top;  /* where `top` is while one venue quotes the instrument */
    double   last_value, last_close;
    int64_t  last_value_ns;
    uint64_t crossed;
    /* Reference data (engine/reference.h): */
    const fm_instrument *instrument; /* in the set that holds; NULL = it is not told of */
    int64_t  actions_ns;  /* actions up to this time are done, or were history; INT64_MIN before the first record */
    double   price_ratio; /* of all actions: prices for kernels are quoted ones times this */
    double   size_ratio;  /* sizes are quoted ones divided by this */
    fm_calendar_span session; /* that its time was in last: not state; empty = to be looked up */
    double   cross[FM_CROSS_VALUES]; /* by fm_cross_value: what other partitions have told; NaN = nothing yet */
    uint64_t published; /* `records` when its latest values were last sent: not state */
    fm_venue_book **book; /* in the order in which venues began to send one */
    uint32_t book_count, book_capacity;
    char     symbol[FM_SYMBOL_MAX + 1];
    char     venue[FM_NAME_MAX + 1];
} fm_series;

/* Its price: of the last trade, else the mid, else the close of the last bar; NaN when it has none. */
static inline double fm_series_price(const fm_series *series)
{
    return series->x_from == FM_X_TRADE ? series->last_price : series->x_from == FM_X_BAR ? series->last_close : series->mid;
}

/* What the fold keeps of a rule in one (partition, domain). */
typedef struct fm_rule_health {
    uint32_t strikes;
    bool     quarantined;
    int64_t  minute_ns; /* of the rate cap: start of the running minute, event time */
    uint32_t minute_count;
    uint64_t alerts, capped, errors, not_ready;
    char     error[160]; /* the last one, with file and line */
} fm_rule_health;

typedef struct fm_timer { /* a heap of them per (partition, domain), by (due, rule, symbol) */
    int64_t  due_ns;
    uint32_t rule, series;
} fm_timer;

typedef struct fm_sector_member { /* prices on the sector's grid, held where there was none: engine/cross.h */
    char    symbol[FM_SYMBOL_MAX + 1];
    int64_t first, slot; /* number of the first grid time, and of the newest; INT64_MIN = none yet */
    double  price[FM_SECTOR_HORIZON + 1]; /* by slot, modulo their number */
} fm_sector_member;

typedef struct fm_sector_state { /* at its home partition */
    char     name[FM_REFERENCE_NAME_MAX + 1];
    int64_t  slot; /* newest grid time that a member has told of */
    fm_sector_member *member; /* ascending by symbol */
    uint32_t member_count, member_capacity;
} fm_sector_state;

typedef struct fm_fold_domain {
    int64_t         time_ns;
    fm_rule_health *health; /* by rule index of the current set */
    uint64_t        quarantined[FM_RULES_MAX / 64]; /* derived from health: a bit each */
    fm_timer       *heap;
    uint32_t        heap_count, heap_capacity;
    fm_sector_state *sector; /* whose home is this partition, in the order of their first record */
    uint32_t        sector_count, sector_capacity;
    int64_t         batch_first_ns; /* smallest time in the batch being filled; INT64_MAX = none: bounds when a timer asked in it can be due */
} fm_fold_domain;

/* A price as it is quoted today: what kernels see is continuous over corporate actions. To the decimals of the series (a middle has one more). */
double fm_series_quoted(const fm_series *series, double price);

typedef struct fm_kill_mark {
    char       rule[FM_RULE_ID_MAX + 1];
    char       hash[33];
    uint64_t   at_sequence; /* the first record that the rule does not see */
    uint32_t   at_timer;    /* and of the timers that fire before it, how many come before the first one that the rule does not see */
    uint32_t   unused;
    char       reason[160]; /* "file:line: message" */
} fm_kill_mark;

typedef struct fm_kill_point { /* see fm_kill_mark */
    uint64_t sequence;
    uint32_t timer, unused;
} fm_kill_point;

typedef struct fm_partition {
    uint32_t        index;
    fm_admission    admission;
    uint64_t        applied;  /* sequence of the last entry applied */
    uint64_t        position; /* data records applied: what evidence counts */
    uint64_t        applied_data_total; /* for the accounting since start */
    struct fm_plan *plan;     /* of the current generation; never NULL */
    const fm_reference_set *reference; /* that holds; NULL = none yet */
    fm_fold_domain *domain;
    uint32_t        domain_count, domain_capacity;
    fm_series     **series;
    uint32_t        series_count, series_capacity;
    fm_kill_mark   *kill;
    uint32_t        kill_count, kill_capacity;
    uint32_t        timers;      /* that have fired before the entry that is being applied */
    fm_kill_point  *killed_from; /* by rule index of the current set: sequence UINT64_MAX = runs */
    bool            any_killed;  /* some rule of the current set has a killed_from */
    uint32_t        book_count;  /* order books of all its series */
    char            build[64];
} fm_partition;

void fm_partition_init(fm_partition *partition, uint32_t index, struct fm_plan *plan);
void fm_partition_fini(fm_partition *partition); /* blocks belong to the plan */

/* The kill of a rule that is known for this partition, applied to the current plan; `note` takes it from its record (FM_KILL, whose text
 * is rule, hash and reason with a NUL between). */
void fm_partition_add_kill(fm_partition *partition, const fm_kill_mark *mark);
void fm_partition_note_kill(fm_partition *partition, const fm_event *event);
void fm_kill_reason(const fm_error *error, char out[160]);
void fm_partition_refresh_kills(fm_partition *partition);
static inline bool fm_partition_kills(const fm_partition *partition, uint32_t rule, uint64_t sequence, uint32_t timer)
{
    const fm_kill_point *from = &partition->killed_from[rule];
    return sequence > from->sequence || (sequence == from->sequence && timer >= from->timer);
}

/* Grows *array to hold `need` elements of `size` bytes, doubling; aborts when memory is exhausted. Off the tick path. */
void *fm_grow(void *array, uint32_t *capacity, uint32_t need, size_t size);

#endif
