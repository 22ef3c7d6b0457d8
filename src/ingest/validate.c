/* ingest/validate.c - the rules of each field, and of the whole record. */
#include "ingest/validate.h"

#include "ingest/decode/time.h"

#include <math.h>
#include <stddef.h>

static_assert(FM_FIELD_COUNT <= 63, "a mask has a bit for every field, and one more");
static_assert(FM_FIELD_ASK_SIZE - FM_FIELD_PRICE == 5 && FM_FIELD_BUY_VOLUME - FM_FIELD_ASK_SIZE == 6,
              "the decimals stand together");
static_assert(FM_FIELD_SOURCE - FM_FIELD_VENUE == 3, "the four names stand together");
static_assert(offsetof(fm_record, source) - offsetof(fm_record, venue) == 3 * sizeof(fm_slice), "and so in the record");

/* The kinds of fields.def. */
#define T   (1u << FM_TRADE)
#define Q   (1u << FM_QUOTE)
#define V   (1u << FM_VALUE)
#define S   (1u << FM_STATUS)
#define B   (1u << FM_BAR)
#define L   (1u << FM_BOOK)
#define O   (1u << FM_ORDER)
#define ALL (T | Q | V | S | B | L | O)

const fm_field_row fm_field_rows[FM_FIELD_COUNT] = {
    {"", FORM_NONE, FM_malformed, 0},
#define FIELD(id, name, form, code, kinds) {name, form, code, kinds},
#include "ingest/decode/fields.def"
#undef FIELD
};

const uint8_t fm_field_forms[FM_FIELD_COUNT] = {
    FORM_NONE,
#define FIELD(id, name, form, code, kinds) form,
#include "ingest/decode/fields.def"
#undef FIELD
};

/* Keys of a kind, as a mask. */
static const uint64_t fields_of_kind[] = {
#define FIELD(id, name, form, code, kinds) | (((kinds)&T) ? FM_FIELD_BIT(id) : 0)
    [FM_TRADE] = 0
#include "ingest/decode/fields.def"
#undef FIELD
#define FIELD(id, name, form, code, kinds) | (((kinds)&Q) ? FM_FIELD_BIT(id) : 0)
    ,
    [FM_QUOTE] = 0
#include "ingest/decode/fields.def"
#undef FIELD
#define FIELD(id, name, form, code, kinds) | (((kinds)&V) ? FM_FIELD_BIT(id) : 0)
    ,
    [FM_VALUE] = 0
#include "ingest/decode/fields.def"
#undef FIELD
#define FIELD(id, name, form, code, kinds) | (((kinds)&S) ? FM_FIELD_BIT(id) : 0)
    ,
    [FM_STATUS] = 0
#include "ingest/decode/fields.def"
#undef FIELD
#define FIELD(id, name, form, code, kinds) | (((kinds)&B) ? FM_FIELD_BIT(id) : 0)
    ,
    [FM_BAR] = 0
#include "ingest/decode/fields.def"
#undef FIELD
#define FIELD(id, name, form, code, kinds) | (((kinds)&L) ? FM_FIELD_BIT(id) : 0)
    ,
    [FM_BOOK] = FM_DRAFT_BOOK_SIDE
#include "ingest/decode/fields.def"
#undef FIELD
#define FIELD(id, name, form, code, kinds) | (((kinds)&O) ? FM_FIELD_BIT(id) : 0)
    ,
    [FM_ORDER] = FM_DRAFT_BOOK_SIDE
#include "ingest/decode/fields.def"
#undef FIELD
};

void fm_draft_init(fm_draft *draft, fm_record *record, const fm_decode_limits *limits)
{
    fm_record_begin(record);
    draft->record = record;
    draft->limits = limits;
    draft->seen = draft->absent = 0;
    draft->type_code = draft->code = 0;
}

