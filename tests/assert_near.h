/* tests/assert_near.h - cmocka in the order it wants its headers, and floating point claims. */
#ifndef FM_TESTS_ASSERT_NEAR_H
#define FM_TESTS_ASSERT_NEAR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

/* |actual - expected| <= tolerance * max(1, |expected|) */
#define assert_near(actual, expected, tolerance)                                                                                     \
    do {                                                                                                                             \
        double actual_ = (actual), expected_ = (expected);                                                                           \
        if (!(fabs(actual_ - expected_) <= (tolerance) * fmax(1.0, fabs(expected_))))                                                \
            fail_msg("%s is %.17g, expected %.17g within %g", #actual, actual_, expected_, (double)(tolerance));                     \
    } while (0)

#endif
