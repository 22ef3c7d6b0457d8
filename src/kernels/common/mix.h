/* kernels/common/mix.h - hashing for kernels whose structure is random but shared: the same everywhere, held nowhere.
 *
 * FM_MIX is the finaliser of splitmix64 (G. Steele, D. Lea & C. Flood, "Fast splittable pseudorandom number
 * generators", 2014); of a constant it is a constant, so tables of random numbers can be made by the compiler.
 * fm_mix_at(stream, n) is the n-th number of a stream, asked in any order. */
#ifndef FM_KERNELS_COMMON_MIX_H
#define FM_KERNELS_COMMON_MIX_H

#include <stdint.h>

#define FM_MIX_STEP UINT64_C(0x9e3779b97f4a7c15)
#define FM_MIX_3(z) ((z) ^ ((z) >> 31))
#define FM_MIX_2(z) FM_MIX_3(((z) ^ ((z) >> 27)) * UINT64_C(0x94d049bb133111eb))
#define FM_MIX_1(z) FM_MIX_2(((z) ^ ((z) >> 30)) * UINT64_C(0xbf58476d1ce4e5b9))
#define FM_MIX(n)   FM_MIX_1((uint64_t)(n)*FM_MIX_STEP)

static inline uint64_t fm_mix(uint64_t n)
{
    uint64_t z = n * FM_MIX_STEP;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* n below 2^40, streams below 2^24 */
static inline uint64_t fm_mix_at(uint64_t stream, uint64_t n)
{
    return fm_mix(stream << 40 | n);
}

/* Half the work, for keys that differ in few bits: good enough for bits that pick one of eight. */
#define FM_MIX_FAST_1(z) (((z) ^ ((z) >> 32)) * UINT64_C(0xbf58476d1ce4e5b9))
#define FM_MIX_FAST(n)   FM_MIX_FAST_1((uint64_t)(n)*FM_MIX_STEP)

static inline uint64_t fm_mix_fast(uint64_t n)
{
    uint64_t z = n * FM_MIX_STEP;
    return (z ^ z >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* Of a number's high half: 0 … bound - 1, bound below 2^32. */
static inline uint32_t fm_mix_below(uint64_t mixed, uint32_t bound)
{
    return (uint32_t)(((mixed >> 32) * bound) >> 32);
}

#endif
