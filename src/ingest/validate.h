/* ingest/validate.h - what a record must be, in one place for every decoder and file format.
 *
 * A decoder reads keys and hands each value over in the form it has (text, number, double, name in a list); the draft
 * checks it by the rules of its field and keeps it. fm_draft_finish checks what only the whole record can tell. Rules:
 *
 * - The first value that is refused decides the reason; but a missing, unknown or unsupported `type` goes before all,
 * since other kinds have other rules for the same keys. A record that breaks its own grammar never gets here.
 * - null is "not given". A key stands once, null or not.
 * - Prices and sizes are exact; the scale kept is the smallest, so one value has one form whatever the wire was.
 * - A trade's price is above 0, its size from 0 or absent. A quote has at least one side; a size needs its price. Size
 * 0 withdraws a side, and only then may its price be 0. Crossed quotes are taken: what they mean is for the engine to
 * judge.
 * - Bars, levels of books and orders: validate_book.c.
 * - Known keys that a kind has no use for are checked, then counted with the unknown ones. Keys that only bars, books
 * and orders have refuse nothing else, whatever their value is: feeds of trades have an "order" or "account" of their
 * own. */
#ifndef FM_INGEST_VALIDATE_H
#define FM_INGEST_VALIDATE_H

#include "base/assert.h"
#include "base/hash.h"
#include "base/record.h"
#include "ingest/decode.h"
#include "ingest/decode/fields.h"
#include "ingest/decode/number.h"
#include "ingest/decode/scan.h"

typedef struct fm_draft {
    fm_record *record;
    const fm_decode_limits *limits;
    uint64_t seen;   /* FM_FIELD_BITs of keys that stood in the record */
    uint64_t absent; /* of those whose value is null; FM_DRAFT_BOOK_SIDE, FM_DRAFT_RARE_REFUSED */
    int type_code;   /* 0, or FM_type_unknown, FM_type_unsupported */
    int code;        /* of the first value refused; 0 = none */
    fm_field field;
    const char *at;     /* where it stands */
    const char *reason; /* static */
    const char *type_at;
    struct {
        int code;
        fm_field field;
        const char *at, *reason;
    } rare;                                                              /* with FM_DRAFT_RARE_REFUSED */
    fm_decimal_number decimal[FM_FIELD_BUY_VOLUME - FM_FIELD_PRICE + 1]; /* by field; only those present */
} fm_draft;

/* The first value refused of a key that only bars, books and orders have: fm_draft.rare. */
#define FM_DRAFT_RARE_REFUSED (UINT64_C(1) << 63)

/* The side was told as "bid" or "ask", which no trade may. */
#define FM_DRAFT_BOOK_SIDE (UINT64_C(1) << FM_FIELD_NONE)

/* A record of which nothing is known yet. */
static inline void fm_record_begin(fm_record *record);

void fm_draft_init(fm_draft *draft, fm_record *record, const fm_decode_limits *limits);

/* The key stands in the record; false when it stood there before. */
static inline bool fm_draft_key(fm_draft *draft, fm_field field)
{
    uint64_t bit = UINT64_C(1) << field;
    bool fresh = !(draft->seen & bit);
    draft->seen |= bit;
    return fresh;
}

/* The value of the key just given is null: it is not given. */
static inline void fm_draft_null(fm_draft *draft, fm_field field)
{
    draft->absent |= UINT64_C(1) << field;
}

/* Refuses the value; the first refusal stays. Code 0 and reason NULL are the field's own: it has the wrong form. */
void fm_draft_refuse(fm_draft *draft, fm_field field, int code, const char *at, const char *reason);

/* Values. `text` is kept by names and symbols and must stay valid as long as the record; the others are done with it at
 * return.
 */
static inline void fm_draft_text(fm_draft *draft, fm_field field, fm_slice text, const char *at);
static inline void fm_draft_plain_name(fm_draft *draft, fm_field field, fm_slice text, const char *at);
static inline void fm_draft_number(fm_draft *draft, fm_field field, const fm_number *number, const char *at);
void fm_draft_double(fm_draft *draft, fm_field field, double x, bool single, const char *at);
void fm_draft_condition(fm_draft *draft, fm_slice name, const char *at);
void fm_draft_flag(fm_draft *draft, fm_field field, bool value, const char *at);

/* 1 when the record is complete and good; else the code, with field, at and reason in the draft (at may be NULL). */
int fm_draft_finish(fm_draft *draft) FM_CHECKED;

/* --- what the functions above are made of --- */

