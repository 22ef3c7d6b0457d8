/* engine/book_save.c - the book as bytes and back, and in other units. Slots and the hash table are not state: bytes
 * hold levels and queues in their order, and loading makes the rest anew. Fields are written one by one, so that equal
 * books are equal bytes. */
#include "engine/book_internal.h"

#include <string.h>

#define LAYOUT 1u

typedef struct saved_head {
    uint32_t layout;
    uint8_t form, crossing, degraded, open;
    fm_book_counts counts;
    int64_t newest_ns, cleared_ns;
    uint64_t seq;
    fm_book_touch touch[2];
    fm_book_churn churn[2];
    uint32_t level_count[2];
    uint32_t order_count, unused;
} saved_head;

typedef struct saved_level {
    int64_t price, size, since_ns;
    uint32_t orders, adds, modifies, cancels, executes, unused;
} saved_level;

typedef struct saved_order {
    uint64_t id;
    int64_t size, added_ns, filled;
    uint32_t account, from_snapshot;
} saved_order;

static_assert(sizeof(saved_head) == 4 + 4 + sizeof(fm_book_counts) + 24 + 2 * 24 + 2 * 32 + 16, "no padding");
static_assert(sizeof(saved_level) == 48 && sizeof(saved_order) == 40, "no padding");

size_t fm_book_save_size(const fm_order_book *book)
{
    return sizeof(saved_head) + (book->side[0].level_count + (size_t)book->side[1].level_count) * sizeof(saved_level) +
           book->order_count * sizeof(saved_order);
}

static char *put(char *at, const void *from, size_t size)
{
    memcpy(at, from, size);
    return at + size;
}

static char *save_queue(const fm_order_book *book, const fm_book_level *level, char *at)
{
    for (uint32_t slot = level->first; slot != FM_BOOK_NONE; slot = book->order[slot].next) {
        const fm_book_order *order = &book->order[slot];
        saved_order out = {.id = order->id,
                           .size = order->size,
                           .added_ns = order->added_ns,
                           .filled = order->filled_event == book->counts.events ? order->filled : 0,
                           .account = order->account,
                           .from_snapshot = order->from_snapshot};
        at = put(at, &out, sizeof(out));
    }
    return at;
}

void fm_book_save(const fm_order_book *book, void *out)
{
    saved_head head = {.layout = LAYOUT,
                       .form = book->form,
                       .crossing = book->crossing,
                       .degraded = book->degraded,
                       .open = book->open,
                       .counts = book->counts,
                       .newest_ns = book->newest_ns,
                       .cleared_ns = book->cleared_ns,
                       .seq = book->seq,
                       .touch = {book->touch[0], book->touch[1]},
                       .churn = {book->side[0].churn, book->side[1].churn},
                       .level_count = {book->side[0].level_count, book->side[1].level_count},
                       .order_count = book->order_count};
    char *at = put(out, &head, sizeof(head));
    for (int i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < book->side[i].level_count; k++) {
            const fm_book_level *level = &book->side[i].level[k];
            saved_level line = {level->price,   level->size,     level->since_ns,
                                level->orders,  level->adds,     level->modifies,
                                level->cancels, level->executes, 0};
            at = put(at, &line, sizeof(line));
            at = save_queue(book, level, at);
        }
    }
}

typedef struct reading {
    const char *at, *end;
} reading;

static bool take(reading *in, void *out, size_t size)
{
    if ((size_t)(in->end - in->at) < size)
        return false;
    memcpy(out, in->at, size);
    in->at += size;
    return true;
}

static bool load_queue(fm_order_book *book, reading *in, fm_book_side *half, uint8_t side, const saved_level *from)
{
    for (uint32_t i = 0; i < from->orders; i++) {
        saved_order line;
        if (!take(in, &line, sizeof(line)) || !fm_book_size_good(line.size) || line.filled < 0 ||
            line.filled > FM_MAGNITUDE_MAX || line.from_snapshot > 1 || half->size > FM_BOOK_SIZE_MAX - line.size ||
            fm_book_slot_of(book, line.id) != FM_BOOK_NONE)
            return false;
        uint32_t slot = fm_book_slot_take(book, line.id);
        fm_book_order *order = &book->order[slot];
        order->side = side;
        order->price = from->price;
        order->size = line.size;
        order->added_ns = line.added_ns;
        order->account = line.account;
        order->from_snapshot = line.from_snapshot != 0;
        order->filled = line.filled;
        order->filled_event = line.filled > 0 ? book->counts.events : UINT64_MAX;
        fm_book_queue_add(book, half, &half->level[half->level_count - 1], slot);
    }
    return half->level[half->level_count - 1].size == from->size;
}

