/* script/frame.h - what C and Lua share while a rule runs: one fixed place for each host.
 *
 * The part between the ffi marks becomes LuaJIT's cdef word for word at build time. Integers that compiled loops index
 * with are signed: LuaJIT keeps int32_t and int64_t in integer registers and turns uint32_t into a double. Before a run
 * C sets the upper part. */
#ifndef FM_SCRIPT_FRAME_H
#define FM_SCRIPT_FRAME_H

#include "engine/rules.h"

#include <stdint.h>

/* ffi:begin */
typedef struct fm_event_view { /* the record that a handler sees; NaN where the record has no such field */
    double ts, ts_us;          /* event time in seconds and microseconds since 1970 */
    double price, size, side;  /* trade, book, order; side +1 buy, -1 sell */
    double bid, bid_size, ask, ask_size;
    double value;
    double conditions; /* a bit each */
    double late;       /* 1 when it came behind the domain's time */
    double kind, phase;
    double open, high, low, close, volume, buy_volume, trades; /* bar */
    double interval;                                           /* bar: its length in seconds */
    double order, orders, account; /* order: its number, which above 2^53 is rounded; book: how many; order: a hash */
    double snapshot, more;         /* book, order: 0 or 1 */
    double action;                 /* book, order: fm_book_action, fm_order_action */
} fm_event_view;

typedef struct fm_frame {
    const double *matrix;
    const int32_t *row;
    const uint16_t *column;
    uint8_t *hit;
    int64_t stride; /* of matrix; 64 bits, so that compiled loops multiply integers */
    int32_t budget_preset;
    int32_t budget;   /* checks left for this row; counts down */
    int32_t done;     /* the row that runs now */
    int32_t is_timer; /* of the row that runs now */
    int32_t full;     /* 1: the row failed for want of room for its alerts or timer */
    int32_t logged;   /* ctx.log calls */
    double now;       /* event time of the row, seconds */
    /* of the rule that runs: where its handler reads and writes, in the Lua state's memory */
    double *features, *slots;
    fm_event_view *event;
    void *call, *host; /* C's own */
} fm_frame;
/* ffi:end */

void fm_frame_begin(fm_frame *frame, int32_t k); /* fills the views for row k of a handler's call */
void fm_frame_end(fm_frame *frame);              /* its effects stand: slots written back, done moved on */

extern const char fm_frame_cdef[]; /* generated: the part above */

#endif
