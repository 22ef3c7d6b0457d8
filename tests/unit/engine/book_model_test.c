/* tests/unit/engine/book_model_test.c - the order book against a model that knows no indices: one array of orders in
 * the order of their priority, one of levels, and linear search. Random events, among them hostile ones; FMADS_SEED
 * chooses others. */
#include "book_events.h"

#include "base/random.h"

enum { ROOM = 512 };

typedef struct model_order {
    uint64_t id;
    int side;
    int64_t price, size, added_ns, filled;
    bool from_snapshot;
} model_order;

typedef struct model_level {
    int side;
    int64_t price, size;
    uint32_t orders, adds, modifies, cancels, executes;
} model_level;

typedef struct model {
    model_order order[ROOM]; /* who came later stands later */
    uint32_t order_count;
    model_level level[ROOM];
    uint32_t level_count;
    uint32_t levels_max, orders_max;
    int form;
    unsigned degraded;
    uint64_t unknown, passing, duplicate, malformed, other_form, left_out, clears;
    fm_book_churn churn[3];
    int acted; /* FM_ORDER_* */
    int64_t acted_size, acted_rest;
} model;

static model_order *model_find(model *m, uint64_t id)
{
    for (uint32_t i = 0; i < m->order_count; i++)
        if (m->order[i].id == id)
            return &m->order[i];
    return NULL;
}

static model_level *model_level_of(model *m, int side, int64_t price)
{
    for (uint32_t i = 0; i < m->level_count; i++)
        if (m->level[i].side == side && m->level[i].price == price)
            return &m->level[i];
    return NULL;
}

static bool better(int side, int64_t a, int64_t b)
{
    return side == FM_BUY ? a > b : a < b;
}

static model_level *model_worst(model *m, int side)
{
    model_level *worst = NULL;
    for (uint32_t i = 0; i < m->level_count; i++)
        if (m->level[i].side == side && (worst == NULL || better(side, worst->price, m->level[i].price)))
            worst = &m->level[i];
    return worst;
}

static uint32_t model_levels(const model *m, int side)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->level_count; i++)
        count += m->level[i].side == side;
    return count;
}

static void level_gone(model *m, model_level *level)
{
    *level = m->level[--m->level_count];
}

static void order_gone(model *m, model_order *order)
{
    memmove(order, order + 1, (size_t)(&m->order[m->order_count] - (order + 1)) * sizeof(*order));
    m->order_count--;
}

/* Takes the order out; its level goes with the last one. */
static model_order model_lift(model *m, model_order *order)
{
    model_order copy = *order;
    model_level *level = model_level_of(m, copy.side, copy.price);
    level->size -= copy.size;
    if (--level->orders == 0)
        level_gone(m, level);
    order_gone(m, order);
    return copy;
}

static void model_full(model *m)
{
    m->left_out++;
    m->degraded |= FM_BOOK_FULL;
}

/* The level of a price, made if need be; NULL when it is kept out. */
static model_level *model_room(model *m, int side, int64_t price)
{
    model_level *level = model_level_of(m, side, price);
    if (level != NULL)
        return level;
    if (model_levels(m, side) >= m->levels_max) {
        model_level *worst = model_worst(m, side);
        if (!better(side, price, worst->price)) {
            model_full(m);
            return NULL;
        }
        int64_t gone = worst->price;
        level_gone(m, worst);
        m->degraded |= FM_BOOK_FULL;
        if (m->form == FM_BOOK_OF_LEVELS)
            m->left_out++;
        for (uint32_t i = 0; i < m->order_count;) {
            if (m->order[i].side == side && m->order[i].price == gone) {
                order_gone(m, &m->order[i]);
                m->left_out++;
            } else {
                i++;
            }
        }
    }
    level = &m->level[m->level_count++];
    *level = (model_level){.side = side, .price = price};
    return level;
}

static model_level *model_settle(model *m, model_order order)
{
    model_level *level = model_room(m, order.side, order.price);
    if (level == NULL)
        return NULL;
    level->size += order.size;
    level->orders++;
    m->order[m->order_count++] = order;
    return level;
}

static bool model_order_room(model *m, int side, int64_t price)
{
    if (m->order_count < m->orders_max)
        return true;
    int from = model_levels(m, side) > 0 ? side : FM_BUY + FM_SELL - side;
    model_level *worst = model_worst(m, from);
    if (from == side && !better(side, price, worst->price))
        return false;
    model_order *last = NULL;
    for (uint32_t i = 0; i < m->order_count; i++)
        if (m->order[i].side == from && m->order[i].price == worst->price)
            last = &m->order[i];
    model_lift(m, last);
    model_full(m);
    return true;
}

