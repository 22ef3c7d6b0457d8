/* ingest/decode/number.c - the numbers that do not take the short way: exponents, many digits, doubles. */
#include "ingest/decode/number.h"

#include <math.h>
#include <stdlib.h>

static const uint64_t power_of_ten[20] = {
    1ULL,
    10ULL,
    100ULL,
    1000ULL,
    10000ULL,
    100000ULL,
    1000000ULL,
    10000000ULL,
    100000000ULL,
    1000000000ULL,
    10000000000ULL,
    100000000000ULL,
    1000000000000ULL,
    10000000000000ULL,
    100000000000000ULL,
    1000000000000000ULL,
    10000000000000000ULL,
    100000000000000000ULL,
    1000000000000000000ULL,
    10000000000000000000ULL,
};

/* Every one of them is a double exactly, so that one multiplication or division rounds once. */
const double fm_power_of_ten_exact[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                          1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Sixteen bytes, eight words, four words and no more. */
const __m128i fm_digits_weight[3] = {{0x010a010a010a010a, 0x010a010a010a010a},
                                     {0x0001006400010064, 0x0001006400010064},
                                     {0x0001271000012710, 0x0001271000012710}};

const uint8_t fm_digits_slide[32] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                     0x80, 0x80, 0x80, 0x80, 0x80, 0,    1,    2,    3,    4,    5,
                                     6,    7,    8,    9,    10,   11,   12,   13,   14,   15};

#define FROM(d, to) ((to) > 15 - (d) ? (to) : (to) > 0 ? (to)-1 : 0x80)
#define ROW(d)                                                                                                         \
    {                                                                                                                  \
        FROM(d, 0), FROM(d, 1), FROM(d, 2), FROM(d, 3), FROM(d, 4), FROM(d, 5), FROM(d, 6), FROM(d, 7), FROM(d, 8),    \
            FROM(d, 9), FROM(d, 10), FROM(d, 11), FROM(d, 12), FROM(d, 13), FROM(d, 14), FROM(d, 15)                   \
    }
const uint8_t fm_digits_unpoint[16][16]
    __attribute__((aligned(16))) = {ROW(0), ROW(1), ROW(2),  ROW(3),  ROW(4),  ROW(5),  ROW(6),  ROW(7),
                                    ROW(8), ROW(9), ROW(10), ROW(11), ROW(12), ROW(13), ROW(14), ROW(15)};
#undef ROW
#undef FROM

#define EXPONENT_MAX 1000000000000 /* beyond any text that fits in memory can shift back */

/* More than 19 digits: the zeros at both ends do not count. `end` is behind the last digit. */
static void digits_of_many(const char *whole, const char *fraction, const char *end, fm_number *out)
{
    const char *first = NULL, *last = NULL;
    for (const char *at = whole; at < end; at++) {
        if (*at >= '1' && *at <= '9') {
            first = first ? first : at;
            last = at;
        }
    }
    out->digits = 0;
    out->exponent = 0;
    if (!first)
        return;
    int kept = 0;
    for (const char *at = first; at <= last; at++) {
        if (*at == '.')
            continue;
        if (kept++ == 19)
            break;
        out->digits = out->digits * 10 + (uint64_t)(*at - '0');
    }
    out->truncated = kept > 19;
    /* without a fraction `fraction` stands behind the last digit of the whole part */
    bool pointed = fraction > whole && fraction[-1] == '.';
    const char *point = pointed ? fraction - 1 : end;
    out->exponent = last < point ? point - last - 1 : point - last;
}

/* Reads a run of digits into *digits (wrapping beyond 19); eight at a step where eight bytes are left. */
static const char *scan_digits(const char *at, const char *end, uint64_t *digits)
{
    uint64_t sum = *digits;
    while (end - at >= 8) {
        uint64_t other, word = fm_digits_load(at, &other);
        unsigned count = other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
        if (count > 0)
            sum = sum * power_of_ten[count] +
                  fm_digits_join(word << (64 - 8 * count)); /* leading zeros for what is no digit */
        at += count;
        if (count < 8) {
            *digits = sum;
            return at;
        }
    }
    while (at < end && (unsigned char)(*at - '0') < 10)
        sum = sum * 10 + (unsigned char)(*at++ - '0');
    *digits = sum;
    return at;
}

