/* engine/book.c - what each record does to the book. A record that cannot be is counted and changes nothing. */
#include "engine/book_internal.h"

#include <stdlib.h>

void fm_book_init(fm_order_book *book, const fm_book_limits *limits)
{
    FM_ASSERT(limits->levels_max >= 1 && limits->levels_max <= FM_BOOK_LEVELS_MAX);
    FM_ASSERT(limits->orders_max >= 1 && limits->orders_max <= FM_BOOK_ORDERS_MAX);
    *book = (fm_order_book){.limits = *limits,
                            .newest_ns = INT64_MIN,
                            .cleared_ns = INT64_MIN,
                            .seq = FM_SEQ_ABSENT,
                            .touch = {{.price = FM_ABSENT}, {.price = FM_ABSENT}},
                            .order_free = FM_BOOK_NONE};
}

void fm_book_fini(fm_order_book *book)
{
    fm_book_side_free(&book->side[0]);
    fm_book_side_free(&book->side[1]);
    free(book->order);
    free(book->table);
    *book = (fm_order_book){0};
}

void fm_book_clear(fm_order_book *book, int64_t ts_ns)
{
    for (int i = 0; i < 2; i++) {
        book->side[i].level_count = 0;
        book->side[i].size = 0;
        book->side[i].churn = (fm_book_churn){0};
    }
    fm_book_slots_clear(book);
    book->form = FM_BOOK_OF_NOTHING;
    book->degraded = 0;
    book->seq = FM_SEQ_ABSENT;
    book->cleared_ns = ts_ns;
    book->counts.clears++;
}

/* ---- a book of orders ---- */

static int64_t age_of(const fm_book_order *order, int64_t ts_ns)
{
    int64_t age;
    if (order->from_snapshot)
        return -1;
    if (ts_ns <= order->added_ns)
        return 0;
    return __builtin_sub_overflow(ts_ns, order->added_ns, &age) ? INT64_MAX : age;
}

static void tell(fm_order_book *book, const fm_event *event, const fm_book_order *order, fm_order_action action,
                 bool at_touch)
{
    book->change = (fm_book_change){.action = (uint8_t)action,
                                    .side = order->side,
                                    .at_touch = at_touch,
                                    .account = order->account,
                                    .order_id = order->id,
                                    .price = order->price,
                                    .size = order->size,
                                    .rest = order->size,
                                    .age_ns = age_of(order, event->ts_ns)};
}

static bool is_touch(const fm_book_side *half, const fm_book_level *level)
{
    return level == &half->level[half->level_count - 1];
}

/* The level of a resting order. */
static uint32_t level_of(const fm_order_book *book, const fm_book_order *order)
{
    const fm_book_side *half = &book->side[order->side - FM_BUY];
    uint32_t index = fm_book_search(half, order->side, order->price);
    FM_ASSERT(fm_book_is_at(half, index, order->price));
    return index;
}

/* Out of its queue; a level without orders is none. */
static void lift(fm_order_book *book, uint32_t slot, uint32_t index)
{
    fm_book_side *half = fm_book_half(book, book->order[slot].side);
    fm_book_queue_take(book, half, &half->level[index], slot);
    if (half->level[index].orders == 0)
        fm_book_level_remove(half, index);
}

/* To the end of the queue at its price; NULL when a limit leaves it out, and then the order is gone. */
static fm_book_level *settle(fm_order_book *book, uint32_t slot, int64_t ts_ns)
{
    const fm_book_order *order = &book->order[slot];
    fm_book_side *half = fm_book_half(book, order->side);
    uint32_t index = fm_book_search(half, order->side, order->price);
    fm_book_level *level = fm_book_is_at(half, index, order->price)
                               ? &half->level[index]
                               : fm_book_new_level(book, order->side, index, order->price, ts_ns);
    if (level == NULL)
        fm_book_slot_give(book, slot);
    else
        fm_book_queue_add(book, half, level, slot);
    return level;
}

