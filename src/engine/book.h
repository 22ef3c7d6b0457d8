/* engine/book.h - the order book of one instrument on one venue, from events of levels (FM_BOOK, L2) or orders
 * (FM_ORDER, L3).
 *
 * Input is never asserted: an order that nobody added, one added twice, a size that cannot be, is counted and the
 * book goes on. No clock is read and the hash table is never walked: the same events give the same book, and
 * fm_book_save the same bytes, whatever was saved and loaded in between.
 *
 * Form: the first event says whether the book is one of levels or of orders. Events of the other form are counted and
 * change nothing, until a clear of that form.
 *
 * Events: a venue's event is one or more records; all but its last carry FM_FLAG_MORE. Within it a book may be
 * crossed for a moment: read it when fm_book_apply says FM_BOOK_ENDED.
 *
 * Units: integers in the scales of the series (value = integer / 10^scale). Prices may be negative. When the series'
 * scales grow, call fm_book_rescale.
 *
 * Orders: priority is price, then time. A modify keeps the order's place only if the price stays and the size does
 * not grow. A modify of an unknown order is counted, and the order taken if side, price and size are given. A second
 * add of an id is counted and replaces the first: what the feed said last holds. FM_ORDER_FILL changes no size; what
 * leaves the order later in the same event, up to the filled size, is executed and not cancelled.
 *
 * Snapshots: records with FM_FLAG_SNAPSHOT fill the book as others do, after a clear; they count as no churn, and the
 * age of their orders is not known.
 *
 * Full: at `levels_max` a better level drives out the worst of its side; at `orders_max` a better order drives out
 * the last one of its side's worst level (of the other side's, when its own is empty); one that is no better does not
 * come in. So what stands near the touch is right, and `degraded` says that the rest is not whole, until the next
 * clear.
 *
 * Memory: every book has arrays that double up to the limits, so that ten thousand books that hold little take
 * little: CME's ES has 5,000 orders, most instruments far fewer; room for orders_max in each would be gigabytes.
 * Doubling happens a dozen times in a book's life and leaves no trace in results. 80 to 160 bytes an order with its
 * place in the hash table, 60 to 150 a level.
 *
 * Cost (bench.book): 70 to 80 ns for an order event of the ES sample, 45 ns for a level near the touch, 30 ns to save
 * an order. A level is found from the touch outwards, by doubling steps and bisection, and made or removed by moving
 * those between it and the nearer end: 28 * levels_max bytes at most. Ids chosen to collide would
 * cost time, nothing else, and nobody can choose them who does not know id_seed. */
#ifndef FM_ENGINE_BOOK_H
#define FM_ENGINE_BOOK_H

#include "base/error.h"
#include "base/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FM_BOOK_LEVELS_MAX (1u << 20) /* what the limits may be at most */
#define FM_BOOK_ORDERS_MAX (1u << 24)

typedef struct fm_book_limits {
    uint32_t levels_max; /* a side; 1 .. FM_BOOK_LEVELS_MAX */
    uint32_t orders_max; /* 1 .. FM_BOOK_ORDERS_MAX */
    uint64_t id_seed;    /* of the table of ids: changes no result; one that nobody knows keeps chosen ids apart */
    bool contiguous;     /* `seq` counts this book's events one by one: one that is left out degrades the book */
} fm_book_limits;

typedef enum fm_book_form { FM_BOOK_OF_NOTHING = 0, FM_BOOK_OF_LEVELS = 1, FM_BOOK_OF_ORDERS = 2 } fm_book_form;
typedef enum fm_book_crossing { FM_BOOK_APART = 0, FM_BOOK_LOCKED = 1, FM_BOOK_CROSSED = 2 } fm_book_crossing;

/* Why a book is degraded, a bit each. */
#define FM_BOOK_FULL    1u /* a limit was reached and something left out */
#define FM_BOOK_GAP     2u /* events are missing (limits.contiguous) */
#define FM_BOOK_UNKNOWN 4u /* an order changed that had never come: the book began late, or records were lost */
#define FM_BOOK_LOST    8u /* something could not be kept when the scales grew */

/* What a record did, a bit each, from fm_book_apply. */
#define FM_BOOK_ENDED   1u /* the venue's event ended: best prices, depth and crossing may be read */
#define FM_BOOK_TOUCHED 2u /* with ENDED: the best price, size or order count of a side is not that of the last end */
#define FM_BOOK_ACTED   4u /* `change` tells what an order did; never for levels, snapshots, clears, unknown orders */

typedef struct fm_book_churn { /* records, not sizes */
    uint64_t adds, modifies, cancels, executes;
} fm_book_churn;

typedef struct fm_book_level {
    int64_t price;
    int64_t size;         /* sum of what rests */
    int64_t since_ns;     /* event time at which it appeared */
    uint32_t orders;      /* a book of levels: as told, 0 = not told */
    uint32_t first, last; /* of its queue, for the book */
    uint32_t adds, modifies, cancels,
        executes; /* since it appeared; a modify counts where the order rests afterwards */
    uint32_t unused;
} fm_book_level;

/* What the last record did to an order. */
typedef struct fm_book_change {
    uint8_t
        action;   /* FM_ORDER_ADD, _MODIFY, _CANCEL, _EXECUTE: what it was, if not what the record says; 0 = nothing */
    uint8_t side; /* FM_BUY, FM_SELL */
    bool lost_place;  /* a modify that went to the end of a queue */
    bool at_touch;    /* its price was the best of its side before the record; of an add: is the best now */
    uint32_t account; /* 0 = not known */
    uint64_t order_id;
    int64_t price;    /* where it rests, or rested last */
    int64_t size;     /* that came (add), that rests from now on (modify), that left (cancel, execute) */
    int64_t rest;     /* that rests from now on; 0 = the order is gone */
    int64_t executed; /* of what left: less than `size` when more left than was filled */
    int64_t age_ns;   /* since the order was added, >= 0; -1 = not known */
} fm_book_change;

