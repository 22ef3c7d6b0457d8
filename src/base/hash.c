/* base/hash.c - the three hashes whose values are stored: changing any of them needs a new data directory, so their
 * values are pinned by tables in tests/unit/base/hash_test.c. */
#include "base/hash.h"

#include "base/assert.h"

#include <string.h>

/* ---- fm_hash64: multiply-fold
 * ------------------------------------------------------------------------------------------------ A 64 x 64 -> 128 bit
 * product spreads every input bit over both halves; folding high onto low keeps it. The constants are the fractional
 * parts of square roots of 2, 3, 5 and 7 (as in SHA-512), odd ones out made odd: nothing up the sleeve. */
static const uint64_t salt[4] = {0x6a09e667f3bcc909u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u};

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load64(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

static inline uint64_t load32(const unsigned char *p)
{
    uint32_t word;
    memcpy(&word, p, 4);
    return word;
}

/* 16 bytes or fewer as two words that overlap in the middle; the size, mixed in at the end, tells the overlaps apart.
 */
static inline void load_short(const unsigned char *p, size_t size, uint64_t *a, uint64_t *b)
{
    if (size >= 8) {
        *a = load64(p);
        *b = load64(p + size - 8);
    } else if (size >= 4) {
        *a = load32(p);
        *b = load32(p + size - 4);
    } else if (size > 0) {
        *a = (uint64_t)p[0] << 16 | (uint64_t)p[size / 2] << 8 | p[size - 1];
        *b = 0;
    } else {
        *a = *b = 0;
    }
}

static inline uint64_t seeded(uint64_t seed)
{
    return fold(seed ^ salt[0], salt[1]);
}

static inline uint64_t finish(uint64_t state, uint64_t a, uint64_t b, size_t size)
{
    uint64_t hash = fold(fold(a ^ salt[1], b ^ state) ^ salt[3], (uint64_t)size ^ salt[2] ^ state);
    return FM_LIKELY(hash != 0) ? hash : 1;
}

uint64_t fm_hash64(const void *data, size_t size, uint64_t seed)
{
    const unsigned char *p = data;
    uint64_t state = seeded(seed), a, b;

    if (FM_LIKELY(size <= 16)) {
        load_short(p, size, &a, &b);
    } else {
        size_t left = size;
        for (; left > 16; left -= 16, p += 16)
            state = fold(load64(p) ^ salt[2], load64(p + 8) ^ state);
        a = load64(p + left - 16); /* the last 16 bytes, in part read before */
        b = load64(p + left - 8);
    }
    return finish(state, a, b, size);
}

#define PARTITION_SEED 0x6664732f70617274u

static inline uint32_t partition_from(uint64_t hash)
{
    return (uint32_t)(hash >> 58); /* 64 partitions: the top six bits */
}

uint32_t fm_partition_of(fm_slice key)
{
    return partition_from(fm_hash64(key.data, key.size, PARTITION_SEED));
}

uint64_t fm_hash_key(fm_slice key, uint32_t *partition)
{
    if (FM_UNLIKELY(key.size > 16)) {
        *partition = fm_partition_of(key);
        return fm_hash_slice(key);
    }
    uint64_t a, b;
    load_short((const unsigned char *)key.data, key.size, &a, &b);
    *partition = partition_from(finish(seeded(PARTITION_SEED), a, b, key.size));
    return finish(seeded(0), a, b, key.size);
}

/* ---- SipHash-2-4, 128 bits out
 * ----------------------------------------------------------------------------------------------- J.-P. Aumasson, D. J.
 * Bernstein, "SipHash: a fast short-input PRF" (2012), and their reference's 128-bit variant. The key is the one of the
 * published test vectors (00 01 … 0f): it is no secret here, and so the vectors check this very function. */
static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static inline uint64_t sip_finish(uint64_t v[4])
{
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

fm_hash128 fm_hash128_of(const void *data, size_t size)
{
    const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    uint64_t v[4] = {0x736f6d6570736575u ^ key[0], 0x646f72616e646f6du ^ key[1] ^ 0xee, 0x6c7967656e657261u ^ key[0],
                     0x7465646279746573u ^ key[1]};

    const unsigned char *p = data, *end = p + size / 8 * 8;
    for (; p != end; p += 8) {
        uint64_t word = load64(p);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)size << 56;
    if (size % 8 > 0)
        memcpy(&last, p, size % 8); /* little-endian: the low bytes */
    v[3] ^= last;
    sip_round(v);
    sip_round(v);
    v[0] ^= last;

    fm_hash128 hash;
    v[2] ^= 0xee;
    hash.low = sip_finish(v);
    v[1] ^= 0xdd;
    hash.high = sip_finish(v);
    return hash;
}

void fm_hash128_hex(fm_hash128 hash, char out[33])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        out[i] = digits[hash.high >> (60 - 4 * i) & 15];
        out[16 + i] = digits[hash.low >> (60 - 4 * i) & 15];
    }
    out[32] = '\0';
}