static bool side_good(int side)
{
    return side == FM_BUY || side == FM_SELL;
}

static bool price_good(int64_t price)
{
    return price >= -FM_MAGNITUDE_MAX && price <= FM_MAGNITUDE_MAX;
}

static bool size_good(int64_t size)
{
    return size > 0 && size <= FM_MAGNITUDE_MAX;
}

static void model_insert(model *m, const fm_event *e, bool known)
{
    bool now = !(e->flags & FM_FLAG_SNAPSHOT);
    if (!model_order_room(m, e->side, e->as.order.price)) {
        model_full(m);
        return;
    }
    model_level *level = model_settle(m, (model_order){.id = e->as.order.order_id,
                                                       .side = e->side,
                                                       .price = e->as.order.price,
                                                       .size = e->as.order.size,
                                                       .added_ns = e->ts_ns,
                                                       .from_snapshot = !known || !now});
    if (level == NULL || !known || !now)
        return;
    level->adds++;
    m->churn[e->side].adds++;
    m->acted = FM_ORDER_ADD;
    m->acted_size = m->acted_rest = e->as.order.size;
}

static void model_leave(model *m, model_order *order, int64_t left, bool executes, bool now)
{
    model_level *level = model_level_of(m, order->side, order->price);
    if (now) {
        m->acted = executes ? FM_ORDER_EXECUTE : FM_ORDER_CANCEL;
        m->acted_size = left;
        m->acted_rest = order->size - left;
        level->executes += executes;
        level->cancels += !executes;
        m->churn[order->side].executes += executes;
        m->churn[order->side].cancels += !executes;
    }
    if (left == order->size) {
        model_lift(m, order);
    } else {
        order->size -= left;
        level->size -= left;
    }
}

static bool model_use_fill(model_order *order, int64_t left)
{
    int64_t executed = order->filled < left ? order->filled : left;
    order->filled -= executed;
    return executed > 0;
}

static void model_modify(model *m, const fm_event *e, bool now)
{
    const fm_order *word = &e->as.order;
    model_order *order = model_find(m, word->order_id);
    if (order == NULL) {
        m->unknown++;
        m->degraded |= FM_BOOK_UNKNOWN;
        if (side_good(e->side) && price_good(word->price) && size_good(word->size))
            model_insert(m, e, false);
        return;
    }
    int side = e->side == FM_SIDE_NONE ? order->side : e->side;
    int64_t price = word->price == FM_ABSENT ? order->price : word->price;
    int64_t size = word->size == FM_ABSENT ? order->size : word->size;
    if (!side_good(side) || !price_good(price) || (size != 0 && !size_good(size))) {
        m->malformed++;
        return;
    }
    bool same = side == order->side && price == order->price;
    if (size == 0) {
        model_leave(m, order, order->size, model_use_fill(order, order->size), now);
        return;
    }
    if (same && size < order->size && model_use_fill(order, order->size - size)) {
        model_leave(m, order, order->size - size, true, now);
        return;
    }
    int before = order->side;
    model_level *level = model_level_of(m, order->side, order->price);
    if (same && size <= order->size) {
        level->size += size - order->size;
        order->size = size;
    } else if (same) {
        model_order copy = *order;
        order_gone(m, order);
        level->size += size - copy.size;
        copy.size = size;
        m->order[m->order_count++] = copy;
    } else {
        model_order copy = model_lift(m, order);
        copy.side = side;
        copy.price = price;
        copy.size = size;
        level = model_settle(m, copy);
    }
    (void)before;
    if (!now)
        return;
    m->churn[side].modifies++;
    if (level != NULL)
        level->modifies++;
    m->acted = FM_ORDER_MODIFY;
    m->acted_size = size;
    m->acted_rest = level != NULL ? size : 0;
}