/* The whole record is refused. Returns code. */
int fm_draft_fail(fm_draft *draft, fm_field field, int code, const char *reason);

/* The same for what FM_DRAFT_RARE_REFUSED says. */
int fm_draft_fail_rare(fm_draft *draft);

/* What fm_draft_finish asks of kinds other than trades and quotes. */
int fm_draft_finish_rare(fm_draft *draft) FM_CHECKED;
/* The last of it: keys that the kind has no use for. */
int fm_draft_finish_keys(fm_draft *draft) FM_CHECKED;

static inline bool fm_draft_has(const fm_draft *draft, fm_field field)
{
    return (draft->seen & ~draft->absent) >> field & 1;
}

/* Part by part, as it was written: one wide load would wait for the narrow stores to leave the store buffer. */
static inline void fm_draft_copy(const fm_draft *draft, fm_field field, fm_decimal_number *out)
{
    const fm_decimal_number *in = &draft->decimal[field - FM_FIELD_PRICE];
    out->mantissa = in->mantissa;
    out->scale = in->scale;
}

/* By vector stores: for this size compilers write `rep stos`, which takes longer to start than all of it to store. */
static inline void fm_record_begin(fm_record *record)
{
    const __m128i zero = _mm_setzero_si128(), none = _mm_cvtsi64_si128((long long)FM_SEQ_ABSENT);
    const __m128i absent = _mm_cvtsi64_si128(FM_ABSENT);
    char *at = (char *)record;
#define BEGIN(member, value) _mm_storeu_si128((__m128i *)(void *)(at + offsetof(fm_record, member)), value)
    static_assert(offsetof(fm_record, seq) == 16 && offsetof(fm_record, row) == 32 &&
                      offsetof(fm_record, number) == 48 && offsetof(fm_record, id_hash) == 112 &&
                      offsetof(fm_record, symbol) == 128 && offsetof(fm_record, unknown_keys) == 208,
                  "two words a store, and one that is left");
    BEGIN(ts_ns, zero);
    BEGIN(seq, none);
    BEGIN(row, none);
    BEGIN(number[0], absent);
    BEGIN(number[1], absent);
    BEGIN(number[2], absent);
    BEGIN(number[3], absent);
    BEGIN(id_hash, zero);
    BEGIN(symbol, zero);
    BEGIN(venue, zero);
    BEGIN(channel, zero);
    BEGIN(session, zero);
    BEGIN(source, zero);
#undef BEGIN
    record->unknown_keys = 0;
}

void fm_draft_rare_type(fm_draft *draft, fm_slice text, const char *at);
void fm_draft_rare_text(fm_draft *draft, fm_field field, fm_slice text, const char *at);
void fm_draft_rare_number(fm_draft *draft, fm_field field, const fm_number *number, const char *at);
void fm_draft_action(fm_draft *draft, fm_slice text, const char *at);
void fm_draft_word(fm_draft *draft, fm_field field, fm_slice text, const char *at);
void fm_draft_time(fm_draft *draft, fm_slice text, const char *at);
void fm_draft_decimal_text(fm_draft *draft, fm_field field, fm_slice text, const char *at);
void fm_draft_decimal_failed(fm_draft *draft, fm_field field, int why, const char *at);
void fm_draft_name_failed(fm_draft *draft, fm_field field, const char *at);
void fm_draft_ts_failed(fm_draft *draft, const fm_number *number, const char *at);
void fm_draft_rare_count(fm_draft *draft, fm_field field, uint64_t count, const char *at);
void fm_draft_count_failed(fm_draft *draft, fm_field field, const char *at);
void fm_draft_real(fm_draft *draft, const fm_number *number, const char *at);

/* Where names are kept, from FM_FIELD_VENUE on in the order of fields.def. */
static inline fm_slice *fm_draft_place(fm_record *record, fm_field field)
{
    return field == FM_FIELD_SYMBOL ? &record->symbol : &record->venue + (field - FM_FIELD_VENUE);
}

static inline void fm_draft_name(fm_draft *draft, fm_field field, fm_slice text, bool good, const char *at)
{
    if (FM_UNLIKELY(!good)) {
        fm_draft_name_failed(draft, field, at);
        return;
    }
    *fm_draft_place(draft->record, field) = text;
}

/* A name of which only the hash is kept. */
static inline void fm_draft_identity(fm_record *record, fm_field field, fm_slice name)
{
    uint64_t hash = fm_hash_slice(name);
    if (field == FM_FIELD_ID)
        record->id_hash = hash;
    else if (field == FM_FIELD_BUYER)
        record->buyer = (uint32_t)hash;
    else if (field == FM_FIELD_SELLER)
        record->seller = (uint32_t)hash;
    else
        record->account = (uint32_t)hash;
}