static const char *const wrong_form[] = {
    [FORM_TYPE] = "must be text",
    [FORM_SYMBOL] = "must be text",
    [FORM_NAME] = "must be text",
    [FORM_WORD] = "must be text",
    [FORM_TIME] = "must be integer nanoseconds or RFC 3339 text",
    [FORM_DECIMAL] = "must be a number, or a number as text",
    [FORM_COUNT] = "must be an integer",
    [FORM_REAL] = "must be a number",
    [FORM_LIST] = "must be an array of names",
    [FORM_ORDER] = "must be an integer from 0 to 2^64 - 1, or 1 to 64 bytes of printable ASCII",
    [FORM_SPAN] = "must be integer nanoseconds, or text such as \"1m\"",
    [FORM_FLAG] = "must be true or false",
};

/* As if it were not there, until the kind says that it had to be. */
static __attribute__((noinline, cold)) void refuse_rare(fm_draft *draft, fm_field field, int code, const char *at,
                                                        const char *reason)
{
    fm_draft_null(draft, field);
    draft->record->unknown_keys++;
    if (draft->absent & FM_DRAFT_RARE_REFUSED)
        return;
    draft->absent |= FM_DRAFT_RARE_REFUSED;
    draft->rare.code = code ? code : fm_field_rows[field].code;
    draft->rare.field = field;
    draft->rare.at = at;
    draft->rare.reason = reason ? reason : wrong_form[fm_field_rows[field].form];
}

__attribute__((noinline, cold)) void fm_draft_refuse(fm_draft *draft, fm_field field, int code, const char *at,
                                                     const char *reason)
{
    if (field == FM_FIELD_TYPE) {
        draft->type_code = FM_type_unknown;
        draft->type_at = at;
    }
    if ((fm_field_rows[field].kinds & (T | Q | V | S)) == 0) {
        refuse_rare(draft, field, code, at, reason);
        return;
    }
    if (draft->code != 0)
        return;
    draft->code = code ? code : fm_field_rows[field].code;
    draft->field = field;
    draft->at = at;
    draft->reason = reason ? reason : wrong_form[fm_field_rows[field].form];
}

static inline __attribute__((always_inline)) bool is(fm_slice text, const char *word)
{
    return text.size == __builtin_strlen(word) && memcmp(text.data, word, __builtin_strlen(word)) == 0;
}

void fm_draft_name_failed(fm_draft *draft, fm_field field, const char *at)
{
    fm_draft_refuse(draft, field, 0, at,
                    field == FM_FIELD_SYMBOL ? "must be 1 to 64 bytes of printable ASCII without spaces"
                                             : "must be 1 to 64 bytes of printable ASCII");
}

void fm_draft_rare_type(fm_draft *draft, fm_slice text, const char *at)
{
    if (is(text, "value")) {
        draft->record->kind = FM_VALUE;
    } else if (is(text, "status")) {
        draft->record->kind = FM_STATUS;
    } else if (is(text, "bar")) {
        draft->record->kind = FM_BAR;
    } else if (is(text, "book")) {
        draft->record->kind = FM_BOOK;
    } else if (is(text, "order")) {
        draft->record->kind = FM_ORDER;
    } else {
        draft->type_code = is(text, "news") ? FM_type_unsupported : FM_type_unknown;
        draft->type_at = at;
    }
}

static void take_identity(fm_draft *draft, fm_field field, fm_slice text, const char *at)
{
    if (!fm_name_valid(text.data, text.size, 0x20))
        fm_draft_name_failed(draft, field, at);
    else
        fm_draft_identity(draft->record, field, text);
}

/* "bid" and "ask" are the sides of a book, and of a trade they would say who waited, not who took. */
static void take_side(fm_draft *draft, fm_slice text, const char *at)
{
    bool bid = is(text, "bid"), ask = is(text, "ask");
    draft->record->side = is(text, "buy") || bid ? FM_BUY : is(text, "sell") || ask ? FM_SELL : FM_SIDE_NONE;
    if (bid || ask)
        draft->absent |= FM_DRAFT_BOOK_SIDE;
    if (draft->record->side == FM_SIDE_NONE)
        fm_draft_refuse(draft, FM_FIELD_SIDE, 0, at, "must be \"buy\" or \"sell\"");
}