static void model_order_event(model *m, const fm_event *e)
{
    const fm_order *word = &e->as.order;
    bool now = !(e->flags & FM_FLAG_SNAPSHOT), executes = word->action == FM_ORDER_EXECUTE;
    model_order *order = model_find(m, word->order_id);
    switch (word->action) {
    case FM_ORDER_ADD:
        if (!side_good(e->side) || !price_good(word->price) || !size_good(word->size)) {
            m->malformed++;
            return;
        }
        if (order != NULL) {
            m->duplicate++;
            model_lift(m, order);
        }
        model_insert(m, e, true);
        return;
    case FM_ORDER_MODIFY:
        model_modify(m, e, now);
        return;
    case FM_ORDER_CANCEL:
    case FM_ORDER_EXECUTE:
        if (order == NULL) {
            m->unknown++;
            m->degraded |= FM_BOOK_UNKNOWN;
        } else if (word->size == FM_ABSENT ? executes : !size_good(word->size)) {
            m->malformed++;
        } else {
            int64_t left = word->size == FM_ABSENT || word->size > order->size ? order->size : word->size;
            bool filled = model_use_fill(order, left);
            model_leave(m, order, left, executes || filled, now);
        }
        return;
    case FM_ORDER_FILL:
        if (!size_good(word->size))
            m->malformed++;
        else if (order == NULL)
            m->passing++;
        else
            order->filled += word->size;
        return;
    default:
        m->malformed++;
    }
}

static void model_level_event(model *m, const fm_event *e)
{
    const fm_book *word = &e->as.book;
    bool now = !(e->flags & FM_FLAG_SNAPSHOT);
    if (word->action == FM_BOOK_CLEAR) {
        for (uint32_t i = 0; i < m->level_count;)
            if (m->level[i].side == e->side)
                level_gone(m, &m->level[i]);
            else
                i++;
        return;
    }
    int64_t size = word->action == FM_BOOK_DELETE ? 0 : word->size;
    if (word->action == 0 || word->action > FM_BOOK_CLEAR || !side_good(e->side) || !price_good(word->price) ||
        (size != 0 && !size_good(size))) {
        m->malformed++;
        return;
    }
    model_level *level = model_level_of(m, e->side, word->price);
    bool there = level != NULL;
    if (size == 0) {
        m->churn[e->side].cancels += there && now;
        if (there)
            level_gone(m, level);
        return;
    }
    level = model_room(m, e->side, word->price);
    if (level == NULL)
        return;
    level->size = size;
    level->orders = word->order_count;
    level->adds += now && !there;
    level->modifies += now && there;
    m->churn[e->side].adds += now && !there;
    m->churn[e->side].modifies += now && there;
}

static void model_apply(model *m, const fm_event *e)
{
    bool orders = e->kind == FM_ORDER;
    bool clears =
        orders ? e->as.order.action == FM_ORDER_CLEAR : e->as.book.action == FM_BOOK_CLEAR && !side_good(e->side);
    m->acted = 0;
    if (clears) {
        m->order_count = m->level_count = 0;
        m->degraded = 0;
        m->clears++;
        memset(m->churn, 0, sizeof(m->churn));
        m->form = 0;
    }
    int form = orders ? FM_BOOK_OF_ORDERS : FM_BOOK_OF_LEVELS;
    m->form = m->form == 0 ? form : m->form;
    if (m->form != form)
        m->other_form++;
    else if (orders && !clears)
        model_order_event(m, e);
    else if (!clears)
        model_level_event(m, e);
    if (!(e->flags & FM_FLAG_MORE))
        for (uint32_t i = 0; i < m->order_count; i++)
            m->order[i].filled = 0;
}

/* ---- comparing ---- */

static void assert_counts(const model *m, const fm_order_book *book)
{
    assert_int_equal(book->counts.unknown, m->unknown);
    assert_int_equal(book->counts.passing, m->passing);
    assert_int_equal(book->counts.duplicate, m->duplicate);
    assert_int_equal(book->counts.malformed, m->malformed);
    assert_int_equal(book->counts.other_form, m->other_form);
    assert_int_equal(book->counts.left_out, m->left_out);
    assert_int_equal(book->counts.clears, m->clears);
    assert_int_equal(book->degraded, m->degraded);
    assert_int_equal(book->order_count, m->order_count);
    assert_int_equal(book->side[0].level_count + book->side[1].level_count, m->level_count);
    assert_int_equal(book->change.action, m->acted);
    if (m->acted != 0) {
        assert_int_equal(book->change.size, m->acted_size);
        assert_int_equal(book->change.rest, m->acted_rest);
    }
}