/* At the limit of orders, room for one more at this price; false = it is no better than the worst that rest. */
static bool order_room(fm_order_book *book, uint8_t side, int64_t price)
{
    if (FM_LIKELY(book->order_count < book->limits.orders_max))
        return true;
    fm_book_side *own = fm_book_half(book, side), *half = own;
    if (own->level_count == 0)
        half = own == book->side ? own + 1 : own - 1;
    if (half == own && !fm_book_better(side, price, own->level[0].price))
        return false;
    uint32_t slot = half->level[0].last;
    lift(book, slot, 0);
    fm_book_slot_give(book, slot);
    fm_book_leave_out(book);
    return true;
}

/* A fresh order, known to be good. */
static void insert(fm_order_book *book, const fm_event *event, bool known)
{
    const fm_order *word = &event->as.order;
    if (!order_room(book, event->side, word->price)) {
        fm_book_leave_out(book);
        return;
    }
    uint32_t slot = fm_book_slot_take(book, word->order_id);
    fm_book_order *order = &book->order[slot];
    order->side = event->side;
    order->price = word->price;
    order->size = word->size;
    order->added_ns = event->ts_ns;
    order->account = word->account;
    order->from_snapshot = !known || !fm_book_is_now(event);
    fm_book_level *level = settle(book, slot, event->ts_ns);
    if (level == NULL || !known || !fm_book_is_now(event))
        return;
    fm_book_side *half = fm_book_half(book, event->side);
    level->adds++;
    half->churn.adds++;
    tell(book, event, order, FM_ORDER_ADD, is_touch(half, level));
}

static bool insertable(const fm_order_book *book, const fm_event *event)
{
    const fm_order *word = &event->as.order;
    return fm_book_side_good(event->side) && fm_book_price_good(word->price) && fm_book_size_good(word->size) &&
           book->side[event->side - FM_BUY].size <= FM_BOOK_SIZE_MAX - word->size;
}

static void order_add(fm_order_book *book, const fm_event *event)
{
    if (!insertable(book, event)) {
        fm_book_malformed(book);
        return;
    }
    uint32_t slot = fm_book_slot_of(book, event->as.order.order_id);
    if (FM_UNLIKELY(slot != FM_BOOK_NONE)) {
        book->counts.duplicate++;
        lift(book, slot, level_of(book, &book->order[slot]));
        fm_book_slot_give(book, slot);
    }
    insert(book, event, true);
}

/* `left` of the order goes, and `executed` of that by a fill. */
static void leave(fm_order_book *book, const fm_event *event, uint32_t slot, int64_t left, int64_t executed)
{
    fm_book_order *order = &book->order[slot];
    fm_book_side *half = fm_book_half(book, order->side);
    uint32_t index = level_of(book, order);
    fm_book_level *level = &half->level[index];
    if (fm_book_is_now(event)) {
        tell(book, event, order, executed > 0 ? FM_ORDER_EXECUTE : FM_ORDER_CANCEL, is_touch(half, level));
        book->change.size = left;
        book->change.rest = order->size - left;
        book->change.executed = executed;
        level->executes += executed > 0;
        level->cancels += executed == 0;
        half->churn.executes += executed > 0;
        half->churn.cancels += executed == 0;
    }
    if (left == order->size) {
        lift(book, slot, index);
        fm_book_slot_give(book, slot);
        return;
    }
    order->size -= left;
    level->size -= left;
    half->size -= left;
}

/* Of what leaves, what a notice of this event has told to be filled; it is used up by that. */
static int64_t use_fill(const fm_order_book *book, fm_book_order *order, int64_t left)
{
    if (FM_LIKELY(order->filled_event != book->counts.events))
        return 0;
    int64_t executed = order->filled < left ? order->filled : left;
    order->filled -= executed;
    return executed;
}

static void unknown(fm_order_book *book)
{
    book->counts.unknown++;
    book->degraded |= FM_BOOK_UNKNOWN;
}