static inline void fm_draft_type(fm_draft *draft, fm_slice text, const char *at)
{
    if (text.size == 5 && memcmp(text.data, "trade", 5) == 0)
        draft->record->kind = FM_TRADE;
    else if (text.size == 5 && memcmp(text.data, "quote", 5) == 0)
        draft->record->kind = FM_QUOTE;
    else
        fm_draft_rare_type(draft, text, at);
}

/* A name that fm_scan_plain ended, from the lowest byte that the field takes. */
static inline void fm_draft_plain_name(fm_draft *draft, fm_field field, fm_slice text, const char *at)
{
    fm_draft_name(draft, field, text, text.size - 1 < FM_NAME_MAX, at);
}

static inline void fm_draft_text(fm_draft *draft, fm_field field, fm_slice text, const char *at)
{
    switch (fm_field_rows[field].form) {
    case FORM_SYMBOL:
    case FORM_NAME:
        fm_draft_name(draft, field, text, fm_name_valid(text.data, text.size, field == FM_FIELD_SYMBOL ? 0x21 : 0x20),
                      at);
        return;
    case FORM_TYPE:
        fm_draft_type(draft, text, at);
        return;
    case FORM_WORD:
        fm_draft_word(draft, field, text, at);
        return;
    case FORM_TIME:
        fm_draft_time(draft, text, at);
        return;
    case FORM_DECIMAL:
        fm_draft_decimal_text(draft, field, text, at);
        return;
    default:
        fm_draft_rare_text(draft, field, text, at);
    }
}

static inline void fm_draft_decimal(fm_draft *draft, fm_field field, const fm_number *number, const char *at)
{
    int why = fm_number_decimal(number, draft->limits->scale_max, &draft->decimal[field - FM_FIELD_PRICE]);
    if (FM_UNLIKELY(why < 0 || (number->negative && number->digits != 0)))
        fm_draft_decimal_failed(draft, field, why, at);
}

/* What fm_number_scan_short found. */
static inline void fm_draft_short(fm_draft *draft, fm_field field, uint64_t digits, unsigned decimals, const char *at)
{
    while (decimals > 0 && digits % 10 == 0) {
        digits /= 10;
        decimals--;
    }
    fm_decimal_number *decimal = &draft->decimal[field - FM_FIELD_PRICE];
    decimal->mantissa = (int64_t)digits;
    decimal->scale = (int32_t)decimals;
    if (FM_UNLIKELY((int)decimals > draft->limits->scale_max))
        fm_draft_decimal_failed(draft, field, FM_DECIMAL_TOO_PRECISE, at);
}

static inline bool fm_draft_ts_good(fm_draft *draft, uint64_t digits)
{
    if (FM_UNLIKELY(digits < (uint64_t)draft->limits->ts_min_ns || digits > (uint64_t)draft->limits->ts_max_ns))
        return false;
    draft->record->ts_ns = (int64_t)digits;
    return true;
}

static inline void fm_draft_ts(fm_draft *draft, const fm_number *number, const char *at)
{
    if (!number->integer || number->negative || number->exponent != 0 || !fm_draft_ts_good(draft, number->digits))
        fm_draft_ts_failed(draft, number, at);
}

static inline void fm_draft_count(fm_draft *draft, fm_field field, uint64_t count, bool good, const char *at)
{
    if (FM_UNLIKELY(!good || count > (uint64_t)INT64_MAX))
        fm_draft_count_failed(draft, field, at);
    else if (field == FM_FIELD_SEQ)
        draft->record->seq = count;
    else if (field == FM_FIELD_ROW)
        draft->record->row = count;
    else
        fm_draft_rare_count(draft, field, count, at);
}

static inline void fm_draft_number(fm_draft *draft, fm_field field, const fm_number *number, const char *at)
{
    switch (fm_field_rows[field].form) {
    case FORM_DECIMAL:
        fm_draft_decimal(draft, field, number, at);
        return;
    case FORM_TIME:
        fm_draft_ts(draft, number, at);
        return;
    case FORM_COUNT:
        fm_draft_count(draft, field, number->digits, number->integer && !number->negative && number->exponent == 0, at);
        return;
    case FORM_REAL:
        fm_draft_real(draft, number, at);
        return;
    default:
        fm_draft_rare_number(draft, field, number, at);
    }
}

#endif