void fm_draft_word(fm_draft *draft, fm_field field, fm_slice text, const char *at)
{
    static const char *const phases[] = {[FM_PHASE_OPEN] = "open",
                                         [FM_PHASE_AUCTION] = "auction",
                                         [FM_PHASE_HALT] = "halt",
                                         [FM_PHASE_CLOSED] = "closed"};
    fm_record *record = draft->record;
    if (field == FM_FIELD_SIDE) {
        take_side(draft, text, at);
    } else if (field == FM_FIELD_ACTION) {
        fm_draft_action(draft, text, at);
    } else if (field == FM_FIELD_PHASE) {
        for (uint32_t phase = FM_PHASE_OPEN; phase <= FM_PHASE_CLOSED; phase++)
            if (fm_slice_equal(text, fm_slice_of(phases[phase])))
                record->phase = phase;
        if (record->phase == 0)
            fm_draft_refuse(draft, field, 0, at, "must be open, auction, halt or closed");
    } else {
        take_identity(draft, field, text, at);
    }
}

static const char ts_out_of_range[] = "lies outside the years that are taken (is it in nanoseconds?)";

static void take_ts(fm_draft *draft, int64_t ts_ns, const char *at)
{
    draft->record->ts_ns = ts_ns;
    if (FM_UNLIKELY(ts_ns < draft->limits->ts_min_ns || ts_ns > draft->limits->ts_max_ns))
        fm_draft_refuse(draft, FM_FIELD_TS, FM_ts_out_of_range, at, ts_out_of_range);
}

void fm_draft_ts_failed(fm_draft *draft, const fm_number *number, const char *at)
{
    if (!number->integer)
        fm_draft_refuse(draft, FM_FIELD_TS, 0, at,
                        "must be an integer without fraction and exponent, or RFC 3339 text");
    else
        fm_draft_refuse(draft, FM_FIELD_TS, FM_ts_out_of_range, at, ts_out_of_range);
}

/* Digits only are nanoseconds too: JavaScript cannot write nineteen digits as a number. */
void fm_draft_time(fm_draft *draft, fm_slice text, const char *at)
{
    fm_number number;
    const char *end = text.data + text.size;
    if (text.size > 0 && fm_number_scan(text.data, end, &number) == end) {
        fm_draft_ts(draft, &number, at);
        return;
    }
    int64_t ts_ns;
    const char *why = fm_time_parse(text.data, text.size, &ts_ns);
    if (!why)
        take_ts(draft, ts_ns, at);
    else
        fm_draft_refuse(draft, FM_FIELD_TS, 0, at, why);
}

static bool is_price(fm_field field)
{
    return fm_field_rows[field].code == FM_price_invalid;
}

void fm_draft_decimal_failed(fm_draft *draft, fm_field field, int why, const char *at)
{
    bool price = is_price(field);
    if (why == FM_DECIMAL_TOO_PRECISE)
        fm_draft_refuse(draft, field, price ? FM_price_too_precise : FM_size_too_precise, at,
                        "has more decimals than ingest.scale_max");
    else if (why == FM_DECIMAL_TOO_LARGE)
        fm_draft_refuse(draft, field, price ? FM_price_too_large : FM_size_too_large, at,
                        "is larger than 2^53 units of its scale");
    else
        fm_draft_refuse(draft, field, price ? FM_price_negative : FM_size_negative, at, "must not be negative");
}

void fm_draft_decimal_text(fm_draft *draft, fm_field field, fm_slice text, const char *at)
{
    fm_number number;
    const char *end = text.data + text.size;
    if (text.size == 0 || fm_number_scan(text.data, end, &number) != end)
        fm_draft_refuse(draft, field, 0, at, "is not a decimal number");
    else
        fm_draft_number(draft, field, &number, at);
}

void fm_draft_count_failed(fm_draft *draft, fm_field field, const char *at)
{
    fm_draft_refuse(draft, field, 0, at,
                    field == FM_FIELD_SEQ_INDEX || field == FM_FIELD_ORDERS ? "must be an integer from 0 to 2^32 - 1"
                                                                            : "must be an integer from 0 to 2^63 - 1");
}

