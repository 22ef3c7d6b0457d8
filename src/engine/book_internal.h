/* engine/book_internal.h - what the files of the order book share: book.c (events), book_levels.c (sides),
 * book_orders.c (ids and queues), book_save.c (bytes).
 *
 * Sizes: each is 1 .. FM_MAGNITUDE_MAX, and all of a side together stay below FM_BOOK_SIZE_MAX, so that no sum
 * overflows. */
#ifndef FM_ENGINE_BOOK_INTERNAL_H
#define FM_ENGINE_BOOK_INTERNAL_H

#include "engine/book.h"

#include "base/assert.h"

#define FM_BOOK_NONE     UINT32_MAX /* no slot */
#define FM_BOOK_SIZE_MAX (INT64_C(1) << 62)

typedef struct fm_book_order {
    uint64_t id;
    int64_t price, size;
    int64_t added_ns;
    int64_t filled; /* told by notices in the event numbered filled_event, and not yet gone */
    uint64_t filled_event;
    uint32_t previous, next; /* in the queue; `next` also of a free slot */
    uint32_t account;
    uint8_t side;
    bool from_snapshot; /* added_ns is not the time of its add */
    uint16_t unused;
} fm_book_order;

static_assert(sizeof(fm_book_order) == 64, "an order is one cache line");

static inline fm_book_side *fm_book_half(fm_order_book *book, uint8_t side)
{
    return &book->side[side - FM_BUY];
}

static inline bool fm_book_price_good(int64_t price)
{
    return price >= -FM_MAGNITUDE_MAX && price <= FM_MAGNITUDE_MAX;
}

static inline bool fm_book_size_good(int64_t size)
{
    return size > 0 && size <= FM_MAGNITUDE_MAX;
}

static inline bool fm_book_side_good(uint8_t side)
{
    return side == FM_BUY || side == FM_SELL;
}

static inline bool fm_book_better(uint8_t side, int64_t price, int64_t than)
{
    return side == FM_BUY ? price > than : price < than;
}

static inline void fm_book_malformed(fm_order_book *book)
{
    book->counts.malformed++;
}

static inline void fm_book_leave_out(fm_order_book *book)
{
    book->counts.left_out++;
    book->degraded |= FM_BOOK_FULL;
}

static inline bool fm_book_is_now(const fm_event *event)
{
    return !(event->flags & FM_FLAG_SNAPSHOT);
}

/* ---- levels ---- */

/* How many levels are worse than the price: the index of its level, or where that would stand. */
uint32_t fm_book_search(const fm_book_side *half, uint8_t side, int64_t price);

static inline bool fm_book_is_at(const fm_book_side *half, uint32_t index, int64_t price)
{
    return index < half->level_count && half->level[index].price == price;
}

/* A fresh level at `index`, which fm_book_search gave and which is not there. There is room by the limits. */
fm_book_level *fm_book_level_insert(fm_book_side *half, uint32_t index, int64_t price, int64_t ts_ns);
void fm_book_level_remove(fm_book_side *half,
                          uint32_t index); /* its size is the side's no more; its orders are not its matter */
void fm_book_side_free(fm_book_side *half);

/* The level of a price that has none; at the limit the worst makes room, or NULL: the new one would be the worst, and
 * is left out. */
fm_book_level *fm_book_new_level(fm_order_book *book, uint8_t side, uint32_t index, int64_t price, int64_t ts_ns);

void fm_book_apply_level(fm_order_book *book, const fm_event *event); /* FM_BOOK; a clear of both sides has been done */

/* ---- orders ---- */

uint32_t fm_book_slot_of(const fm_order_book *book, uint64_t id); /* FM_BOOK_NONE = not there */
uint32_t fm_book_slot_take(fm_order_book *book, uint64_t id);     /* a fresh one, known by its id */
void fm_book_slot_give(fm_order_book *book, uint32_t slot);       /* the id is unknown again */
void fm_book_slots_clear(fm_order_book *book);

/* The end of the queue of a level; sizes and counts follow. */
void fm_book_queue_add(fm_order_book *book, fm_book_side *half, fm_book_level *level, uint32_t slot);
void fm_book_queue_take(fm_order_book *book, fm_book_side *half, fm_book_level *level, uint32_t slot);

#endif
