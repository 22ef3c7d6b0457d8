/* ingest/validate_book.c - the rules of bars, of levels of a book (L2) and of orders (L3), and of the keys that only
 * they have.
 *
 * - A bar has its four prices, above 0, with low <= open, close <= high, and its length; of its volume no more than all
 *   was bought.
 * - A level is set (the preset), deleted or, both sides or one, cleared. Set to size 0 is deleted, as feeds differ in
 *   how they say it.
 * - An order is added with side, price and size above 0. Of one that is known its number is enough to cancel it, a size
 *   to modify, execute or fill it; what else is told is kept.
 *
 * Keys that an action has no need of are checked, then not kept. */
#include "ingest/decode/time.h"
#include "ingest/validate.h"

static bool is(fm_slice text, const char *word)
{
    return fm_slice_equal(text, fm_slice_of(word));
}

/* ---- values ---- */

/* Digits without a zero before them, up to 2^64 - 1. */
static bool order_number(fm_slice text, uint64_t *out)
{
    uint64_t number = 0;
    if (text.size == 0 || text.size > 20 || (text.data[0] == '0' && text.size > 1))
        return false;
    for (size_t index = 0; index < text.size; index++) {
        uint64_t digit = (uint64_t)(unsigned char)text.data[index] - '0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

static void take_span(fm_draft *draft, int64_t span_ns, const char *at)
{
    draft->record->interval_ns = span_ns;
    if (span_ns <= 0 || span_ns > FM_SPAN_MAX_NS)
        fm_draft_refuse(draft, FM_FIELD_INTERVAL, 0, at, "must be above 0 and at most 366 days");
}

static void take_span_text(fm_draft *draft, fm_slice text, const char *at)
{
    int64_t span_ns = 0;
    uint64_t digits;
    const char *why = NULL;
    if (order_number(text, &digits))
        span_ns = digits <= (uint64_t)FM_SPAN_MAX_NS ? (int64_t)digits : 0;
    else
        why = fm_span_parse(text.data, text.size, &span_ns);
    if (why)
        fm_draft_refuse(draft, FM_FIELD_INTERVAL, 0, at, why);
    else
        take_span(draft, span_ns, at);
}

void fm_draft_rare_text(fm_draft *draft, fm_field field, fm_slice text, const char *at)
{
    uint64_t number;
    switch (fm_field_rows[field].form) {
    case FORM_ORDER:
        if (order_number(text, &number))
            draft->record->order_id = number;
        else if (fm_name_valid(text.data, text.size, 0x20))
            draft->record->order_id = fm_hash_slice(text);
        else
            fm_draft_refuse(draft, field, 0, at, NULL);
        return;
    case FORM_SPAN:
        take_span_text(draft, text, at);
        return;
    case FORM_FLAG:
        if (is(text, "true") || is(text, "1"))
            fm_draft_flag(draft, field, true, at);
        else if (is(text, "false") || is(text, "0"))
            fm_draft_flag(draft, field, false, at);
        else
            fm_draft_refuse(draft, field, 0, at, NULL);
        return;
    default:
        fm_draft_refuse(draft, field, 0, at, NULL);
    }
}

void fm_draft_rare_number(fm_draft *draft, fm_field field, const fm_number *number, const char *at)
{
    fm_form form = fm_field_rows[field].form;
    bool whole = number->integer && !number->negative;
    if (form == FORM_ORDER && whole && number->text != NULL &&
        order_number((fm_slice){number->text, number->text_size}, &draft->record->order_id))
        return;
    whole = whole && number->exponent == 0;
    if (form == FORM_ORDER && whole && number->text == NULL)
        draft->record->order_id = number->digits;
    else if (form == FORM_SPAN && whole)
        take_span(draft, number->digits <= (uint64_t)FM_SPAN_MAX_NS ? (int64_t)number->digits : 0, at);
    else
        fm_draft_refuse(draft, field, 0, at, NULL);
}

void fm_draft_rare_count(fm_draft *draft, fm_field field, uint64_t count, const char *at)
{
    if (field == FM_FIELD_TRADES)
        draft->record->trade_count = count;
    else if (count > UINT32_MAX)
        fm_draft_count_failed(draft, field, at);
    else if (field == FM_FIELD_ORDERS)
        draft->record->order_count = (uint32_t)count;
    else
        draft->record->seq_index = (uint32_t)count;
}

void fm_draft_flag(fm_draft *draft, fm_field field, bool value, const char *at)
{
    if (fm_field_rows[field].form != FORM_FLAG)
        fm_draft_refuse(draft, field, 0, at, NULL);
    else if (!value)
        fm_draft_null(draft, field);
}

/* Actions of books and of orders: which of them, and 0 where it is none. */
static const struct {
    const char *name;
    uint8_t of_book, of_order;
} actions[] = {
    {"", 0, 0},
    {"set", FM_BOOK_SET, 0},
    {"delete", FM_BOOK_DELETE, 0},
    {"clear", FM_BOOK_CLEAR, FM_ORDER_CLEAR},
    {"add", 0, FM_ORDER_ADD},
    {"modify", 0, FM_ORDER_MODIFY},
    {"cancel", 0, FM_ORDER_CANCEL},
    {"execute", 0, FM_ORDER_EXECUTE},
    {"fill", 0, FM_ORDER_FILL},
};

/* The kind may stand behind it: until the record is finished, the row of the table. */
void fm_draft_action(fm_draft *draft, fm_slice text, const char *at)
{
    draft->record->action = 0;
    for (uint8_t row = 1; row < sizeof actions / sizeof *actions; row++)
        if (is(text, actions[row].name))
            draft->record->action = row;
    if (draft->record->action == 0)
        fm_draft_refuse(draft, FM_FIELD_ACTION, 0, at,
                        "must be set, delete or clear of a book; add, modify, cancel, execute, fill or clear of an "
                        "order");
}

/* ---- whole records ---- */

static const char missing[] = "is missing", not_above_zero[] = "must be greater than zero";

static bool take_decimal(const fm_draft *draft, fm_field field, fm_decimal_number *out)
{
    if (fm_draft_has(draft, field)) {
        fm_draft_copy(draft, field, out);
        return true;
    }
    *out = (fm_decimal_number){.mantissa = FM_ABSENT};
    return false;
}

/* 0, or it was given and is not above zero. */
static int take_price(fm_draft *draft, fm_field field, fm_decimal_number *out)
{
    if (take_decimal(draft, field, out) && out->mantissa == 0)
        return fm_draft_fail(draft, field, FM_price_negative, not_above_zero);
    return 0;
}

__extension__ typedef __int128 wide;

/* a > b, exactly: 2^53 * 10^9 is less than 2^83. */
static bool above(const fm_decimal_number *a, const fm_decimal_number *b)
{
    wide left = a->mantissa, right = b->mantissa;
    for (int scale = a->scale; scale < b->scale; scale++)
        left *= 10;
    for (int scale = b->scale; scale < a->scale; scale++)
        right *= 10;
    return left > right;
}

static int finish_bar(fm_draft *draft)
{
    fm_record *record = draft->record;
    for (unsigned index = 0; index < 4; index++) {
        fm_field field = (fm_field)(FM_FIELD_OPEN + index);
        FM_TRY(take_price(draft, field, &record->number[index]));
        if (record->number[index].mantissa == FM_ABSENT)
            return fm_draft_fail(draft, field, FM_price_missing, missing);
    }
    const fm_decimal_number *open = &record->number[0], *high = &record->number[1], *low = &record->number[2],
                            *close = &record->number[3];
    if (above(open, high) || above(close, high))
        return fm_draft_fail(draft, FM_FIELD_HIGH, FM_bar_inconsistent, "is below \"open\" or \"close\"");
    if (above(low, open) || above(low, close))
        return fm_draft_fail(draft, FM_FIELD_LOW, FM_bar_inconsistent, "is above \"open\" or \"close\"");
    if (!fm_draft_has(draft, FM_FIELD_INTERVAL))
        return fm_draft_fail(draft, FM_FIELD_INTERVAL, FM_interval_missing, missing);
    bool volume = take_decimal(draft, FM_FIELD_VOLUME, &record->volume);
    if (take_decimal(draft, FM_FIELD_BUY_VOLUME, &record->buy_volume) &&
        (!volume || above(&record->buy_volume, &record->volume)))
        return fm_draft_fail(draft, FM_FIELD_BUY_VOLUME, FM_bar_inconsistent, "is more than \"volume\"");
    if (!fm_draft_has(draft, FM_FIELD_TRADES))
        record->trade_count = FM_SEQ_ABSENT;
    return 1;
}

/* What levels and orders have in common. */
static int finish_common(fm_draft *draft, uint8_t action)
{
    fm_record *record = draft->record;
    if (action == 0)
        return fm_draft_fail(draft, FM_FIELD_ACTION, FM_action_invalid,
                             record->kind == FM_BOOK
                                 ? "must be set, delete or clear of a book"
                                 : "must be add, modify, cancel, execute, fill or clear of an order");
    record->action = action;
    record->book_flags = (uint8_t)((fm_draft_has(draft, FM_FIELD_MORE) ? FM_FLAG_MORE : 0) |
                                   (fm_draft_has(draft, FM_FIELD_SNAPSHOT) ? FM_FLAG_SNAPSHOT : 0));
    FM_TRY(take_price(draft, FM_FIELD_PRICE, &record->number[0]));
    take_decimal(draft, FM_FIELD_SIZE, &record->number[1]);
    return 0;
}

static int finish_clear(fm_record *record)
{
    record->number[0].mantissa = record->number[1].mantissa = FM_ABSENT;
    record->number[0].scale = record->number[1].scale = 0;
    return 1;
}

/* Side and price, without which there is no place in a book. */
static int need_place(fm_draft *draft)
{
    if (!fm_draft_has(draft, FM_FIELD_SIDE))
        return fm_draft_fail(draft, FM_FIELD_SIDE, FM_side_missing, missing);
    if (!fm_draft_has(draft, FM_FIELD_PRICE))
        return fm_draft_fail(draft, FM_FIELD_PRICE, FM_price_missing, missing);
    return 0;
}

static int finish_book(fm_draft *draft)
{
    fm_record *record = draft->record;
    FM_TRY(finish_common(draft, fm_draft_has(draft, FM_FIELD_ACTION) ? actions[record->action].of_book
                                                                     : (uint8_t)FM_BOOK_SET));
    if (!fm_draft_has(draft, FM_FIELD_ORDERS))
        record->order_count = 0;
    if (record->action == FM_BOOK_CLEAR) {
        record->order_count = 0;
        return finish_clear(record);
    }
    FM_TRY(need_place(draft));
    if (record->action == FM_BOOK_SET && record->number[1].mantissa == FM_ABSENT)
        return fm_draft_fail(draft, FM_FIELD_SIZE, FM_size_missing, missing);
    if (record->action == FM_BOOK_DELETE || record->number[1].mantissa == 0) {
        record->action = FM_BOOK_DELETE;
        record->number[1] = (fm_decimal_number){0};
        record->order_count = 0;
    }
    return 1;
}

static int finish_order(fm_draft *draft)
{
    fm_record *record = draft->record;
    if (!fm_draft_has(draft, FM_FIELD_ACTION))
        return fm_draft_fail(draft, FM_FIELD_ACTION, FM_action_missing, missing);
    FM_TRY(finish_common(draft, actions[record->action].of_order));
    if (!fm_draft_has(draft, FM_FIELD_ACCOUNT))
        record->account = 0;
    if (record->action == FM_ORDER_CLEAR) {
        record->order_id = 0;
        return finish_clear(record);
    }
    if (!fm_draft_has(draft, FM_FIELD_ORDER))
        return fm_draft_fail(draft, FM_FIELD_ORDER, FM_order_missing, missing);
    if (record->action == FM_ORDER_ADD)
        FM_TRY(need_place(draft));
    if (record->action != FM_ORDER_CANCEL && record->number[1].mantissa == FM_ABSENT)
        return fm_draft_fail(draft, FM_FIELD_SIZE, FM_size_missing, missing);
    if (record->action == FM_ORDER_ADD && record->number[1].mantissa == 0)
        return fm_draft_fail(draft, FM_FIELD_SIZE, FM_size_invalid, not_above_zero);
    return 1;
}

static int finish_kind(fm_draft *draft)
{
    if (FM_UNLIKELY((draft->absent & FM_DRAFT_RARE_REFUSED) != 0) && draft->record->kind >= FM_BAR)
        return fm_draft_fail_rare(draft);
    switch (draft->record->kind) {
    case FM_BAR:
        return finish_bar(draft);
    case FM_BOOK:
        return finish_book(draft);
    case FM_ORDER:
        return finish_order(draft);
    case FM_VALUE:
        return fm_draft_has(draft, FM_FIELD_VALUE) ? 1
                                                   : fm_draft_fail(draft, FM_FIELD_VALUE, FM_value_missing, missing);
    default:
        return fm_draft_has(draft, FM_FIELD_PHASE) ? 1
                                                   : fm_draft_fail(draft, FM_FIELD_PHASE, FM_phase_invalid, missing);
    }
}

/* Out of line: in line it would cost trades and quotes the saving of registers. */
__attribute__((noinline)) int fm_draft_finish_rare(fm_draft *draft)
{
    FM_TRY(finish_kind(draft));
    return fm_draft_finish_keys(draft);
}
