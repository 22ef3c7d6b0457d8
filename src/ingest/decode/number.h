/* ingest/decode/number.h - numbers as their digits: exact decimals for prices and sizes, correctly rounded doubles for
 * values.
 *
 * A number is read once, by the grammar of JSON (RFC 8259, section 6), into digits * 10^exponent. Up to 19 significant
 * digits are kept exactly, which is more than any decimal that can be taken has: |mantissa| <= 2^53. */
#ifndef FM_INGEST_DECODE_NUMBER_H
#define FM_INGEST_DECODE_NUMBER_H

#include "base/assert.h"
#include "base/record.h"

#include <smmintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct fm_number {
    uint64_t digits;  /* value = digits * 10^exponent */
    int64_t exponent; /* of the last digit that is not zero when truncated */
    const char *text; /* as it stands in the body; NULL when it never was text */
    size_t text_size;
    bool negative;
    bool integer;   /* written without fraction and exponent */
    bool truncated; /* more than 19 significant digits */
} fm_number;

enum { FM_DECIMAL_TOO_PRECISE = -1, FM_DECIMAL_TOO_LARGE = -2 };

#define FM_REAL_TEXT_MAX 1024 /* characters of a number that is to become a double */

/* Reads the number at `at`. Returns what follows it, or NULL when there is no number; what may follow is the caller's
 * affair. */
const char *fm_number_scan(const char *at, const char *end, fm_number *out);

/* The exact decimal with the smallest scale: "1.3850" is 1385 / 10^3. 0, or FM_DECIMAL_TOO_*. */
static inline int fm_number_decimal(const fm_number *number, int scale_max, fm_decimal_number *out);

/* The shortest decimal that reads back as x (as binary32 when `single`), with at most scale_max decimals: a price sent
 * as the double 1.38512 is 138512 / 10^5. 0, or FM_DECIMAL_TOO_*; x must be finite. */
int fm_decimal_of_double(double x, bool single, int scale_max, fm_decimal_number *out);

/* The nearest double, ties to even. False when it is not finite or has more than FM_REAL_TEXT_MAX characters. */
bool fm_number_double(const fm_number *number, double *out);

/* --- what the functions above are made of --- */

int fm_number_decimal_slow(const fm_number *number, int scale_max, fm_decimal_number *out);

/* Eight characters as digits: each byte that is one holds its value, and the mask has bit 7 set in the others up to the
 * first such byte from 0x8a on, behind which it may lie (a carry). */
static inline uint64_t fm_digits_load(const char *at, uint64_t *other)
{
    uint64_t word;
    memcpy(&word, at, 8);
    word ^= UINT64_C(0x3030303030303030);
    *other = ((word + UINT64_C(0x7676767676767676)) | word) & UINT64_C(0x8080808080808080);
    return word;
}

/* The number that eight digits make, the first in the lowest byte: pairs, fours, eights. */
static inline uint64_t fm_digits_join(uint64_t word)
{
    __m128i digits = _mm_cvtsi64_si128((long long)word);
    digits = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));
    digits = _mm_madd_epi16(digits, _mm_set1_epi32(0x00010064));
    digits = _mm_packus_epi32(digits, digits);
    digits = _mm_madd_epi16(digits, _mm_set1_epi32(0x00012710));
    return (uint32_t)_mm_cvtsi128_si32(digits);
}

/* A number without sign and exponent that ends within eight characters, as most do: digits / 10^decimals. NULL when it
 * is another. */
static inline const char *fm_number_scan_short(const char *at, const char *end, uint64_t *digits, unsigned *decimals)
{
    if (FM_UNLIKELY(end - at < 8))
        return NULL;
    uint64_t other, word = fm_digits_load(at, &other);
    if (FM_UNLIKELY(other == 0 || (other & 0x80)))
        return NULL;
    unsigned whole = (unsigned)__builtin_ctzll(other) - 7; /* bits */
    unsigned used = whole;
    if (at[whole >> 3] == '.') {
        other &= other - 1;
        if (FM_UNLIKELY(other == 0))
            return NULL;
        used = (unsigned)__builtin_ctzll(other) - 7;
        uint64_t below = (UINT64_C(1) << whole) - 1;
        word = ((word & below) | ((word >> 8) & ~below)) << (72 - used);
    } else {
        word <<= 64 - used;
    }
    const char *next = at + (used >> 3);
    *decimals = (used - whole) >> 3;
    if (FM_UNLIKELY((*next | 0x20) == 'e' || *decimals == 1 || (*at == '0' && whole > 8)))
        return NULL;
    *decimals -= *decimals != 0; /* the point itself */
    *digits = fm_digits_join(word);
    return next;
}

/* A time: nineteen digits, sixteen of them at once. NULL when it is another number. */
static inline const char *fm_number_scan_ns(const char *at, const char *end, uint64_t *out)
{
    if (FM_UNLIKELY(end - at < 20))
        return NULL;
    __m128i digits = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)at), _mm_set1_epi8(0x30));
    __m128i other = _mm_subs_epu8(digits, _mm_set1_epi8(9));
    unsigned a = (unsigned)at[16] - '0', b = (unsigned)at[17] - '0', c = (unsigned)at[18] - '0';
    unsigned next = (unsigned char)at[19];
    if (FM_UNLIKELY(!_mm_testz_si128(other, other) || a > 9 || b > 9 || c > 9 || next - '0' < 10 ||
                    (next | 0x20) == 'e' || next == '.' || *at == '0'))
        return NULL;
    digits = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010a));
    digits = _mm_madd_epi16(digits, _mm_set1_epi32(0x00010064));
    digits = _mm_packus_epi32(digits, digits);
    digits = _mm_madd_epi16(digits, _mm_set1_epi32(0x00012710));
    uint64_t halves = (uint64_t)_mm_cvtsi128_si64(digits);
    *out = ((halves & UINT32_MAX) * 100000000 + (halves >> 32)) * 1000 + a * 100 + b * 10 + c;
    return at + 19;
}

static inline int fm_number_decimal(const fm_number *number, int scale_max, fm_decimal_number *out)
{
    uint64_t digits = number->digits;
    int64_t scale = -number->exponent;
    if (FM_UNLIKELY(scale < 0 || scale > scale_max || digits > (uint64_t)FM_MAGNITUDE_MAX || number->truncated))
        return fm_number_decimal_slow(number, scale_max, out);
    while (scale > 0 && digits % 10 == 0) {
        digits /= 10;
        scale--;
    }
    out->mantissa = number->negative ? -(int64_t)digits : (int64_t)digits;
    out->scale = (int32_t)scale;
    return 0;
}

#endif
