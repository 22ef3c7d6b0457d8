/* tests/unit/ingest/forms_book.h - random bars, levels and orders: a part of forms.h. */
#ifndef FM_TESTS_INGEST_FORMS_BOOK_H
#define FM_TESTS_INGEST_FORMS_BOOK_H

static inline void add_text(form *out, const char *key, const char *text)
{
    strcpy(add_cell(out, key, CELL_TEXT)->text, text);
}

static inline void add_bar(form *out, fm_random *random)
{
    static const char *const keys[] = {"open", "high", "low", "close"};
    fm_record *record = &out->record;
    int scale = (int)fm_random_below(random, 10);
    int64_t low = 1 + (int64_t)fm_random_below(random, 1000000000), range = (int64_t)fm_random_below(random, 1000);
    int64_t high = low + range, inside = (int64_t)fm_random_below(random, (uint64_t)range + 1);
    const int64_t prices[] = {low + inside, high, low, high - inside};
    for (int index = 0; index < 4; index++)
        record->number[index] = add_exact(out, keys[index], prices[index], scale);
    if (chance(random, 30)) {
        add_text(out, "interval", "1h30m");
        record->interval_ns = 5400 * FM_NS_PER_S;
    } else {
        record->interval_ns = 1 + (int64_t)add_count(out, random, "interval", 1000000000000);
        sprintf(out->cell[out->count - 1].text, "%" PRId64, ++out->cell[out->count - 1].integer);
    }
    record->volume = record->buy_volume = (fm_decimal_number){FM_ABSENT, 0};
    record->trade_count = FM_SEQ_ABSENT;
    if (chance(random, 70)) {
        record->volume = add_exact(out, "volume", high, scale);
        if (chance(random, 50))
            record->buy_volume = add_exact(out, "buy_volume", low, scale);
    }
    if (chance(random, 50))
        record->trade_count = add_count(out, random, "trades", INT64_MAX);
}

static inline void add_flags(form *out, fm_random *random)
{
    if (chance(random, 30)) {
        strcpy(add_cell(out, "more", CELL_FLAG)->text, "true");
        out->record.book_flags |= FM_FLAG_MORE;
    }
    if (chance(random, 30)) {
        strcpy(add_cell(out, "snapshot", CELL_FLAG)->text, "true");
        out->record.book_flags |= FM_FLAG_SNAPSHOT;
    } else if (chance(random, 30)) {
        strcpy(add_cell(out, "snapshot", CELL_FLAG)->text, "false");
    }
}

static inline void add_place(form *out, fm_random *random)
{
    fm_record *record = &out->record;
    bool words = chance(random, 50);
    record->side = (uint8_t)(1 + fm_random_below(random, 2));
    add_text(out, "side", record->side == FM_BUY ? words ? "buy" : "bid" : words ? "sell" : "ask");
    record->number[0] = add_decimal(out, random, "price", false);
}

static inline void add_book(form *out, fm_random *random)
{
    static const char *const actions[] = {"", "set", "delete", "clear"};
    fm_record *record = &out->record;
    record->action = (uint8_t)(1 + fm_random_below(random, 3));
    if (record->action != FM_BOOK_SET || chance(random, 70))
        add_text(out, "action", actions[record->action]);
    add_flags(out, random);
    if (record->action == FM_BOOK_CLEAR)
        return;
    add_place(out, random);
    if (record->action == FM_BOOK_SET)
        record->number[1] = add_decimal(out, random, "size", false);
    else
        record->number[1] = (fm_decimal_number){0, 0};
    if (record->action == FM_BOOK_SET && chance(random, 50))
        record->order_count = (uint32_t)add_count(out, random, "orders", UINT32_MAX);
}

static inline void add_order(form *out, fm_random *random)
{
    static const char *const actions[] = {"", "add", "modify", "cancel", "execute", "fill", "clear"};
    fm_record *record = &out->record;
    record->action = (uint8_t)(1 + fm_random_below(random, 6));
    add_text(out, "action", actions[record->action]);
    add_flags(out, random);
    if (chance(random, 30))
        record->account = (uint32_t)fm_hash_slice(add_name(out, random, "account", 5, true));
    if (record->action == FM_ORDER_CLEAR)
        return;
    if (chance(random, 50)) {
        record->order_id = add_count(out, random, "order", INT64_MAX);
    } else {
        fm_slice name = add_name(out, random, "order", 5, true);
        out->names[5][0] = out->cell[out->count - 1].text[0] = 'x'; /* not a number */
        record->order_id = fm_hash_slice(name);
    }
    if (record->action == FM_ORDER_ADD || chance(random, 50))
        add_place(out, random);
    if (record->action != FM_ORDER_CANCEL || chance(random, 50))
        record->number[1] = add_decimal(out, random, "size", false);
}

#endif