typedef struct fm_book_counts { /* since the book was made */
    uint64_t records;           /* applied */
    uint64_t events;            /* of the venue, ended */
    uint64_t unknown;           /* modify, cancel or execute of an order that is not there */
    uint64_t passing;           /* fills of orders that do not rest here: stops and market orders, no fault */
    uint64_t duplicate;         /* add of an order that is there */
    uint64_t malformed;         /* side, price, size or action that cannot be */
    uint64_t other_form;        /* records of levels for a book of orders, and the other way round */
    uint64_t left_out;          /* orders and levels that a limit kept out or drove out */
    uint64_t crossed, locked;   /* event ends at which the book was so */
    uint64_t gaps;              /* jumps of `seq` (limits.contiguous) */
    uint64_t backwards;         /* `seq` below the one before, snapshots aside */
    uint64_t clears;
} fm_book_counts;

typedef struct fm_book_side {
    fm_book_level *level;                              /* the best is the last */
    uint32_t level_count, level_capacity, room_before; /* of the array: free levels before `level` */
    int64_t size;                                      /* of all levels; below 2^62 */
    fm_book_churn churn;                               /* since the last clear */
} fm_book_side;

typedef struct fm_book_touch {
    int64_t price, size; /* FM_ABSENT and 0 without a level */
    uint32_t orders, unused;
} fm_book_touch;

struct fm_book_order;

typedef struct fm_order_book {
    fm_book_side side[2]; /* bids, asks: [side - FM_BUY] */
    uint8_t form;         /* fm_book_form */
    uint8_t crossing;     /* fm_book_crossing, at the last event's end */
    uint8_t degraded;     /* FM_BOOK_FULL ...; 0 = as good as the feed */
    bool open;            /* within a venue's event */
    fm_book_change change;
    fm_book_counts counts;
    int64_t newest_ns;      /* newest event time; INT64_MIN before the first */
    int64_t cleared_ns;     /* event time of the last clear; INT64_MIN = none */
    uint64_t seq;           /* of the last record that had one; FM_SEQ_ABSENT = none */
    fm_book_touch touch[2]; /* at the last event's end */
    fm_book_limits limits;
    /* Orders, for the book: slots, a list of the free ones among them, and where an id is. */
    struct fm_book_order *order;
    uint32_t order_count, order_used, order_capacity, order_free;
    uint64_t *table; /* open addressing: upper half of the id's hash, then slot + 1; 0 = empty */
    uint32_t table_size;
} fm_order_book;

void fm_book_init(fm_order_book *book,
                  const fm_book_limits *limits); /* empty; takes no memory before the first record */
void fm_book_fini(fm_order_book *book);

/* Applies an event of kind FM_BOOK or FM_ORDER; gives FM_BOOK_ENDED and so on. Aborts only when memory is exhausted. */
uint32_t fm_book_apply(fm_order_book *book, const fm_event *event);

/* Everything resting goes, and with it `degraded`; counts stay. For a venue that is told to be silent or to start anew.
 */
void fm_book_clear(fm_order_book *book, int64_t ts_ns);

/* The scales of the series grew: prices times 10^price_power, sizes times 10^size_power (0..18). What leaves the range
 * of magnitudes (2^53) goes, is counted as left out, and degrades the book. */
void fm_book_rescale(fm_order_book *book, int price_power, int size_power);

/* A level of FM_BUY or FM_SELL, 0 = the best; NULL when there are fewer. Until the next call that changes the book. */
static inline const fm_book_level *fm_book_level_at(const fm_order_book *book, fm_side side, uint32_t depth)
{
    const fm_book_side *half = &book->side[side - FM_BUY];
    return depth < half->level_count ? &half->level[half->level_count - 1 - depth] : NULL;
}

int64_t fm_book_depth(const fm_order_book *book, fm_side side,
                      uint32_t levels); /* size resting in the best `levels` levels */

/* (bid depth - ask depth) / (bid depth + ask depth) of the best `levels`, -1 to 1; NaN when nothing rests. */
double fm_book_imbalance(const fm_order_book *book, uint32_t levels);

/* Seconds since the order of `change` was added; NaN when not known. */
double fm_book_age_s(const fm_book_change *change);

/* A resting order and its place in the queue; the cost grows with the place. */
typedef struct fm_book_place {
    uint8_t side;
    bool from_snapshot;
    uint32_t account;
    int64_t price, size;
    int64_t added_ns;   /* event time of its add, or of the snapshot */
    int64_t size_ahead; /* that would be filled before it at its price */
    uint32_t orders_ahead;
    uint32_t unused;
} fm_book_place;
bool fm_book_find(const fm_order_book *book, uint64_t order_id, fm_book_place *out); /* false = it does not rest here */

/* State as bytes: levels from the worst to the best, orders as they queue. Equal books give equal bytes, whatever
 * memory they grew into. `load` makes the book of an initialised, empty one: FM_ECORRUPT, and the book stays empty,
 * when the bytes contradict themselves; limits are those of `book`, and hold for what comes later. */
size_t fm_book_save_size(const fm_order_book *book);
void fm_book_save(const fm_order_book *book, void *out);
int fm_book_load(fm_order_book *book, const void *data, size_t size) FM_CHECKED;

size_t fm_book_bytes(const fm_order_book *book); /* memory that it holds, beside the struct */

#endif
