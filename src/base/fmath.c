/* base/fmath.c - exponentials and logarithms by table and short polynomial.
 *
 * exp   2^(n/128) comes from a table (with the part that a double misses), the rest r is below 2^-8 in size and goes
 * through five terms of its series. The split into n and r is exact; see P. Tang, "Table-driven implementation of the
 * exponential function in IEEE floating-point arithmetic" (1989). log   x = 2^k z, z close to one of 128 points c whose
 * reciprocal has 13 bits, so that z/c - 1 is exact as the sum of two doubles: z is rounded to 26 bits, 26 are left, and
 * each product fits. The result is k log 2 + log c + log(1 + r); sums of the large parts are exact by construction
 * (multiples of 2^-43). Around x = 1 the point is 1 itself, so that nothing cancels. P. Tang, "Table-driven
 * implementation of the logarithm function in IEEE floating-point arithmetic" (1990). pow   the same logarithm with its
 * error kept (about 2^-68), times y in two parts, through the same exponential. erfc  exp(-x^2) times a piecewise
 * polynomial for exp(x^2) erfc(x) over t = 4 / (4 + x).
 *
 * Only + - * / and bit operations: compiled without contraction, each is one correctly rounded IEEE operation
 * everywhere. */
#include "base/fmath.h"

#include "base/assert.h"
#include "base/fmath_tables.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EXPONENT_BITS  52
#define SIGN_BIT       0x8000000000000000u
#define INFINITY_BITS  0x7ff0000000000000u
#define HIGH_26_BITS   0xfffffffff8000000u    /* of a significand */
#define HALF_OF_LOW_27 0x0000000004000000u    /* added before the cut, it rounds */
#define ROUND_TO_STEP  (0x1.8p52 / EXP_COUNT) /* added and taken away, rounds to a multiple of 1/EXP_COUNT */
#define ROUND_TO_ONE   0x1.8p52

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static inline double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* 2^(n/128) (1 + more) where the result or a part of it may overflow or be subnormal: computed near 1 and scaled once
 * at the end. `bits` may have run out of the exponent field, which shifting it back undoes. */
static double scale_far(uint64_t bits, double more, bool large)
{
    if (large) {
        double scale = double_of(bits - (1009ull << EXPONENT_BITS));
        return 0x1p1009 * (scale + scale * more);
    }
    double scale = double_of(bits + (1022ull << EXPONENT_BITS));
    double y = scale + scale * more;
    if (fabs(y) < 1.0) {
        /* The result is subnormal: round here, at the bit where it will end, so that scaling does not round again. */
        double one = copysign(1.0, y);
        double rest = scale - y + scale * more;
        double sum = one + y;
        rest = one - sum + y + rest;
        y = sum + rest - one;
        if (y == 0.0)
            y = copysign(0.0, one);
    }
    return 0x1p-1022 * y;
}

/* exp(high + low) with low tiny; sign is 0 or SIGN_BIT. |high| < 1024. */
static inline double exp_of_sum(double high, double low, uint64_t sign)
{
    double rounded = high * STEPS_PER_E + ROUND_TO_ONE;
    uint64_t n = bits_of(rounded); /* its low bits are the integer, in two's complement */
    double steps = rounded - ROUND_TO_ONE;
    double r = high - steps * STEP_HIGH - steps * STEP_LOW + low;

    double r2 = r * r;
    double more =
        exp_table[n % EXP_COUNT].tail + r + r2 * (0.5 + r * (1.0 / 6)) + r2 * r2 * (1.0 / 24 + r * (1.0 / 120));
    uint64_t bits = exp_table[n % EXP_COUNT].bits + (n << (EXPONENT_BITS - 7)) + sign;
    if (FM_UNLIKELY(fabs(high) > 696.0))
        return scale_far(bits, more, high > 0.0);
    double scale = double_of(bits);
    return scale + scale * more;
}

double fm_exp(double x)
{
    if (FM_UNLIKELY(!(fabs(x) < 1024.0))) {
        if (isnan(x))
            return x;
        return x > 0.0 ? HUGE_VAL : 0.0;
    }
    return exp_of_sum(x, 0.0, 0);
}

