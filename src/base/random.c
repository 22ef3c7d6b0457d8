/* base/random.c - xoshiro256** (D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", 2018), seeded
 * by splitmix64 as its authors advise, so that no seed leads into the all-zero state. */
#include "base/random.h"

#include "base/assert.h"
#include "base/fmath.h"

#include <math.h>

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

void fm_random_seed(fm_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        random->s[i] = z ^ z >> 31;
    }
}

uint64_t fm_random_next(fm_random *random)
{
    uint64_t *s = random->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* D. Lemire, "Fast random integer generation in an interval" (2019): the product's high half, low leftovers refused. */
uint64_t fm_random_below(fm_random *random, uint64_t bound)
{
    FM_ASSERT(bound > 0);
    unsigned __int128 product = (unsigned __int128)fm_random_next(random) * bound;
    if ((uint64_t)product < bound) {
        uint64_t leftover = (0 - bound) % bound;
        while ((uint64_t)product < leftover)
            product = (unsigned __int128)fm_random_next(random) * bound;
    }
    return (uint64_t)(product >> 64);
}

double fm_random_unit(fm_random *random)
{
    return (double)(fm_random_next(random) >> 11) * 0x1p-53;
}

/* Marsaglia's polar method: needs log and sqrt only. The second value of each pair is let go, so that the state is the
 * four words. */
double fm_random_normal(fm_random *random)
{
    for (;;) {
        double u = 2.0 * fm_random_unit(random) - 1.0;
        double v = 2.0 * fm_random_unit(random) - 1.0;
        double s = u * u + v * v;
        if (s > 0.0 && s < 1.0)
            return u * sqrt(-2.0 * fm_log(s) / s);
    }
}
