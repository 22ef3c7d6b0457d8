/* ingest/decode/likely.h - which key comes next: feeds write the records of a kind with the same keys in the same
 * order.
 *
 * decoder.column holds a row for each kind: the fields of its last record in their order, FM_FIELD_NONE behind the
 * last. A row is nothing but a guess. A decoder compares the bytes of the expected key in one step and reads its value
 * in the one form that feeds write; whatever is different (another key, an escape, an exponent, the end of the body
 * near) is read by the general way, which also corrects the row. So a wrong guess costs time and never changes a
 * result.
 *
 * That a key stands once is not asked for key by key: each sets its bit, and where fewer bits than keys were set, the
 * record is read once more in the general way, which finds the second one. */
#ifndef FM_INGEST_DECODE_LIKELY_H
#define FM_INGEST_DECODE_LIKELY_H

#include "ingest/decode/machine.h"

#include <stddef.h>

#define FM_LIKELY_KEYS 16 /* of a row; the last is always FM_FIELD_NONE */
static_assert(FM_LIKELY_KEYS * (FM_ORDER + 1) == sizeof(((fm_decoder *)0)->column), "a row for each kind");

extern const uint8_t fm_likely_first[128];

/* Begins a record: the row of the one before it, until the type says which. */
static inline uint8_t *fm_likely_begin(fm_decoder *decoder)
{
    return decoder->column + decoder->likely_row;
}

static inline unsigned fm_likely_place(const fm_decoder *decoder, const uint8_t *expected)
{
    return (unsigned)(expected - decoder->column) % FM_LIKELY_KEYS;
}

/* The same place in the row of a kind. */
static inline uint8_t *fm_likely_kind(fm_decoder *decoder, const uint8_t *expected, unsigned kind)
{
    unsigned place = fm_likely_place(decoder, expected);
    decoder->likely_row = (uint8_t)(FM_LIKELY_KEYS * (kind % 8));
    return decoder->column + decoder->likely_row + place;
}

/* The key that stood here after all; returns the next place. */
static inline uint8_t *fm_likely_learn(const fm_draft *draft, fm_decoder *decoder, uint8_t *expected, fm_field field)
{
    if (fm_likely_place(decoder, expected) == FM_LIKELY_KEYS - 1)
        return expected; /* beyond the last place every key is a surprise */
    *expected++ = (uint8_t)field;
    return field == FM_FIELD_TYPE ? fm_likely_kind(decoder, expected, draft->record->kind) : expected;
}

/* A key as it is expected: its bytes on the wire and what becomes of its value. */
typedef struct fm_likely_key {
    union {
        char text[16];
        struct {
            char head, name[15]; /* MessagePack */
        };
    };
    uint8_t mask[16]; /* 0xff for each byte of the text */
    uint64_t bit;     /* of its field */
    uint32_t place;   /* FM_LIKELY_PLACE */
    uint8_t size, form, field;
    uint8_t unused[17];
} fm_likely_key;
static_assert(sizeof(fm_likely_key) == 64, "a cache line");

#define FM_LIKELY_KEY(text, id, form)                                                                                  \
    {                                                                                                                  \
        {text}, FM_MASK(sizeof(text) - 1), FM_FIELD_BIT(id), FM_LIKELY_PLACE(id), sizeof(text) - 1, form,              \
            FM_FIELD_##id,                                                                                             \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

static inline fm_slice *fm_likely_name(const fm_draft *draft, const fm_likely_key *key)
{
    return (fm_slice *)(void *)((char *)draft->record + key->place);
}

static inline void fm_likely_decimal(fm_draft *draft, const fm_likely_key *key, int64_t mantissa, int scale)
{
    fm_decimal_number *decimal = (fm_decimal_number *)(void *)((char *)draft->decimal + key->place);
    decimal->mantissa = mantissa;
    decimal->scale = scale;
}

static inline uint32_t fm_load4(const char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t fm_load8(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline __m128i fm_load16(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline bool fm_likely_stands(__m128i bytes, const char text[16], const uint8_t mask[16])
{
    __m128i other = _mm_xor_si128(bytes, _mm_load_si128((const __m128i *)(const void *)text));
    return _mm_testz_si128(other, _mm_load_si128((const __m128i *)(const void *)mask));
}

/* The keys seen are all that a trade or a quote of the usual shape needs; one side alone of a quote is for the general
 * way. `row` and `source` come together or not at all. */
static inline bool fm_likely_whole(uint64_t seen, unsigned kind)
{
    const uint64_t prices = kind == FM_QUOTE ? FM_FIELD_BIT(BID) | FM_FIELD_BIT(ASK) : FM_FIELD_BIT(PRICE);
    const uint64_t needed = FM_FIELD_BIT(TYPE) | FM_FIELD_BIT(SYMBOL) | FM_FIELD_BIT(TS) | prices;
    return (seen & needed) == needed && !((seen >> FM_FIELD_ROW ^ seen >> FM_FIELD_SOURCE) & 1);
}

static inline void fm_likely_count(fm_record *record, fm_field field, uint64_t count)
{
    if (field == FM_FIELD_SEQ)
        record->seq = count;
    else if (field == FM_FIELD_ROW)
        record->row = count;
    else
        record->seq_index = (uint32_t)count;
}

/* 0xff for each of the first `size` bytes. */
#define FM_MASK_BYTE(size, index) ((index) < (size) ? 0xff : 0)
#define FM_MASK_BYTE4(size, index)                                                                                     \
    FM_MASK_BYTE(size, index), FM_MASK_BYTE(size, (index) + 1), FM_MASK_BYTE(size, (index) + 2),                       \
        FM_MASK_BYTE(size, (index) + 3)
#define FM_MASK(size)                                                                                                  \
    {                                                                                                                  \
        FM_MASK_BYTE4(size, 0), FM_MASK_BYTE4(size, 4), FM_MASK_BYTE4(size, 8), FM_MASK_BYTE4(size, 12)                \
    }

/* Where in the record, or for decimals in the draft's, the value of a field goes. */
#define FM_LIKELY_PLACE(id)                                                                                            \
    (uint32_t)(FM_FIELD_##id == FM_FIELD_SYMBOL ? offsetof(fm_record, symbol)                                          \
               : FM_FIELD_##id >= FM_FIELD_VENUE                                                                       \
                   ? offsetof(fm_record, venue) + (FM_FIELD_##id - FM_FIELD_VENUE) * sizeof(fm_slice)                  \
                   : (FM_FIELD_##id - FM_FIELD_PRICE) * sizeof(fm_decimal_number))

/* Length of the run of printable ASCII at `at`, at most 16 (0x20 or 0x21 to 0x7e; in JSON no '"' and no '\\'), of 16
 * readable bytes. `allowed` are the pairs of first and last bytes that belong to it. */
#define FM_LIKELY_RUN(allowed, at)                                                                                     \
    (unsigned)_mm_cmpistri(allowed, _mm_loadu_si128((const __m128i *)(const void *)(at)),                              \
                           _SIDD_UBYTE_OPS | _SIDD_CMP_RANGES | _SIDD_NEGATIVE_POLARITY)

#endif