static bool load_side(fm_order_book *book, reading *in, uint8_t side, uint32_t level_count)
{
    fm_book_side *half = fm_book_half(book, side);
    for (uint32_t i = 0; i < level_count; i++) {
        saved_level line;
        if (!take(in, &line, sizeof(line)) || line.unused != 0 || !fm_book_price_good(line.price) ||
            (i > 0 && !fm_book_better(side, line.price, half->level[i - 1].price)))
            return false;
        fm_book_level *level = fm_book_level_insert(half, i, line.price, line.since_ns);
        level->adds = line.adds;
        level->modifies = line.modifies;
        level->cancels = line.cancels;
        level->executes = line.executes;
        if (book->form == FM_BOOK_OF_ORDERS) {
            if (line.orders == 0 || !load_queue(book, in, half, side, &line))
                return false;
            continue;
        }
        if (!fm_book_size_good(line.size) || half->size > FM_BOOK_SIZE_MAX - line.size)
            return false;
        level->orders = line.orders;
        level->size = line.size;
        half->size += line.size;
    }
    return true;
}

int fm_book_load(fm_order_book *book, const void *data, size_t size)
{
    FM_ASSERT(book->counts.records == 0 && book->order_count == 0);
    reading in = {data, (const char *)data + size};
    saved_head head;
    if (!take(&in, &head, sizeof(head)) || head.layout != LAYOUT || head.form > FM_BOOK_OF_ORDERS ||
        head.crossing > FM_BOOK_CROSSED || head.open > 1 || head.unused != 0)
        return FM_ECORRUPT;
    book->form = head.form;
    book->crossing = head.crossing;
    book->degraded = head.degraded;
    book->open = head.open != 0;
    book->counts = head.counts;
    book->newest_ns = head.newest_ns;
    book->cleared_ns = head.cleared_ns;
    book->seq = head.seq;
    bool good = true;
    for (int i = 0; i < 2 && good; i++) {
        book->touch[i] = head.touch[i];
        book->side[i].churn = head.churn[i];
        good = load_side(book, &in, (uint8_t)(FM_BUY + i), head.level_count[i]);
    }
    if (good && book->order_count == head.order_count && in.at == in.end)
        return 0;
    const fm_book_limits limits = book->limits;
    fm_book_fini(book);
    fm_book_init(book, &limits);
    return FM_ECORRUPT;
}

size_t fm_book_bytes(const fm_order_book *book)
{
    return (book->side[0].level_capacity + (size_t)book->side[1].level_capacity) * sizeof(fm_book_level) +
           book->order_capacity * sizeof(fm_book_order) + book->table_size * sizeof(*book->table);
}

/* ---- other units ---- */

static int64_t power_of_ten(int power)
{
    int64_t result = 1;
    while (power-- > 0)
        result *= 10;
    return result;
}

static bool grows_to(int64_t *value, int64_t factor)
{
    int64_t grown;
    if (__builtin_mul_overflow(*value, factor, &grown) || grown > FM_MAGNITUDE_MAX || grown < -FM_MAGNITUDE_MAX)
        return false;
    *value = grown;
    return true;
}

static void lose(fm_order_book *book, uint64_t count)
{
    book->counts.left_out += count;
    book->degraded |= FM_BOOK_LOST;
}

/* The level's orders in new units; those that do not fit any more are gone. */
static void rescale_queue(fm_order_book *book, fm_book_side *half, fm_book_level *level, int64_t price, int64_t factor,
                          bool price_fits)
{
    uint32_t slot = level->first;
    level->first = level->last = FM_BOOK_NONE;
    level->orders = 0;
    level->size = 0;
    for (uint32_t next; slot != FM_BOOK_NONE; slot = next) {
        fm_book_order *order = &book->order[slot];
        next = order->next;
        if (!price_fits || !grows_to(&order->size, factor) || half->size > FM_BOOK_SIZE_MAX - order->size) {
            lose(book, 1);
            fm_book_slot_give(book, slot);
            continue;
        }
        order->price = price;
        if (!grows_to(&order->filled, factor))
            order->filled = FM_MAGNITUDE_MAX;
        fm_book_queue_add(book, half, level, slot);
    }
}

static void rescale_side(fm_order_book *book, fm_book_side *half, int64_t price_factor, int64_t size_factor)
{
    uint32_t kept = 0, count = half->level_count;
    half->size = 0;
    for (uint32_t i = 0; i < count; i++) {
        fm_book_level level = half->level[i];
        bool fits = grows_to(&level.price, price_factor);
        if (book->form == FM_BOOK_OF_ORDERS) {
            rescale_queue(book, half, &level, level.price, size_factor, fits);
            fits = level.orders > 0;
        } else if (fits && grows_to(&level.size, size_factor) && half->size <= FM_BOOK_SIZE_MAX - level.size) {
            half->size += level.size;
        } else {
            lose(book, 1);
            fits = false;
        }
        if (fits)
            half->level[kept++] = level;
    }
    half->level_count = kept;
}

void fm_book_rescale(fm_order_book *book, int price_power, int size_power)
{
    FM_ASSERT(price_power >= 0 && price_power <= 18 && size_power >= 0 && size_power <= 18);
    int64_t price_factor = power_of_ten(price_power), size_factor = power_of_ten(size_power);
    for (int i = 0; i < 2; i++) {
        rescale_side(book, &book->side[i], price_factor, size_factor);
        fm_book_touch *touch = &book->touch[i];
        if (touch->price != FM_ABSENT && !grows_to(&touch->price, price_factor))
            *touch = (fm_book_touch){.price = FM_ABSENT};
        touch->size = touch->size > INT64_MAX / size_factor ? INT64_MAX : touch->size * size_factor;
    }
}