static void order_leave(fm_order_book *book, const fm_event *event)
{
    const fm_order *word = &event->as.order;
    const bool executes = word->action == FM_ORDER_EXECUTE;
    uint32_t slot = fm_book_slot_of(book, word->order_id);
    if (slot == FM_BOOK_NONE) {
        unknown(book);
        return;
    }
    fm_book_order *order = &book->order[slot];
    int64_t left = word->size == FM_ABSENT && !executes ? order->size : word->size;
    if (!fm_book_size_good(left)) {
        fm_book_malformed(book);
        return;
    }
    left = left < order->size ? left : order->size;
    int64_t filled = use_fill(book, order, left);
    leave(book, event, slot, left, executes ? left : filled);
}

static void order_fill(fm_order_book *book, const fm_event *event)
{
    if (!fm_book_size_good(event->as.order.size)) {
        fm_book_malformed(book);
        return;
    }
    uint32_t slot = fm_book_slot_of(book, event->as.order.order_id);
    if (slot == FM_BOOK_NONE) {
        book->counts.passing++;
        return;
    }
    fm_book_order *order = &book->order[slot];
    int64_t filled = order->filled_event == book->counts.events ? order->filled : 0;
    int64_t room = FM_MAGNITUDE_MAX - filled;
    order->filled = filled + (event->as.order.size < room ? event->as.order.size : room);
    order->filled_event = book->counts.events;
}

/* The order rests elsewhere, or at the end of its queue. */
static void move(fm_order_book *book, const fm_event *event, uint32_t slot, uint8_t side, int64_t price, int64_t size)
{
    fm_book_order *order = &book->order[slot];
    fm_book_side *half = fm_book_half(book, order->side);
    uint32_t index = level_of(book, order);
    fm_book_level *level = &half->level[index];
    bool touch = is_touch(half, level), stays = side == order->side && price == order->price;
    if (stays) /* the level stays, also if nothing else rests there */
        fm_book_queue_take(book, half, level, slot);
    else
        lift(book, slot, index);
    order->side = side;
    order->price = price;
    order->size = size;
    half = fm_book_half(book, side);
    tell(book, event, order, FM_ORDER_MODIFY, touch);
    book->change.lost_place = true;
    if (stays)
        fm_book_queue_add(book, half, level, slot);
    else
        level = settle(book, slot, event->ts_ns);
    if (level == NULL)
        book->change.rest = 0;
    if (!fm_book_is_now(event)) {
        book->change.action = 0;
        return;
    }
    half->churn.modifies++;
    if (level != NULL)
        level->modifies++;
}

/* The order keeps its place; its size may shrink. */
static void resize(fm_order_book *book, const fm_event *event, uint32_t slot, int64_t size)
{
    fm_book_order *order = &book->order[slot];
    fm_book_side *half = fm_book_half(book, order->side);
    fm_book_level *level = &half->level[level_of(book, order)];
    level->size += size - order->size;
    half->size += size - order->size;
    order->size = size;
    if (fm_book_is_now(event)) {
        level->modifies++;
        half->churn.modifies++;
        tell(book, event, order, FM_ORDER_MODIFY, is_touch(half, level));
    }
}

static void order_modify(fm_order_book *book, const fm_event *event)
{
    const fm_order *word = &event->as.order;
    uint32_t slot = fm_book_slot_of(book, word->order_id);
    if (slot == FM_BOOK_NONE) {
        unknown(book);
        if (insertable(book, event))
            insert(book, event, false);
        return;
    }
    fm_book_order *order = &book->order[slot];
    const uint8_t side = event->side == FM_SIDE_NONE ? order->side : event->side;
    const int64_t price = word->price == FM_ABSENT ? order->price : word->price;
    const int64_t size = word->size == FM_ABSENT ? order->size : word->size;
    if (!fm_book_side_good(side) || !fm_book_price_good(price) || (size != 0 && !fm_book_size_good(size)) ||
        fm_book_half(book, side)->size - (side == order->side ? order->size : 0) > FM_BOOK_SIZE_MAX - size) {
        fm_book_malformed(book);
        return;
    }
    if (word->account != 0)
        order->account = word->account;
    const bool stays = side == order->side && price == order->price && size <= order->size;
    const int64_t left = stays ? order->size - size : size == 0 ? order->size : 0;
    const int64_t executed = left > 0 ? use_fill(book, order, left) : 0;
    if (size == 0 || executed > 0)
        leave(book, event, slot, left, executed);
    else if (stays)
        resize(book, event, slot, size);
    else
        move(book, event, slot, side, price, size);
}

