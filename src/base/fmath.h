/* base/fmath.h - exp, log and pow with the same bits on every x86-64.
 *
 * glibc picks other code paths when FMA or AVX2 is present, and their last bits differ. These are compiled once, without
 * contraction, from +, -, *, / and exact bit operations only. Error bounds are stated per function and tested against
 * correctly rounded values (tests/golden/fmath). NaN in gives NaN out. */
#ifndef FM_BASE_FMATH_H
#define FM_BASE_FMATH_H

double fm_exp(double x);  /* < 1 ulp; overflow +inf, underflow 0 */
double fm_exp2(double x); /* < 1 ulp; exact for integers in range */
double(fm_log)(double x); /* < 1 ulp; 0 -> -inf, negative -> NaN. In parentheses: base/log.h has a macro of this name */
double fm_log2(double x); /* < 1 ulp */
double fm_pow(double x, double y); /* < 2 ulp for x > 0; C17's special cases */
double fm_erfc(double x); /* relative error < 1e-13 for x < 26 */

#endif
