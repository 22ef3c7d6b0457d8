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

/* The same for x from 0 on when it has at most `scale` decimals and fifteen digits, as the price before had; false when
 * it has not, or is nothing a decimal can be. */
static inline bool fm_decimal_of_double_near(double x, int scale, fm_decimal_number *out);

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

/* What the first of two digits, pairs and fours count; in memory, where an instruction takes them from. */
extern const __m128i fm_digits_weight[3];

/* The number that sixteen digits make, the first in the lowest byte: pairs, fours, eights, and both eights. */
static inline uint64_t fm_digits_join16(__m128i digits)
{
    digits = _mm_maddubs_epi16(digits, fm_digits_weight[0]);
    digits = _mm_madd_epi16(digits, fm_digits_weight[1]);
    digits = _mm_packus_epi32(digits, digits);
    digits = _mm_madd_epi16(digits, fm_digits_weight[2]);
    uint64_t halves = (uint64_t)_mm_cvtsi128_si64(digits);
    return (uint64_t)(uint32_t)halves * 100000000 + (halves >> 32);
}

/* 0xff for each byte that is a digit: moved to the top of the signed bytes, all others are below. */
static inline __m128i fm_digits_mask(__m128i text)
{
    return _mm_cmpgt_epi8(_mm_add_epi8(text, _mm_set1_epi8(0x7f - '9')), _mm_set1_epi8(0x7f - 10));
}

/* False when they are not all digits. */
static inline bool fm_digits_sixteen(__m128i text, uint64_t *out)
{
    __m128i digits = _mm_xor_si128(text, _mm_set1_epi8('0')), most = _mm_set1_epi8(9);
    __m128i above = _mm_subs_epu8(digits, most);
    if (FM_UNLIKELY(!_mm_testz_si128(above, above)))
        return false;
    *out = fm_digits_join16(digits);
    return true;
}

/* A time: nineteen digits and not one more; twenty bytes are readable. NULL when it is another number. */
static inline const char *fm_number_scan_ns(const char *at, uint64_t *out)
{
    unsigned a = (unsigned)at[0] - '0', b = (unsigned)at[1] - '0', c = (unsigned)at[2] - '0';
    unsigned next = (unsigned char)at[19];
    uint64_t rest;
    if (FM_UNLIKELY(a - 1 > 8 || b > 9 || c > 9 || next - '0' < 10 || (next | 0x20) == 'e' || next == '.' ||
                    !fm_digits_sixteen(_mm_loadu_si128((const __m128i *)(const void *)(at + 3)), &rest)))
        return NULL;
    *out = (a * 100 + b * 10 + c) * UINT64_C(10000000000000000) + rest;
    return at + 19;
}

extern const uint8_t fm_digits_slide[32];       /* at n: moves n bytes to the end, zeros before them */
extern const uint8_t fm_digits_unpoint[16][16]; /* d: closes the gap of a point d digits before the end */

/* The number of the first `kept` of sixteen digits, 1 to 16 of them; what follows does not count. */
static inline __m128i fm_digits_first(__m128i digits, uint64_t kept)
{
    return _mm_shuffle_epi8(digits, _mm_loadu_si128((const __m128i *)(const void *)(fm_digits_slide + kept)));
}

/* True unless `whole` digits at `at` are 1 to 15, and more than one do not begin with 0: together, as no branch could
 * learn which prices are below 1. */
static inline bool fm_digits_odd(const char *at, uint64_t whole)
{
    return (whole - 1 > 14) | ((*at == '0') & (whole != 1));
}

/* An integer without sign of up to fifteen digits. Returns what follows them, which must be neither point nor exponent;
 * NULL when it is another number. Reads 16 bytes. */
static inline __attribute__((always_inline)) const char *fm_number_scan_count(const char *at, uint64_t *digits)
{
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)at);
    unsigned other = ~(unsigned)_mm_movemask_epi8(fm_digits_mask(text));
    uint64_t whole = (unsigned)__builtin_ctz(other);
    if (FM_UNLIKELY(fm_digits_odd(at, whole)))
        return NULL;
    *digits = fm_digits_join16(fm_digits_first(_mm_sub_epi8(text, _mm_set1_epi8('0')), whole));
    return at + whole;
}

/* A number without sign that ends within fifteen characters: digits / 10^decimals, without zeros at the end of a
 * fraction. Returns what follows it, which must not be an exponent; NULL when it is another. Reads 17 bytes. What comes
 * in no order (a first or a last zero) is no branch. */
static inline __attribute__((always_inline)) const char *fm_number_scan_near(const char *at, uint64_t *digits,
                                                                             unsigned *decimals)
{
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)at);
    unsigned other = ~(unsigned)_mm_movemask_epi8(fm_digits_mask(text));
    uint64_t whole = (unsigned)__builtin_ctz(other), used = whole;
    text = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    if (FM_UNLIKELY(fm_digits_odd(at, whole)))
        return NULL;
    if (at[whole] == '.') {
        unsigned behind = other & (other - 1);
        used = (unsigned)__builtin_ctz(behind);
        if (FM_UNLIKELY(used > 15 || used == whole + 1))
            return NULL;
        unsigned zeros = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_setzero_si128()));
        unsigned kept = 32 - (unsigned)__builtin_clz(~zeros & (behind - 1) & ~behind); /* the point is no zero */
        *decimals = kept - 1 - (unsigned)whole;
        __m128i unpoint = _mm_load_si128((const __m128i *)(const void *)fm_digits_unpoint[*decimals]);
        *digits = fm_digits_join16(_mm_shuffle_epi8(fm_digits_first(text, kept), unpoint));
        return at + used;
    }
    *digits = fm_digits_join16(fm_digits_first(text, whole));
    *decimals = 0;
    return at + used;
}

extern const double fm_power_of_ten_exact[23]; /* every one is a double exactly */

/* Up to fifteen digits a decimal and its double determine each other: one that reads back is the one. */
static inline bool fm_decimal_of_double_near(double x, int scale, fm_decimal_number *out)
{
    double power = fm_power_of_ten_exact[scale];
    int64_t mantissa = _mm_cvttsd_si64(_mm_set_sd(x * power + 0.5)); /* INT64_MIN for what does not fit */
    if (FM_UNLIKELY((uint64_t)mantissa >= 1000000000000000 || (double)mantissa / power != x))
        return false;
    uint64_t digits = (uint64_t)mantissa;
    while (scale > 0 && digits % 10 == 0) {
        digits /= 10;
        scale--;
    }
    out->mantissa = (int64_t)digits;
    out->scale = scale;
    return true;
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