static void apply_order(fm_order_book *book, const fm_event *event)
{
    switch (event->as.order.action) {
    case FM_ORDER_ADD:
        order_add(book, event);
        return;
    case FM_ORDER_MODIFY:
        order_modify(book, event);
        return;
    case FM_ORDER_CANCEL:
    case FM_ORDER_EXECUTE:
        order_leave(book, event);
        return;
    case FM_ORDER_FILL:
        order_fill(book, event);
        return;
    default:
        fm_book_malformed(book);
    }
}

double fm_book_age_s(const fm_book_change *change)
{
    return change->action == 0 || change->age_ns < 0 ? (double)NAN : (double)change->age_ns / 1e9;
}

/* ---- both ---- */

static void look_at_seq(fm_order_book *book, const fm_event *event)
{
    const uint64_t seq = event->seq;
    if (seq == FM_SEQ_ABSENT)
        return;
    if (book->seq != FM_SEQ_ABSENT && fm_book_is_now(event)) {
        if (seq < book->seq) {
            book->counts.backwards++;
        } else if (book->limits.contiguous && seq - book->seq > 1) {
            book->counts.gaps++;
            book->degraded |= FM_BOOK_GAP;
        }
    }
    if (fm_book_is_now(event) || book->seq == FM_SEQ_ABSENT || seq > book->seq)
        book->seq = seq;
}

/* The venue's event is whole: how do the sides stand. */
static uint32_t end_event(fm_order_book *book)
{
    uint32_t result = FM_BOOK_ENDED;
    book->counts.events++;
    for (int i = 0; i < 2; i++) {
        const fm_book_side *half = &book->side[i];
        const fm_book_level *best = half->level_count > 0 ? &half->level[half->level_count - 1] : NULL;
        fm_book_touch touch = {.price = FM_ABSENT};
        if (best != NULL)
            touch = (fm_book_touch){.price = best->price, .size = best->size, .orders = best->orders};
        if (touch.price != book->touch[i].price || touch.size != book->touch[i].size ||
            touch.orders != book->touch[i].orders)
            result |= FM_BOOK_TOUCHED;
        book->touch[i] = touch;
    }
    int64_t bid = book->touch[0].price, ask = book->touch[1].price;
    book->crossing = FM_BOOK_APART;
    if (bid != FM_ABSENT && ask != FM_ABSENT && bid >= ask)
        book->crossing = bid == ask ? FM_BOOK_LOCKED : FM_BOOK_CROSSED;
    book->counts.crossed += book->crossing == FM_BOOK_CROSSED;
    book->counts.locked += book->crossing == FM_BOOK_LOCKED;
    return result;
}

uint32_t fm_book_apply(fm_order_book *book, const fm_event *event)
{
    FM_ASSERT(event->kind == FM_BOOK || event->kind == FM_ORDER);
    const bool orders = event->kind == FM_ORDER;
    const uint8_t form = orders ? FM_BOOK_OF_ORDERS : FM_BOOK_OF_LEVELS;
    const bool clears = orders ? event->as.order.action == FM_ORDER_CLEAR
                               : event->as.book.action == FM_BOOK_CLEAR && !fm_book_side_good(event->side);
    book->counts.records++;
    book->change.action = 0;
    if (event->ts_ns > book->newest_ns)
        book->newest_ns = event->ts_ns;
    if (FM_UNLIKELY(clears))
        fm_book_clear(book, event->ts_ns);
    if (book->form == FM_BOOK_OF_NOTHING)
        book->form = form;
    if (FM_LIKELY(book->form == form)) {
        look_at_seq(book, event);
        if (orders && !clears)
            apply_order(book, event);
        else if (!clears)
            fm_book_apply_level(book, event);
    } else {
        book->counts.other_form++;
    }
    book->open = event->flags & FM_FLAG_MORE;
    uint32_t result = book->open ? 0 : end_event(book);
    return book->change.action != 0 ? result | FM_BOOK_ACTED : result;
}
