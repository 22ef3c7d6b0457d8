/* base/random.h - seeded generator (xoshiro256**, Blackman & Vigna 2018). Same seed, same stream, on every machine. */
#ifndef FM_BASE_RANDOM_H
#define FM_BASE_RANDOM_H

#include <stdint.h>

typedef struct fm_random {
    uint64_t s[4];
} fm_random;

void     fm_random_seed(fm_random *random, uint64_t seed);
uint64_t fm_random_next(fm_random *random);
uint64_t fm_random_below(fm_random *random, uint64_t bound); /* 0 .. bound-1, unbiased; bound > 0 */
double   fm_random_unit(fm_random *random);                  /* [0, 1) */
double   fm_random_normal(fm_random *random);                /* mean 0, sd 1; by fmath, so the same bits everywhere */

#endif
