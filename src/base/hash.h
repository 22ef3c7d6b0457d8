/* base/hash.h - fixed-seed hashes. Their values are stored (partition of a key, alert ids), so they never change. */
#ifndef FM_BASE_HASH_H
#define FM_BASE_HASH_H

#include "base/slice.h"

#include <stdint.h>

typedef struct fm_hash128 {
    uint64_t low, high;
} fm_hash128;

/* A fast 64-bit hash by multiply-fold for tables and partitions; not for adversaries: tables compare keys. ~5 ns for a symbol.
 * Never returns 0, so that 0 can mean "none". */
uint64_t fm_hash64(const void *data, size_t size, uint64_t seed);
static inline uint64_t fm_hash_slice(fm_slice slice)
{
    return fm_hash64(slice.data, slice.size, 0);
}

/* SipHash-2-4 with 128-bit output (Aumasson & Bernstein 2012) under a fixed key: alert ids, rule hashes. */
fm_hash128 fm_hash128_of(const void *data, size_t size);
void fm_hash128_hex(fm_hash128 hash, char out[33]); /* 32 lower-case digits and NUL; high half first */

uint32_t fm_crc32c(uint32_t crc, const void *data, size_t size); /* Castagnoli, as RFC 3720; start with 0; hardware when present */
uint32_t fm_crc32c_portable(uint32_t crc, const void *data, size_t size); /* the same value without the instruction */

/* The partition of a key (default: the symbol). Stored: data directories depend on it. */
uint32_t fm_partition_of(fm_slice key);
/* fm_hash_slice and fm_partition_of of one key, which is read once: every record asks for both. */
uint64_t fm_hash_key(fm_slice key, uint32_t *partition);

#endif
