/* base/crc32c.c - CRC-32C (Castagnoli, RFC 3720), the checksum of journal frames.
 *
 * SSE4.2's crc32 instruction gives a result a cycle but has a latency of three: three streams run side by side, and are
 * joined by multiplying by x^(8n) modulo the polynomial with a table (M. Adler's scheme): long streams, then short ones
 * for the frames of a usual request. Without SSE4.2 a table of eight bytes a step. */
#include "base/hash.h"

#include <nmmintrin.h>

#define POLYNOMIAL 0x82f63b78u /* reversed */

enum { LONG = 512, SHORT = 64 }; /* bytes a stream; three of them are done at once */

typedef struct shifts {
    uint32_t one[4][256]; /* a CRC as it is a stream's length of zero bytes later */
    uint32_t two[4][256]; /* and twice as many */
} shifts;

static uint32_t byte_table[8][256]; /* CRC of a byte with 0..7 zero bytes behind it */
static shifts long_shifts, short_shifts;
static int has_sse42;

static uint32_t skip_zeros(uint32_t crc, size_t count)
{
    for (; count > 0; count--)
        crc = byte_table[0][crc & 255] ^ crc >> 8;
    return crc;
}

/* Shifting is linear over bits, so 32 single bits give every entry. */
static void make_shifts(shifts *out, size_t stream)
{
    for (int k = 0; k < 4; k++) {
        for (int bit = 0; bit < 8; bit++) {
            uint32_t one = skip_zeros(1u << (8 * k + bit), stream), two = skip_zeros(one, stream);
            for (uint32_t byte = 0; byte < 256; byte++) {
                out->one[k][byte] ^= byte >> bit & 1 ? one : 0;
                out->two[k][byte] ^= byte >> bit & 1 ? two : 0;
            }
        }
    }
}

/* Before main and before any thread: the tables are read-only afterwards. */
__attribute__((constructor)) static void make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        byte_table[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int k = 1; k < 8; k++)
            byte_table[k][byte] = skip_zeros(byte_table[k - 1][byte], 1);
    }
    make_shifts(&long_shifts, LONG);
    make_shifts(&short_shifts, SHORT);
    __builtin_cpu_init();
    has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
}

static inline uint64_t load64(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

static uint32_t crc_by_table(uint32_t crc, const unsigned char *p, size_t size)
{
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word = load64(p) ^ crc;
        crc = 0;
        for (int i = 0; i < 8; i++)
            crc ^= byte_table[7 - i][word >> (8 * i) & 255];
    }
    for (; size > 0; size--, p++)
        crc = byte_table[0][(crc ^ *p) & 255] ^ crc >> 8;
    return crc;
}

static inline uint32_t shift(const uint32_t table[4][256], uint32_t crc)
{
    return table[0][crc & 255] ^ table[1][crc >> 8 & 255] ^ table[2][crc >> 16 & 255] ^ table[3][crc >> 24];
}

/* Three streams of `stream` bytes, joined. */
__attribute__((target("sse4.2"), always_inline)) static inline uint32_t crc_of_three(uint64_t crc, const unsigned char *p, const size_t stream,
                                                                                     const shifts *by)
{
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < stream; i += 8) {
        crc = _mm_crc32_u64(crc, load64(p + i));
        second = _mm_crc32_u64(second, load64(p + stream + i));
        third = _mm_crc32_u64(third, load64(p + 2 * stream + i));
    }
    return shift(by->two, (uint32_t)crc) ^ shift(by->one, (uint32_t)second) ^ (uint32_t)third;
}

__attribute__((target("sse4.2"))) static uint32_t crc_by_sse42(uint32_t start, const unsigned char *p, size_t size)
{
    uint64_t crc = start;
    for (; size >= 3 * LONG; size -= 3 * LONG, p += 3 * LONG)
        crc = crc_of_three(crc, p, LONG, &long_shifts);
    for (; size >= 3 * SHORT; size -= 3 * SHORT, p += 3 * SHORT)
        crc = crc_of_three(crc, p, SHORT, &short_shifts);
    for (; size >= 8; size -= 8, p += 8)
        crc = _mm_crc32_u64(crc, load64(p));
    for (; size > 0; size--, p++)
        crc = _mm_crc32_u8((uint32_t)crc, *p);
    return (uint32_t)crc;
}

uint32_t fm_crc32c(uint32_t crc, const void *data, size_t size)
{
    crc = ~crc;
    crc = has_sse42 ? crc_by_sse42(crc, data, size) : crc_by_table(crc, data, size);
    return ~crc;
}

uint32_t fm_crc32c_portable(uint32_t crc, const void *data, size_t size)
{
    return ~crc_by_table(~crc, data, size);
}