static void assert_sides(model *m, const fm_order_book *book)
{
    for (int side = FM_BUY; side <= FM_SELL; side++) {
        const fm_book_side *half = &book->side[side - FM_BUY];
        int64_t sum = 0;
        assert_memory_equal(&half->churn, &m->churn[side], sizeof(half->churn));
        for (uint32_t depth = 0; depth < half->level_count; depth++) {
            const fm_book_level *got = fm_book_level_at(book, (fm_side)side, depth);
            const model_level *want = model_level_of(m, side, got->price);
            assert_non_null(want);
            assert_true(depth == 0 || better(side, got[1].price, got->price));
            assert_int_equal(got->size, want->size);
            assert_int_equal(got->orders, want->orders);
            assert_true(got->adds == want->adds && got->modifies == want->modifies && got->cancels == want->cancels &&
                        got->executes == want->executes);
            sum += got->size;
            assert_int_equal(fm_book_depth(book, (fm_side)side, depth + 1), sum);
        }
        assert_int_equal(half->size, sum);
    }
}

static void assert_orders(model *m, const fm_order_book *book)
{
    for (uint32_t i = 0; i < m->order_count; i++) {
        const model_order *want = &m->order[i];
        fm_book_place place;
        assert_true(fm_book_find(book, want->id, &place));
        assert_true(place.side == want->side && place.price == want->price && place.size == want->size);
        assert_true(place.added_ns == want->added_ns && place.from_snapshot == want->from_snapshot);
        uint32_t ahead = 0;
        int64_t size_ahead = 0;
        for (uint32_t k = 0; k < i; k++) {
            if (m->order[k].side == want->side && m->order[k].price == want->price) {
                ahead++;
                size_ahead += m->order[k].size;
            }
        }
        assert_int_equal(place.orders_ahead, ahead);
        assert_int_equal(place.size_ahead, size_ahead);
    }
}

/* ---- random events ---- */

static const int64_t hostile[] = {
    0, -1, FM_ABSENT, INT64_MAX, INT64_MIN + 1, FM_MAGNITUDE_MAX, FM_MAGNITUDE_MAX + 1, -FM_MAGNITUDE_MAX, 1};

static uint64_t random_id(fm_random *random, uint32_t ids)
{
    uint64_t id = fm_random_below(random, ids);
    return id == 0       ? 0
           : id == 1     ? UINT64_MAX
           : id % 3 == 0 ? id << 40
           : id % 3 == 1 ? UINT64_C(6412777162812) + id
                         : id;
}

static fm_event random_event(fm_random *random, uint32_t ids, int64_t *mid, int64_t *ts_ns)
{
    *mid += (int64_t)fm_random_below(random, 3) - 1;
    *ts_ns += (int64_t)fm_random_below(random, 1000) - 5;
    int side = 1 + (int)fm_random_below(random, 2);
    int64_t away = 1 + (int64_t)fm_random_below(random, fm_random_below(random, 4) == 0 ? 60 : 6);
    int64_t price = side == FM_BUY ? *mid - away : *mid + away, size = 1 + (int64_t)fm_random_below(random, 20);
    uint64_t what = fm_random_below(random, 1000), id = random_id(random, ids);
    fm_event event = what < 380   ? ADD(id, side, price, size)
                     : what < 600 ? MODIFY(id, fm_random_below(random, 8) == 0 ? FM_SIDE_NONE : side, price, size)
                     : what < 850 ? CANCEL(id, fm_random_below(random, 3) == 0 ? FM_ABSENT : size)
                     : what < 920 ? EXECUTE(id, size)
                                  : FILL(id, size);
    if (fm_random_below(random, 3) == 0 && event.as.order.action == FM_ORDER_MODIFY) { /* where it is */
        event.as.order.price = FM_ABSENT;
        event.side = FM_SIDE_NONE;
    }
    if (fm_random_below(random, 200) == 0)
        event.as.order.price = hostile[fm_random_below(random, sizeof(hostile) / sizeof(*hostile))];
    if (fm_random_below(random, 200) == 0)
        event.as.order.size = hostile[fm_random_below(random, sizeof(hostile) / sizeof(*hostile))];
    if (fm_random_below(random, 500) == 0)
        event.side = (uint8_t)fm_random_below(random, 256);
    if (fm_random_below(random, 500) == 0)
        event.as.order.action = (uint8_t)fm_random_below(random, 10);
    event.ts_ns = *ts_ns;
    event.flags = fm_random_below(random, 3) == 0 ? FM_FLAG_MORE : 0;
    if (fm_random_below(random, 100) == 0)
        event.flags |= FM_FLAG_SNAPSHOT;
    return event;
}