double fm_exp2(double x)
{
    if (FM_UNLIKELY(!(fabs(x) < 1080.0))) {
        if (isnan(x))
            return x;
        return x > 0.0 ? HUGE_VAL : 0.0;
    }
    double rounded = x + ROUND_TO_STEP;
    uint64_t n = bits_of(rounded);
    double r = x - (rounded - ROUND_TO_STEP);

    double r2 = r * r;
    double more = exp_table[n % EXP_COUNT].tail + r * LN2 + r2 * (LN2_POW2_2 + r * LN2_POW3_6) +
                  r2 * r2 * (LN2_POW4_24 + r * LN2_POW5_120);
    uint64_t bits = exp_table[n % EXP_COUNT].bits + (n << (EXPONENT_BITS - 7));
    if (FM_UNLIKELY(fabs(x) > 1008.0))
        return scale_far(bits, more, x > 0.0);
    double scale = double_of(bits);
    return scale + scale * more;
}

/* x = 2^exponent * c * (1 + coarse + fine), c the point of log_table[interval]; coarse has at most 31 bits, fine is
 * below 2^-26, and their sum is exact. */
typedef struct reduced {
    double exponent;
    double coarse, fine;
    unsigned interval;
} reduced;

static inline reduced reduce(uint64_t bits)
{
    uint64_t from_offset = bits - LOG_OFFSET;
    unsigned interval = from_offset >> (EXPONENT_BITS - 7) & (LOG_COUNT - 1);
    uint64_t z = bits - (from_offset & 0xfff0000000000000u);
    double high = double_of((z + HALF_OF_LOW_27) & HIGH_26_BITS);
    double inverse = log_table[interval].inverse;
    return (reduced){.exponent = (double)((int64_t)from_offset >> EXPONENT_BITS),
                     .coarse = high * inverse - 1.0,
                     .fine = (double_of(z) - high) * inverse,
                     .interval = interval};
}

/* Bits of x as if its exponent were normal; *outside is the result's when x is 0, negative, infinite or NaN. */
static inline bool log_has_special(double x, uint64_t *bits, double *outside)
{
    *bits = bits_of(x);
    if (FM_LIKELY(*bits - 0x0010000000000000u < INFINITY_BITS - 0x0010000000000000u))
        return false;
    if (x == 0.0)
        *outside = -HUGE_VAL;
    else if (isnan(x) || x == HUGE_VAL)
        *outside = x;
    else if (x < 0.0)
        *outside = NAN;
    else {
        *bits = bits_of(x * 0x1p52) - (52ull << EXPONENT_BITS);
        return false;
    }
    return true;
}

double fm_log(double x)
{
    uint64_t bits;
    double outside;
    if (FM_UNLIKELY(log_has_special(x, &bits, &outside)))
        return outside;

    reduced at = reduce(bits);
    double r = at.coarse + at.fine;
    double r_low = at.coarse - r + at.fine;
    double large = at.exponent * LN2_HIGH + log_table[at.interval].log_high; /* exact */
    double sum = large + r;
    double low = large - sum + r + (r_low + (at.exponent * LN2_LOW + log_table[at.interval].log_low));
    double r2 = r * r;
    double series = -0.5 + r * (1.0 / 3) + r2 * (-0.25 + r * (1.0 / 5) + r2 * (-1.0 / 6 + r * (1.0 / 7)));
    return sum + (low + r2 * series);
}

double fm_log2(double x)
{
    uint64_t bits;
    double outside;
    if (FM_UNLIKELY(log_has_special(x, &bits, &outside)))
        return outside;

    reduced at = reduce(bits);
    double r = at.coarse + at.fine;
    double main_part = at.coarse * INVERSE_LN2_HIGH;               /* exact: 31 and 21 bits */
    double large = at.exponent + log_table[at.interval].log2_high; /* exact */
    double sum = large + main_part;
    double low = large - sum + main_part + at.fine * INVERSE_LN2_HIGH;
    double r2 = r * r;
    double series = -0.5 + r * (1.0 / 3) + r2 * (-0.25 + r * (1.0 / 5) + r2 * (-1.0 / 6 + r * (1.0 / 7)));
    double least = r * INVERSE_LN2_LOW + log_table[at.interval].log2_low;
    return sum + (low + (least + r2 * (series * (INVERSE_LN2_HIGH + INVERSE_LN2_LOW))));
}