void fm_draft_real(fm_draft *draft, const fm_number *number, const char *at)
{
    if (!fm_number_double(number, &draft->record->value))
        fm_draft_refuse(draft, FM_FIELD_VALUE, 0, at, "does not fit in a double, or has more than 1024 characters");
}

void fm_draft_double(fm_draft *draft, fm_field field, double x, bool single, const char *at)
{
    const fm_field_row *row = &fm_field_rows[field];
    if (row->form != FORM_DECIMAL && row->form != FORM_REAL) {
        fm_draft_refuse(draft, field, 0, at, NULL);
        return;
    }
    if (!isfinite(x)) {
        fm_draft_refuse(draft, field, 0, at, "must be finite");
        return;
    }
    if (row->form == FORM_REAL) {
        draft->record->value = x;
        return;
    }
    int why = fm_decimal_of_double(x, single, draft->limits->scale_max, &draft->decimal[field - FM_FIELD_PRICE]);
    if (FM_UNLIKELY(why < 0 || x < 0))
        fm_draft_decimal_failed(draft, field, why, at);
}

static inline __attribute__((always_inline)) int condition_of_size(const char *name, size_t size)
{
#define CONDITION(bit, word, moves_last, counts_volume)                                                                \
    if (size == sizeof(#word) - 1 && memcmp(name, #word, sizeof(#word) - 1) == 0)                                      \
        return bit;
#include "base/conditions.def"
#undef CONDITION
    return -1;
}

void fm_draft_condition(fm_draft *draft, fm_slice name, const char *at)
{
    int bit = condition_of_size(name.data, name.size);
    if (bit < 0)
        fm_draft_refuse(draft, FM_FIELD_CONDITIONS, 0, at, "names a condition that is not known");
    else
        draft->record->conditions |= 1u << bit;
}

int fm_draft_fail(fm_draft *draft, fm_field field, int code, const char *reason)
{
    draft->code = code;
    draft->field = field;
    draft->at = NULL;
    draft->reason = reason;
    return code;
}

int fm_draft_fail_rare(fm_draft *draft)
{
    fm_draft_fail(draft, draft->rare.field, draft->rare.code, draft->rare.reason);
    draft->at = draft->rare.at;
    return draft->code;
}

/* One side of a quote: its size needs its price, and a price of 0 is only for withdrawing it. */
static int finish_side(fm_draft *draft, fm_field price, fm_field size, fm_decimal_number *out)
{
    bool has_size = fm_draft_has(draft, size);
    if (!fm_draft_has(draft, price))
        return has_size ? fm_draft_fail(draft, price, FM_price_missing, "is missing, though the side has a size") : 0;
    fm_draft_copy(draft, price, &out[0]);
    if (has_size)
        fm_draft_copy(draft, size, &out[1]);
    if (FM_UNLIKELY(out[0].mantissa == 0 && !(has_size && out[1].mantissa == 0)))
        return fm_draft_fail(draft, price, FM_price_negative,
                             "must be greater than zero, unless size 0 withdraws the side");
    return 1;
}

static inline int finish_tick(fm_draft *draft)
{
    fm_record *record = draft->record;
    if (record->kind == FM_TRADE) {
        if (FM_UNLIKELY(!fm_draft_has(draft, FM_FIELD_PRICE)))
            return fm_draft_fail(draft, FM_FIELD_PRICE, FM_price_missing, "is missing");
        fm_draft_copy(draft, FM_FIELD_PRICE, &record->number[0]);
        if (FM_UNLIKELY(record->number[0].mantissa == 0))
            return fm_draft_fail(draft, FM_FIELD_PRICE, FM_price_negative, "must be greater than zero");
        if (fm_draft_has(draft, FM_FIELD_SIZE))
            fm_draft_copy(draft, FM_FIELD_SIZE, &record->number[1]);
    } else {
        int bid = finish_side(draft, FM_FIELD_BID, FM_FIELD_BID_SIZE, &record->number[0]);
        FM_TRY(bid);
        int ask = finish_side(draft, FM_FIELD_ASK, FM_FIELD_ASK_SIZE, &record->number[2]);
        FM_TRY(ask);
        if (FM_UNLIKELY(bid + ask == 0))
            return fm_draft_fail(draft, FM_FIELD_BID, FM_price_missing, "is missing, and \"ask\" too");
    }
    return 1;
}

/* Something that every record needs is missing, or something was refused. */
static __attribute__((noinline, cold)) int finish_refused(fm_draft *draft, uint64_t present)
{
    if (draft->type_code != 0) {
        fm_draft_fail(draft, FM_FIELD_TYPE, draft->type_code,
                      draft->type_code == FM_type_unsupported
                          ? "names a kind of record that is not taken yet"
                          : "must be trade, quote, value, status, bar, book or order");
        draft->at = draft->type_at;
        return draft->code;
    }
    if (!(present & FM_FIELD_BIT(TYPE)))
        return fm_draft_fail(draft, FM_FIELD_TYPE, FM_type_missing, "is missing");
    if (draft->code != 0)
        return draft->code;
    if ((draft->absent & FM_DRAFT_RARE_REFUSED) != 0 && draft->record->kind >= FM_BAR)
        return fm_draft_fail_rare(draft);
    if (!(present & FM_FIELD_BIT(SYMBOL)))
        return fm_draft_fail(draft, FM_FIELD_SYMBOL, FM_symbol_missing, "is missing");
    if (!(present & FM_FIELD_BIT(TS)))
        return fm_draft_fail(draft, FM_FIELD_TS, FM_ts_missing, "is missing");
    return fm_draft_fail(draft, present & FM_FIELD_BIT(ROW) ? FM_FIELD_SOURCE : FM_FIELD_ROW, FM_row_without_source,
                         "is missing: \"src\" and \"n\" go together");
}

/* Keys that this kind has no use for: counted, and nothing of them is kept. */
static __attribute__((noinline)) int finish_useless(fm_draft *draft, uint64_t useless)
{
    fm_record *record = draft->record;
    uint8_t kind = record->kind;
    if (kind == FM_TRADE && (useless & FM_DRAFT_BOOK_SIDE) != 0)
        return fm_draft_fail(draft, FM_FIELD_SIDE, FM_side_invalid, "must be \"buy\" or \"sell\" of a trade");
    record->unknown_keys += (uint32_t)__builtin_popcountll(useless & ~FM_DRAFT_BOOK_SIDE);
    if (kind != FM_TRADE && kind != FM_BOOK && kind != FM_ORDER)
        record->side = 0;
    if (kind != FM_TRADE) {
        record->conditions = 0;
        record->id_hash = 0;
        record->buyer = record->seller = 0;
    }
    if (kind != FM_VALUE)
        record->value = 0;
    if (kind != FM_STATUS)
        record->phase = 0;
    return 1;
}

int fm_draft_finish_keys(fm_draft *draft)
{
    uint64_t keys = (draft->seen & ~draft->absent) | (draft->absent & FM_DRAFT_BOOK_SIDE);
    uint64_t useless = keys & ~fields_of_kind[draft->record->kind];
    return FM_LIKELY(useless == 0) ? 1 : finish_useless(draft, useless);
}

int fm_draft_finish(fm_draft *draft)
{
    const uint64_t needed = FM_FIELD_BIT(TYPE) | FM_FIELD_BIT(SYMBOL) | FM_FIELD_BIT(TS);
    uint64_t present = draft->seen & ~draft->absent;
    if (FM_UNLIKELY((draft->type_code | draft->code) != 0 || (present & needed) != needed ||
                    ((present >> FM_FIELD_ROW ^ present >> FM_FIELD_SOURCE) & 1)))
        return finish_refused(draft, present);
    if (FM_UNLIKELY(draft->record->kind > FM_QUOTE))
        return fm_draft_finish_rare(draft);
    FM_TRY(finish_tick(draft));
    return fm_draft_finish_keys(draft);
}