/* "e-5" at `at`, added to out->exponent; NULL without a digit. */
static const char *scan_exponent(const char *at, const char *end, fm_number *out)
{
    at++;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    const char *begin = at;
    int64_t exponent = 0;
    for (; at < end && (unsigned char)(*at - '0') < 10; at++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (*at - '0');
    if (at == begin)
        return NULL;
    out->exponent += negative ? -exponent : exponent;
    out->integer = false;
    return at;
}

const char *fm_number_scan(const char *at, const char *end, fm_number *out)
{
    out->text = at;
    out->negative = at < end && *at == '-';
    at += out->negative;
    const char *whole = at;
    out->digits = 0;
    at = scan_digits(at, end, &out->digits);
    size_t count = (size_t)(at - whole);
    if (count == 0 || (count > 1 && *whole == '0'))
        return NULL;
    out->integer = true;
    out->truncated = false;
    out->exponent = 0;
    const char *fraction = at;
    if (at < end && *at == '.') {
        fraction = at + 1;
        at = scan_digits(fraction, end, &out->digits);
        if (at == fraction)
            return NULL;
        out->exponent = fraction - at;
        out->integer = false;
        count += (size_t)(at - fraction);
    }
    if (count > 19)
        digits_of_many(whole, fraction, at, out);
    if (at < end && (*at == 'e' || *at == 'E')) {
        at = scan_exponent(at, end, out);
        if (!at)
            return NULL;
    }
    out->text_size = (size_t)(at - out->text);
    return at;
}

int fm_number_decimal_slow(const fm_number *number, int scale_max, fm_decimal_number *out)
{
    uint64_t digits = number->digits;
    int64_t exponent = number->exponent;
    if (digits == 0) {
        *out = (fm_decimal_number){0, 0};
        return 0;
    }
    while (!number->truncated && digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    if (exponent < -scale_max)
        return FM_DECIMAL_TOO_PRECISE;
    if (number->truncated || digits > (uint64_t)FM_MAGNITUDE_MAX)
        return FM_DECIMAL_TOO_LARGE;
    for (; exponent > 0; exponent--) {
        digits *= 10;
        if (digits > (uint64_t)FM_MAGNITUDE_MAX)
            return FM_DECIMAL_TOO_LARGE;
    }
    *out = (fm_decimal_number){number->negative ? -(int64_t)digits : (int64_t)digits, (int32_t)-exponent};
    return 0;
}

static bool reads_back(int64_t mantissa, int scale, double x, bool single)
{
    double back = (double)mantissa / fm_power_of_ten_exact[scale];
    return single ? (float)back == (float)x : back == x;
}

static void put_stripped(int64_t mantissa, int scale, bool negative, fm_decimal_number *out)
{
    uint64_t digits = (uint64_t)mantissa;
    if (scale >= 4 && digits % 10000 == 0) {
        digits /= 10000;
        scale -= 4;
    }
    if (scale >= 2 && digits % 100 == 0) {
        digits /= 100;
        scale -= 2;
    }
    while (scale > 0 && digits % 10 == 0) {
        digits /= 10;
        scale--;
    }
    *out = (fm_decimal_number){negative ? -(int64_t)digits : (int64_t)digits, scale};
}

int fm_decimal_of_double(double x, bool single, int scale_max, fm_decimal_number *out)
{
    bool negative = x < 0;
    double magnitude = negative ? -x : x;
    if (magnitude > (double)FM_MAGNITUDE_MAX)
        return FM_DECIMAL_TOO_LARGE;
    if ((double)(int64_t)magnitude == magnitude) {
        *out = (fm_decimal_number){negative ? -(int64_t)magnitude : (int64_t)magnitude, 0};
        return 0;
    }
    /* Up to 15 digits a decimal and its double determine each other, and the product is off by less than one half: one
     * try tells. */
    double widest = magnitude * fm_power_of_ten_exact[scale_max];
    if (!single && widest < 1e15) {
        int64_t mantissa = (int64_t)(widest + 0.5);
        if (!reads_back(mantissa, scale_max, magnitude, false))
            return FM_DECIMAL_TOO_PRECISE;
        put_stripped(mantissa, scale_max, negative, out);
        return 0;
    }
    for (int scale = 1; scale <= scale_max; scale++) {
        double product = magnitude * fm_power_of_ten_exact[scale];
        if (product > (double)FM_MAGNITUDE_MAX)
            return FM_DECIMAL_TOO_LARGE;
        int64_t middle = (int64_t)floor(product + 0.5);
        for (int64_t mantissa = middle - 1; mantissa <= middle + 1; mantissa++) {
            if (mantissa <= FM_MAGNITUDE_MAX && reads_back(mantissa, scale, magnitude, single)) {
                put_stripped(mantissa, scale, negative, out);
                return 0;
            }
        }
    }
    return FM_DECIMAL_TOO_PRECISE;
}

bool fm_number_double(const fm_number *number, double *out)
{
    double value;
    if (!number->truncated && number->digits <= (uint64_t)FM_MAGNITUDE_MAX && number->exponent >= -22 &&
        number->exponent <= 22) {
        value = (double)number->digits;
        value = number->exponent < 0 ? value / fm_power_of_ten_exact[-number->exponent]
                                     : value * fm_power_of_ten_exact[number->exponent];
        value = number->negative ? -value : value;
    } else if (!number->text) {
        value = number->negative ? -(double)number->digits : (double)number->digits;
    } else {
        char copy[FM_REAL_TEXT_MAX + 1];
        if (number->text_size > FM_REAL_TEXT_MAX)
            return false;
        memcpy(copy, number->text, number->text_size);
        copy[number->text_size] = 0;
        value = strtod(copy, NULL);
    }
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}
