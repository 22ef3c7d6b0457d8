/* ingest/decode/msgpack_read.h - what the ways of reading a map of MessagePack share.
 *
 * A record goes the first of three ways that can read it, and where one cannot, nothing is told or kept: by the plan of
 * the records before it (msgpack_plan.c), by the keys of the record before (msgpack_likely.c), key by key
 * (msgpack.c), which alone finds errors, keys that are not known and keys that stand twice. */
#ifndef FM_INGEST_DECODE_MSGPACK_READ_H
#define FM_INGEST_DECODE_MSGPACK_READ_H

#include "ingest/decode/likely.h"

#define FM_MSGPACK_FAR 32 /* bytes: more than fm_msgpack_likely reads of a key and its value at once */

typedef struct fm_msgpack {
    fm_decoder *decoder;
    const char *end;
    const char *far; /* up to here the end is FM_MSGPACK_FAR bytes away or more; NULL = nowhere */
    fm_field field;  /* whose value is being read */
    int code;        /* why reading stopped */
    const char *at;
    const char *reason;
    uint8_t *expected; /* the place in the likely keys */
    bool twice;        /* a key stood twice, nobody knows which */
    bool guessed;      /* all keys were the expected ones */
    fm_draft draft;
} fm_msgpack;

/* Reads pairs, at most *left, as long as they are the expected ones in their usual form. Returns what follows them. */
const char *fm_msgpack_likely(fm_msgpack *in, const char *at, uint64_t *left);

/* fm_msgpack_next for records that follow no plan; `steps` are what plans are made of. */
int fm_msgpack_next_unplanned(fm_decoder *decoder, fm_record *record, const struct fm_decode_step *steps);

/* Makes the guessed record at `begin` the plan of its kind, if it can be one. */
void fm_msgpack_plan(fm_msgpack *in, const char *begin, const struct fm_decode_step *steps);

/* --- values in the form that feeds write, at `at`; what follows them, or NULL when they have another --- */

static inline uint64_t fm_msgpack_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return __builtin_bswap64(word);
}

/* A text of 1 to 16 bytes from `allowed` (FM_LIKELY_RUN). */
static inline const char *fm_msgpack_text(const char *at, __m128i allowed, fm_slice *text)
{
    size_t size = (size_t)(unsigned char)*at - 0xa0;
    if (FM_UNLIKELY(size - 1 >= FM_LIKELY_RUN(allowed, at + 1))) /* the run has sixteen at most */
        return NULL;
    *text = (fm_slice){at + 1, size};
    return at + 1 + size;
}

/* The unsigned integer behind one of the type bytes 0xcc to 0xcf. */
static inline const char *fm_msgpack_wide(const char *at, unsigned byte, uint64_t *out)
{
    static const struct {
        uint8_t unused, size; /* bits of a word, bytes with the type */
    } wide[4] = {{56, 2}, {48, 3}, {32, 5}, {0, 9}};
    byte -= 0xcc;
    if (FM_UNLIKELY(byte > 3))
        return NULL;
    *out = fm_msgpack_word(at + 1) >> wide[byte].unused;
    return at + wide[byte].size;
}

static inline const char *fm_msgpack_unsigned(const char *at, uint64_t *out)
{
    unsigned byte = (unsigned char)*at;
    if (byte >= 0x80)
        return fm_msgpack_wide(at, byte, out);
    *out = byte;
    return at + 1;
}

/* Digits as text: exact where a double is not. */
static inline const char *fm_msgpack_digits(const char *at, int scale_max, fm_decimal_number *out)
{
    uint64_t digits;
    unsigned decimals;
    const char *next = fm_number_scan_near(at + 1, &digits, &decimals);
    if (FM_UNLIKELY(!next || next - at - 1 != (unsigned char)*at - 0xa0 || (int)decimals > scale_max))
        return NULL;
    out->mantissa = (int64_t)digits;
    out->scale = (int32_t)decimals;
    return next;
}

static inline const char *fm_msgpack_double(const char *at, int scale, fm_decimal_number *out)
{
    uint64_t bits = fm_msgpack_word(at + 1);
    double x;
    memcpy(&x, &bits, 8);
    return FM_LIKELY(fm_decimal_of_double_near(x, scale, out)) ? at + 9 : NULL;
}

/* Integers, text and doubles. */
static inline __attribute__((always_inline)) const char *fm_msgpack_decimal(const fm_decoder *decoder, const char *at,
                                                                            fm_decimal_number *out)
{
    unsigned byte = (unsigned char)*at;
    if (byte == 0xcb)
        return fm_msgpack_double(at, decoder->double_scale, out);
    if ((byte & 0xe0) == 0xa0)
        return fm_msgpack_digits(at, decoder->limits.scale_max, out);
    uint64_t digits = byte;
    at = byte < 0x80 ? at + 1 : fm_msgpack_wide(at, byte, &digits);
    if (FM_UNLIKELY(!at || digits > (uint64_t)FM_MAGNITUDE_MAX))
        return NULL;
    out->mantissa = (int64_t)digits;
    out->scale = 0;
    return at;
}

#endif
