/* kernels/common/fft.h - the discrete Fourier transform of few real numbers: 4 to 1,024, a power of two.
 *
 * Two real numbers are one complex one; those go through a transform of half the length, radix 2, decimated in time,
 * whose result is taken apart again. Only +, - and *, in a fixed order, on constants rounded once: same bits anywhere.
 *
 * Error   below 1e-15 log2(count) of the root of the sum of squares, each way (tests/unit/kernels/shapes_in_windows).
 * Source  J. Cooley & J. Tukey, "An algorithm for the machine calculation of complex Fourier series" (1965).
 * Cost    ~0.6 us for 128 numbers each way; nothing is kept. */
#ifndef FM_KERNELS_COMMON_FFT_H
#define FM_KERNELS_COMMON_FFT_H

#include "kernels/common/fft_table.h"

#include <stdint.h>

#define FM_FFT_TURN 1024 /* the greatest length; what a full turn is in the table */

/* cos and sin of 2 pi k / 1024 for k in 0 … 512 */
static inline double fm_fft_cos(int32_t k)
{
    return k <= FM_FFT_TURN / 4 ? fm_fft_cosine[k] : -fm_fft_cosine[FM_FFT_TURN / 2 - k];
}

static inline double fm_fft_sin(int32_t k)
{
    return fm_fft_cosine[k <= FM_FFT_TURN / 4 ? FM_FFT_TURN / 4 - k : k - FM_FFT_TURN / 4];
}

/* Into the order of the reversed binary digits of the index. */
static inline void fm_fft_reverse(double *re, double *im, int32_t count)
{
    for (int32_t i = 1, j = 0; i < count; i++) {
        int32_t bit = count / 2;
        for (; j & bit; bit /= 2)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double a = re[i], b = im[i];
            re[i] = re[j];
            im[i] = im[j];
            re[j] = a;
            im[j] = b;
        }
    }
}

/* Sum over j of (re + i im)[j] e^(-2 pi i j k / count), in place; with re and im exchanged, the way back times count.
 */
static inline void fm_fft_complex(double *re, double *im, int32_t count)
{
    fm_fft_reverse(re, im, count);
    for (int32_t half = 1; half < count; half *= 2)
        for (int32_t j = 0; j < half; j++) {
            double c = fm_fft_cos(j * (FM_FFT_TURN / 2 / half)), s = -fm_fft_sin(j * (FM_FFT_TURN / 2 / half));
            for (int32_t a = j; a < count; a += 2 * half) {
                int32_t b = a + half;
                double x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
                re[b] = re[a] - x;
                im[b] = im[a] - y;
                re[a] += x;
                im[a] += y;
            }
        }
}

/* Amplitudes re + i im of frequencies 0 … count/2 of `count` numbers; both of count/2 + 1 places. */
static inline void fm_fft_real(const double *x, int32_t count, double *re, double *im)
{
    int32_t half = count / 2;
    for (int32_t j = 0; j < half; j++) {
        re[j] = x[2 * j];
        im[j] = x[2 * j + 1];
    }
    fm_fft_complex(re, im, half);
    double first = re[0], second = im[0];
    re[0] = first + second;
    re[half] = first - second;
    im[0] = im[half] = 0.0;
    for (int32_t k = 1; k <= half / 2; k++) {
        int32_t m = half - k;
        double c = fm_fft_cos(k * (FM_FFT_TURN / count)), s = fm_fft_sin(k * (FM_FFT_TURN / count));
        double even_re = 0.5 * (re[k] + re[m]), even_im = 0.5 * (im[k] - im[m]);
        double odd_re = 0.5 * (im[k] + im[m]), odd_im = 0.5 * (re[m] - re[k]);
        double x_re = odd_re * c + odd_im * s, x_im = odd_im * c - odd_re * s;
        re[k] = even_re + x_re;
        im[k] = even_im + x_im;
        re[m] = even_re - x_re;
        im[m] = x_im - even_im;
    }
}

/* The way back, times count/2: `count` numbers whose amplitudes are re + i im, which are spoilt. */
static inline void fm_fft_real_back(double *re, double *im, int32_t count, double *x)
{
    int32_t half = count / 2;
    double first = re[0], last = re[half];
    re[0] = 0.5 * (first + last);
    im[0] = 0.5 * (first - last);
    for (int32_t k = 1; k <= half / 2; k++) {
        int32_t m = half - k;
        double c = fm_fft_cos(k * (FM_FFT_TURN / count)), s = fm_fft_sin(k * (FM_FFT_TURN / count));
        double even_re = 0.5 * (re[k] + re[m]), even_im = 0.5 * (im[k] - im[m]);
        double x_re = 0.5 * (re[k] - re[m]), x_im = 0.5 * (im[k] + im[m]);
        double odd_re = x_re * c - x_im * s, odd_im = x_im * c + x_re * s;
        re[k] = even_re - odd_im;
        im[k] = even_im + odd_re;
        re[m] = even_re + odd_im;
        im[m] = odd_re - even_im;
    }
    fm_fft_complex(im, re, half);
    for (int32_t j = 0; j < half; j++) {
        x[2 * j] = re[j];
        x[2 * j + 1] = im[j];
    }
}

#endif