/* log x as high + low, relative error about 2^-68; bits are of a positive x. */
static inline double log_in_two(uint64_t bits, double *low)
{
    reduced at = reduce(bits);
    double r = at.coarse + at.fine;
    double r_low = at.coarse - r + at.fine;
    double large = at.exponent * LN2_HIGH + log_table[at.interval].log_high; /* exact */
    double constants_low = at.exponent * LN2_LOW + log_table[at.interval].log_low;

    double first = large + r;
    double first_low = large - first + r;

    /* -r^2/2: the square of 26 bits is exact, the rest is small */
    double r_cut = double_of(bits_of(r) & HIGH_26_BITS);
    double square = -0.5 * r_cut * r_cut;
    double square_low = -0.5 * (r - r_cut) * (r + r_cut) - r * r_low;
    double second = first + square;
    double second_low = first - second + square;

    double r2 = r * r;
    double series =
        1.0 / 3 - r * 0.25 + r2 * (1.0 / 5 - r * (1.0 / 6) + r2 * (1.0 / 7 - r * (1.0 / 8) + r2 * (1.0 / 9)));
    double rest = first_low + second_low + (constants_low + r_low + square_low) + r * r2 * series;
    double high = second + rest;
    *low = second - high + rest;
    return high;
}

typedef enum parity { NOT_INTEGER, ODD, EVEN } parity;

static parity parity_of(double y)
{
    double size = fabs(y);
    if (size >= 0x1p53)
        return EVEN;
    if (size != floor(size))
        return NOT_INTEGER;
    return floor(size * 0.5) == size * 0.5 ? EVEN : ODD;
}

/* |x|^y where x is 0 or infinite: 0 or infinity, by the sign of y. */
static double pow_of_edge(double x, double y)
{
    bool vanishes = (x == 0.0) == (y > 0.0);
    double result = vanishes ? 0.0 : HUGE_VAL;
    return signbit(x) && parity_of(y) == ODD ? -result : result;
}

static double pow_of_infinite_y(double x, double y)
{
    double size = fabs(x);
    if (size == 1.0)
        return 1.0;
    return (size > 1.0) == (y > 0.0) ? HUGE_VAL : 0.0;
}

double fm_pow(double x, double y)
{
    if (FM_UNLIKELY(y == 0.0 || x == 1.0))
        return 1.0;
    if (FM_UNLIKELY(isnan(x) || isnan(y)))
        return x + y;
    if (FM_UNLIKELY(isinf(y)))
        return pow_of_infinite_y(x, y);
    if (FM_UNLIKELY(x == 0.0 || isinf(x)))
        return pow_of_edge(x, y);

    uint64_t sign = 0;
    if (FM_UNLIKELY(x < 0.0)) {
        parity whole = parity_of(y);
        if (whole == NOT_INTEGER)
            return NAN;
        sign = whole == ODD ? SIGN_BIT : 0;
        x = -x;
    }
    double direction = sign != 0 ? -1.0 : 1.0;
    if (FM_UNLIKELY(fabs(y) < 0x1p-66 || x == 1.0))
        return direction; /* |y log x| < 2^-56 */
    if (FM_UNLIKELY(fabs(y) > 0x1p64))
        return direction * pow_of_infinite_y(x, y); /* |y log x| > 2^11 */

    uint64_t bits = bits_of(x);
    if (FM_UNLIKELY(bits < 0x0010000000000000u))
        bits = bits_of(x * 0x1p52) - (52ull << EXPONENT_BITS);
    double low, high = log_in_two(bits, &low);

    double y_cut = double_of(bits_of(y) & HIGH_26_BITS);
    double high_cut = double_of(bits_of(high) & HIGH_26_BITS);
    double product = y_cut * high_cut; /* exact */
    double product_low = (y - y_cut) * high_cut + y * (low + (high - high_cut));
    if (FM_UNLIKELY(!(fabs(product) < 1024.0)))
        return product > 0.0 ? direction * HUGE_VAL : direction * 0.0;
    return exp_of_sum(product, product_low, sign);
}

double fm_erfc(double x)
{
    double size = fabs(x);
    if (!(size < 28.0)) {
        if (isnan(x))
            return x;
        return x > 0.0 ? 0.0 : 2.0;
    }
    double t = 4.0 / (4.0 + size);
    int slice = (int)(t * ERFC_COUNT);
    if (slice == ERFC_COUNT)
        slice--;
    double u = t * (2 * ERFC_COUNT) - (2 * slice + 1);
    const double *power = erfc_table[slice];
    double scaled = power[ERFC_DEGREE];
    for (int i = ERFC_DEGREE - 1; i >= 0; i--)
        scaled = scaled * u + power[i];

    double size_cut = double_of(bits_of(size) & HIGH_26_BITS);
    double result = exp_of_sum(-size_cut * size_cut, -(size - size_cut) * (size + size_cut), 0) * scaled;
    return x < 0.0 ? 2.0 - result : result;
}
