/* engine/book_orders.c - orders by id: slots of one cache line, and a table with linear probing that keeps half of the
 * hash beside each slot, so that looking for an id touches no order but its own. A queue is a doubly linked list of
 * slots. */
#include "engine/book_internal.h"

#include "engine/partition.h"

#include <stdlib.h>
#include <string.h>

/* Venues count ids up, some in the upper half; clients may choose them: two rounds, so that no difference of two ids
 * survives every seed. */
static uint32_t tag_of(const fm_order_book *book, uint64_t id)
{
    uint64_t mixed = id ^ book->limits.id_seed;
    mixed = (mixed ^ mixed >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(mixed >> 32);
}

/* The upper half of an entry tells where it would like to stand. */
static uint32_t home_of(uint64_t entry, uint32_t mask)
{
    return (uint32_t)(entry >> 32) & mask;
}

static void table_put(fm_order_book *book, uint64_t entry)
{
    uint32_t mask = book->table_size - 1, at = home_of(entry, mask);
    while (book->table[at] != 0)
        at = (at + 1) & mask;
    book->table[at] = entry;
}

static uint64_t entry_of(const fm_order_book *book, uint32_t slot)
{
    return (uint64_t)tag_of(book, book->order[slot].id) << 32 | (slot + 1);
}

static uint32_t table_find(const fm_order_book *book, uint64_t id)
{
    uint32_t tag = tag_of(book, id);
    uint32_t mask = book->table_size - 1, at = tag & mask;
    for (uint64_t entry; (entry = book->table[at]) != 0; at = (at + 1) & mask)
        if (entry >> 32 == tag && book->order[(uint32_t)entry - 1].id == id)
            return at;
    return FM_BOOK_NONE;
}

uint32_t fm_book_slot_of(const fm_order_book *book, uint64_t id)
{
    if (book->table_size == 0)
        return FM_BOOK_NONE;
    uint32_t at = table_find(book, id);
    return at == FM_BOOK_NONE ? FM_BOOK_NONE : (uint32_t)book->table[at] - 1;
}

/* Twice the table, at most half full. */
static void grow(fm_order_book *book)
{
    book->order = fm_grow(book->order, &book->order_capacity, book->order_used + 1, sizeof(*book->order));
    uint64_t *old = book->table;
    uint32_t old_size = book->table_size;
    book->table_size = 2 * book->order_capacity;
    book->table = calloc(book->table_size, sizeof(*book->table));
    FM_ASSERT(book->table != NULL);
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i] != 0)
            table_put(book, old[i]);
    free(old);
}

uint32_t fm_book_slot_take(fm_order_book *book, uint64_t id)
{
    uint32_t slot = book->order_free;
    if (slot != FM_BOOK_NONE) {
        book->order_free = book->order[slot].next;
    } else {
        if (FM_UNLIKELY(book->order_used == book->order_capacity))
            grow(book);
        slot = book->order_used++;
    }
    book->order_count++;
    book->order[slot] =
        (fm_book_order){.id = id, .filled_event = UINT64_MAX, .previous = FM_BOOK_NONE, .next = FM_BOOK_NONE};
    table_put(book, entry_of(book, slot));
    return slot;
}

/* Removal from linear probing: later members of the run move up, so that no gap hides them. */
static void table_remove(fm_order_book *book, uint32_t hole)
{
    uint32_t mask = book->table_size - 1;
    for (uint32_t at = (hole + 1) & mask; book->table[at] != 0; at = (at + 1) & mask) {
        if (((at - home_of(book->table[at], mask)) & mask) >= ((at - hole) & mask)) {
            book->table[hole] = book->table[at];
            hole = at;
        }
    }
    book->table[hole] = 0;
}

void fm_book_slot_give(fm_order_book *book, uint32_t slot)
{
    table_remove(book, table_find(book, book->order[slot].id));
    book->order[slot].next = book->order_free;
    book->order_free = slot;
    book->order_count--;
}

void fm_book_slots_clear(fm_order_book *book)
{
    if (book->order_used > 0)
        memset(book->table, 0, book->table_size * sizeof(*book->table));
    book->order_used = book->order_count = 0;
    book->order_free = FM_BOOK_NONE;
}

void fm_book_queue_add(fm_order_book *book, fm_book_side *half, fm_book_level *level, uint32_t slot)
{
    fm_book_order *order = &book->order[slot];
    order->previous = level->last;
    order->next = FM_BOOK_NONE;
    if (level->last == FM_BOOK_NONE)
        level->first = slot;
    else
        book->order[level->last].next = slot;
    level->last = slot;
    level->orders++;
    level->size += order->size;
    half->size += order->size;
}

void fm_book_queue_take(fm_order_book *book, fm_book_side *half, fm_book_level *level, uint32_t slot)
{
    const fm_book_order *order = &book->order[slot];
    if (order->previous == FM_BOOK_NONE)
        level->first = order->next;
    else
        book->order[order->previous].next = order->next;
    if (order->next == FM_BOOK_NONE)
        level->last = order->previous;
    else
        book->order[order->next].previous = order->previous;
    level->orders--;
    level->size -= order->size;
    half->size -= order->size;
}

bool fm_book_find(const fm_order_book *book, uint64_t order_id, fm_book_place *out)
{
    uint32_t slot = fm_book_slot_of(book, order_id);
    if (slot == FM_BOOK_NONE)
        return false;
    const fm_book_order *order = &book->order[slot];
    *out = (fm_book_place){.side = order->side,
                           .from_snapshot = order->from_snapshot,
                           .account = order->account,
                           .price = order->price,
                           .size = order->size,
                           .added_ns = order->added_ns};
    for (uint32_t ahead = order->previous; ahead != FM_BOOK_NONE; ahead = book->order[ahead].previous) {
        out->size_ahead += book->order[ahead].size;
        out->orders_ahead++;
    }
    return true;
}
