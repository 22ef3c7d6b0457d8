/* engine/book_levels.c - a side's levels: sorted, the best at the end, where nearly everything happens.
 *
 * The array has room at both ends, and what is shorter of the levels on either side of a place is moved: a snapshot
 * that is told from the touch outwards, as most are, makes each of its levels at the far end. */
#include "engine/book_internal.h"

#include <stdlib.h>
#include <string.h>

uint32_t fm_book_search(const fm_book_side *half, uint8_t side, int64_t price)
{
    const fm_book_level *level = half->level;
    const int64_t flip = side == FM_BUY ? 0 : -1, key = price ^ flip; /* ~a < ~b as a > b */
    uint32_t high = half->level_count, low = 0, step = 1;             /* levels from `high` on are not worse */
    for (; step <= high; step *= 2) {
        if ((level[high - step].price ^ flip) < key) {
            low = high - step + 1;
            break;
        }
        high -= step;
    }
    for (uint32_t left = high - low; left > 0;) { /* without a branch that nobody can foresee */
        uint32_t before = left / 2, worse = (level[low + before].price ^ flip) < key;
        low += -worse & (before + 1);
        left = before - (worse & ~left & 1);
    }
    return low;
}

void fm_book_side_free(fm_book_side *half)
{
    if (half->level != NULL)
        free(half->level - half->room_before);
}

/* The levels into the middle: of an array of twice the size, unless a quarter of this one is free. */
static void make_room(fm_book_side *half)
{
    uint32_t capacity = half->level_capacity, count = half->level_count;
    fm_book_level *array = capacity == 0 ? NULL : half->level - half->room_before;
    if (count >= capacity - capacity / 4) {
        capacity = capacity == 0 ? 16 : 2 * capacity;
        array = malloc(capacity * sizeof(*array));
        FM_ASSERT(array != NULL);
    }
    uint32_t before = (capacity - count) / 2;
    if (count > 0)
        memmove(array + before, half->level, count * sizeof(*array));
    if (capacity != half->level_capacity)
        fm_book_side_free(half);
    half->level = array + before;
    half->room_before = before;
    half->level_capacity = capacity;
}

fm_book_level *fm_book_level_insert(fm_book_side *half, uint32_t index, int64_t price, int64_t ts_ns)
{
    bool low = index < half->level_count / 2;
    uint32_t room_behind = half->level_capacity - half->room_before - half->level_count;
    if (FM_UNLIKELY((low ? half->room_before : room_behind) == 0))
        make_room(half);
    if (low) {
        memmove(half->level - 1, half->level, index * sizeof(*half->level));
        half->level--;
        half->room_before--;
    } else {
        memmove(&half->level[index + 1], &half->level[index], (half->level_count - index) * sizeof(*half->level));
    }
    half->level_count++;
    half->level[index] =
        (fm_book_level){.price = price, .since_ns = ts_ns, .first = FM_BOOK_NONE, .last = FM_BOOK_NONE};
    return &half->level[index];
}

void fm_book_level_remove(fm_book_side *half, uint32_t index)
{
    half->size -= half->level[index].size;
    half->level_count--;
    if (index < half->level_count / 2) {
        memmove(half->level + 1, half->level, index * sizeof(*half->level));
        half->level++;
        half->room_before++;
    } else {
        memmove(&half->level[index], &half->level[index + 1], (half->level_count - index) * sizeof(*half->level));
    }
}

static void drop_worst(fm_order_book *book, uint8_t side)
{
    fm_book_side *half = fm_book_half(book, side);
    const fm_book_level *worst = &half->level[0];
    book->degraded |= FM_BOOK_FULL;
    book->counts.left_out += book->form == FM_BOOK_OF_ORDERS ? worst->orders : 1;
    for (uint32_t slot = worst->first, next; slot != FM_BOOK_NONE; slot = next) {
        next = book->order[slot].next;
        fm_book_slot_give(book, slot);
    }
    fm_book_level_remove(half, 0);
}

fm_book_level *fm_book_new_level(fm_order_book *book, uint8_t side, uint32_t index, int64_t price, int64_t ts_ns)
{
    fm_book_side *half = fm_book_half(book, side);
    if (half->level_count >= book->limits.levels_max) {
        if (index == 0) {
            fm_book_leave_out(book);
            return NULL;
        }
        drop_worst(book, side);
        index--;
    }
    return fm_book_level_insert(half, index, price, ts_ns);
}

int64_t fm_book_depth(const fm_order_book *book, fm_side side, uint32_t levels)
{
    const fm_book_side *half = &book->side[side - FM_BUY];
    if (levels >= half->level_count)
        return half->size;
    int64_t size = 0;
    for (uint32_t i = half->level_count - levels; i < half->level_count; i++)
        size += half->level[i].size;
    return size;
}

double fm_book_imbalance(const fm_order_book *book, uint32_t levels)
{
    double bid = (double)fm_book_depth(book, FM_BUY, levels), ask = (double)fm_book_depth(book, FM_SELL, levels);
    return bid + ask > 0 ? (bid - ask) / (bid + ask) : (double)NAN;
}

/* ---- a book of levels ---- */

static void level_set(fm_order_book *book, const fm_event *event, int64_t size)
{
    const int64_t price = event->as.book.price;
    if (!fm_book_side_good(event->side) || !fm_book_price_good(price) || (size != 0 && !fm_book_size_good(size))) {
        fm_book_malformed(book);
        return;
    }
    fm_book_side *half = fm_book_half(book, event->side);
    uint32_t index = fm_book_search(half, event->side, price);
    fm_book_level *level = fm_book_is_at(half, index, price) ? &half->level[index] : NULL;
    const bool fresh = level == NULL;
    if (size == 0) { /* venues also take away what is not there */
        half->churn.cancels += !fresh && fm_book_is_now(event);
        if (!fresh)
            fm_book_level_remove(half, index);
        return;
    }
    if (half->size - (fresh ? 0 : level->size) > FM_BOOK_SIZE_MAX - size) {
        fm_book_malformed(book);
        return;
    }
    if (fresh && (level = fm_book_new_level(book, event->side, index, price, event->ts_ns)) == NULL)
        return;
    half->size += size - level->size;
    level->size = size;
    level->orders = event->as.book.order_count;
    if (!fm_book_is_now(event))
        return;
    level->adds += fresh;
    level->modifies += !fresh;
    half->churn.adds += fresh;
    half->churn.modifies += !fresh;
}

static void clear_side(fm_order_book *book, uint8_t side)
{
    fm_book_side *half = fm_book_half(book, side);
    half->level_count = 0;
    half->size = 0;
}

void fm_book_apply_level(fm_order_book *book, const fm_event *event)
{
    switch (event->as.book.action) {
    case FM_BOOK_SET:
        level_set(book, event, event->as.book.size);
        return;
    case FM_BOOK_DELETE:
        level_set(book, event, 0);
        return;
    case FM_BOOK_CLEAR: /* of one side: that of the whole book has been done */
        clear_side(book, event->side);
        return;
    default:
        fm_book_malformed(book);
    }
}
