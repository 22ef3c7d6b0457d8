/* tests/unit/engine/book_events.h - events for the tests of the order book, in a word each. */
#ifndef FM_TESTS_BOOK_EVENTS_H
#define FM_TESTS_BOOK_EVENTS_H

#include "assert_near.h"

#include "engine/book.h"

#include <stdlib.h>
#include <string.h>

#define T0 (INT64_C(1703462400) * FM_NS_PER_S)

static inline fm_event order_event(fm_order_action action, uint64_t id, int side, int64_t price, int64_t size)
{
    fm_event event = {.ts_ns = T0, .kind = FM_ORDER, .side = (uint8_t)side, .seq = FM_SEQ_ABSENT};
    event.as.order = (fm_order){.price = price, .size = size, .order_id = id, .action = (uint8_t)action};
    return event;
}

static inline fm_event level_event(fm_book_action action, int side, int64_t price, int64_t size, uint32_t orders)
{
    fm_event event = {.ts_ns = T0, .kind = FM_BOOK, .side = (uint8_t)side, .seq = FM_SEQ_ABSENT};
    event.as.book = (fm_book){.price = price, .size = size, .order_count = orders, .action = (uint8_t)action};
    return event;
}

static inline fm_event at(int64_t ts_ns, fm_event event)
{
    event.ts_ns = ts_ns;
    return event;
}

static inline fm_event flagged(uint16_t flags, fm_event event)
{
    event.flags = flags;
    return event;
}

static inline fm_event numbered(uint64_t seq, fm_event event)
{
    event.seq = seq;
    return event;
}

static inline uint32_t apply(fm_order_book *book, fm_event event)
{
    return fm_book_apply(book, &event);
}

#define ADD(id, side, price, size)    order_event(FM_ORDER_ADD, id, side, price, size)
#define MODIFY(id, side, price, size) order_event(FM_ORDER_MODIFY, id, side, price, size)
#define CANCEL(id, size)              order_event(FM_ORDER_CANCEL, id, FM_SIDE_NONE, FM_ABSENT, size)
#define EXECUTE(id, size)             order_event(FM_ORDER_EXECUTE, id, FM_SIDE_NONE, FM_ABSENT, size)
#define FILL(id, size)                order_event(FM_ORDER_FILL, id, FM_SIDE_NONE, FM_ABSENT, size)
#define CLEAR()                       order_event(FM_ORDER_CLEAR, 0, FM_SIDE_NONE, FM_ABSENT, FM_ABSENT)
#define SET(side, price, size)        level_event(FM_BOOK_SET, side, price, size, 0)
#define DELETE(side, price)           level_event(FM_BOOK_DELETE, side, price, FM_ABSENT, 0)

static inline fm_order_book *book_of(uint32_t levels_max, uint32_t orders_max)
{
    fm_order_book *book = malloc(sizeof(*book));
    assert_non_null(book);
    fm_book_init(book, &(fm_book_limits){.levels_max = levels_max, .orders_max = orders_max});
    return book;
}

static inline void book_free(fm_order_book *book)
{
    fm_book_fini(book);
    free(book);
}

static inline char *saved(const fm_order_book *book, size_t *size)
{
    *size = fm_book_save_size(book);
    char *bytes = malloc(*size);
    assert_non_null(bytes);
    fm_book_save(book, bytes);
    return bytes;
}

static inline void assert_same_book(const fm_order_book *a, const fm_order_book *b)
{
    size_t a_size, b_size;
    char *a_bytes = saved(a, &a_size), *b_bytes = saved(b, &b_size);
    assert_int_equal(a_size, b_size);
    assert_memory_equal(a_bytes, b_bytes, a_size);
    free(a_bytes);
    free(b_bytes);
}

#endif
