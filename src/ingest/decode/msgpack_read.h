/* ingest/decode/msgpack_read.h - what the ways of reading a map of MessagePack share.
 *
 * A record goes the first of three ways that can read it, and where one cannot, nothing is told or kept: whole
 * (msgpack_usual.c), by the keys of the record before (msgpack_likely.c), key by key (msgpack.c), which alone finds
 * errors, keys that are not known and keys that stand twice. */
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
    fm_draft draft;
} fm_msgpack;

/* Reads pairs, at most *left, as long as they are the expected ones in their usual form. Returns what follows them. */
const char *fm_msgpack_likely(fm_msgpack *in, const char *at, uint64_t *left);

/* Keys as they usually stand: short texts. */
extern const fm_likely_key fm_msgpack_keys[FM_FIELD_COUNT] __attribute__((aligned(64)));

/* fm_msgpack_next for records that are not read whole. */
int fm_msgpack_next_unusual(fm_decoder *decoder, fm_record *record);

/* --- values in the form that feeds write, at `at`; what follows them, or NULL when they have another --- */

static inline uint64_t fm_msgpack_word(const char *at)
{
    return __builtin_bswap64(fm_load8(at));
}

/* A text of 1 to 16 bytes from `allowed` (FM_LIKELY_RUN). */
static inline const char *fm_msgpack_text(const char *at, __m128i allowed, fm_slice *text)
{
    unsigned byte = (unsigned char)*at, size = byte - 0xa0;
    if (FM_UNLIKELY(byte - 0xa1 >= FM_LIKELY_RUN(allowed, at + 1))) /* the run has sixteen at most */
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

static inline double fm_msgpack_double(const char *at)
{
    uint64_t bits = fm_msgpack_word(at + 1);
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

#endif