static fm_event as_level(fm_random *random, fm_event event)
{
    const fm_order order = event.as.order;
    bool clears = order.action == FM_ORDER_CLEAR;
    event.kind = FM_BOOK;
    event.as.book = (fm_book){.price = order.price,
                              .size = fm_random_below(random, 4) == 0 ? 0 : order.size,
                              .order_count = (uint32_t)fm_random_below(random, 5),
                              .action = clears                            ? FM_BOOK_CLEAR
                                        : order.action > FM_ORDER_CLEAR   ? order.action
                                        : fm_random_below(random, 5) == 0 ? FM_BOOK_DELETE
                                                                          : FM_BOOK_SET};
    return event;
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("FMADS_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 42;
}

/* Saved and loaded the book is the same, byte for byte, and goes on as before. */
static fm_order_book *through_bytes(fm_order_book *book)
{
    size_t size;
    char *bytes = saved(book, &size);
    fm_order_book *other = book_of(book->limits.levels_max, book->limits.orders_max);
    assert_int_equal(fm_book_load(other, bytes, size), 0);
    assert_same_book(book, other);
    other->change = book->change;
    free(bytes);
    book_free(book);
    return other;
}

static void run(uint32_t rounds, uint32_t levels_max, uint32_t orders_max, uint32_t ids, uint32_t levels_of_1000,
                uint64_t seed)
{
    model *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    m->levels_max = levels_max;
    m->orders_max = orders_max;
    fm_order_book *book = book_of(levels_max, orders_max), *twin = book_of(levels_max, orders_max);
    fm_random random;
    fm_random_seed(&random, seed);
    int64_t mid = 0, ts_ns = T0;
    for (uint32_t i = 0; i < rounds; i++) {
        fm_event event = random_event(&random, ids, &mid, &ts_ns);
        if (fm_random_below(&random, 1000) < levels_of_1000)
            event = as_level(&random, event);
        if (fm_random_below(&random, 5000) == 0)
            event = event.kind == FM_ORDER ? at(ts_ns, CLEAR()) : at(ts_ns, level_event(FM_BOOK_CLEAR, 0, 0, 0, 0));
        uint32_t result = fm_book_apply(book, &event);
        assert_int_equal(fm_book_apply(twin, &event), result);
        model_apply(m, &event);
        assert_counts(m, book);
        if (i % 16 == 0)
            assert_sides(m, book);
        if (i % 128 == 0)
            assert_orders(m, book);
        if (i % 256 == 0)
            book = through_bytes(book);
        if (i % 1024 == 0)
            assert_same_book(book, twin); /* which was never saved */
    }
    assert_true(m->malformed > 0 && book->counts.events > rounds / 3);
    book_free(book);
    book_free(twin);
    free(m);
}

static void a_book_of_orders_is_what_the_model_is(void **unused)
{
    (void)unused;
    run(600000, 300, 400, 200, 0, seed_of_run());
}

static void a_book_of_few_orders_is_what_the_model_is(void **unused)
{
    (void)unused;
    run(600000, 300, 400, 6, 0, seed_of_run() + 1);
}

static void a_book_that_is_always_full_is_what_the_model_is(void **unused)
{
    (void)unused;
    run(300000, 7, 400, 150, 0, seed_of_run() + 2);
    run(300000, 300, 12, 150, 0, seed_of_run() + 3);
    run(300000, 4, 9, 150, 0, seed_of_run() + 4);
    run(100000, 1, 1, 10, 0, seed_of_run() + 5);
}

static void a_book_of_levels_is_what_the_model_is(void **unused)
{
    (void)unused;
    run(600000, 300, 400, 50, 1000, seed_of_run() + 6);
    run(300000, 5, 400, 50, 1000, seed_of_run() + 7);
}

static void a_book_of_both_forms_is_what_the_model_is(void **unused)
{
    (void)unused;
    run(300000, 30, 40, 50, 500, seed_of_run() + 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_book_of_orders_is_what_the_model_is),
        cmocka_unit_test(a_book_of_few_orders_is_what_the_model_is),
        cmocka_unit_test(a_book_that_is_always_full_is_what_the_model_is),
        cmocka_unit_test(a_book_of_levels_is_what_the_model_is),
        cmocka_unit_test(a_book_of_both_forms_is_what_the_model_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
