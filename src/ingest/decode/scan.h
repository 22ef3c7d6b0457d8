/* ingest/decode/scan.h - finding the end of a text, and UTF-8.
 *
 * Sixteen bytes a step where that many are left, single bytes near the end: nothing at or beyond `end` is read. */
#ifndef FM_INGEST_DECODE_SCAN_H
#define FM_INGEST_DECODE_SCAN_H

#include "base/event.h"

#include <emmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Length of the run of ASCII from `lowest` (0x20, or 0x21 for no spaces) to 0x7e at `at` that holds no '"' and no '\\'.
 * What ends it: a quote, an escape, a control character, a byte of a longer UTF-8 sequence, or `end`. */
static inline size_t fm_scan_plain(const char *at, const char *end, char lowest)
{
    const char *begin = at;
    const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\');
    const __m128i one = _mm_set1_epi8(1), least = _mm_set1_epi8((char)(lowest + 1));
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* one more makes 0x7f negative; signed, bytes from 0x80 on are below the least as well */
        __m128i special = _mm_cmplt_epi8(_mm_add_epi8(bytes, one), least);
        special = _mm_or_si128(special, _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape)));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0)
            return (size_t)(at - begin) + (size_t)__builtin_ctz(mask);
        at += 16;
    }
    while (at < end && *at >= lowest && *at != 0x7f && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - begin);
}

/* The same for a cell of CSV: ends at ',', '"', CR or LF. Other bytes are not looked at. */
static inline size_t fm_scan_cell(const char *at, const char *end)
{
    const char *begin = at;
    const __m128i comma = _mm_set1_epi8(','), quote = _mm_set1_epi8('"');
    const __m128i cr = _mm_set1_epi8('\r'), lf = _mm_set1_epi8('\n');
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, comma), _mm_cmpeq_epi8(bytes, quote)),
                                       _mm_or_si128(_mm_cmpeq_epi8(bytes, cr), _mm_cmpeq_epi8(bytes, lf)));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0)
            return (size_t)(at - begin) + (size_t)__builtin_ctz(mask);
        at += 16;
    }
    while (at < end && *at != ',' && *at != '"' && *at != '\r' && *at != '\n')
        at++;
    return (size_t)(at - begin);
}

/* Bytes of the UTF-8 sequence at `at` (1 to 4); 0 when it is not one: stray or missing continuation, overlong, a
 * surrogate, above U+10FFFF (RFC 3629). */
size_t fm_utf8_sequence(const char *at, const char *end);

/* True when all of it is UTF-8. */
bool fm_utf8_valid(const char *at, size_t size);

/* True when a byte of the word is below `lowest` (0x01..0x80), 0x7f or above. What a borrow or carry adds, adds to a
 * true answer. */
static inline bool fm_word_unprintable(uint64_t word, uint64_t lowest)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    return (((word - ones * lowest) | word | (word + ones)) & (ones << 7)) != 0;
}

/* True for 1 to 64 bytes of ASCII from `lowest` (0x20, or 0x21 for no spaces) to 0x7e. */
static inline bool fm_name_valid(const char *at, size_t size, unsigned lowest)
{
    uint64_t first = 0, last = 0;
    if (size - 1 >= FM_NAME_MAX)
        return false;
    if (size >= 8) {
        for (size_t index = 0; index + 8 < size; index += 8) {
            memcpy(&first, at + index, 8);
            if (fm_word_unprintable(first, lowest))
                return false;
        }
        memcpy(&last, at + size - 8, 8);
        return !fm_word_unprintable(last, lowest);
    }
    if (size >= 4) { /* two halves that overlap */
        memcpy(&first, at, 4);
        memcpy(&last, at + size - 4, 4);
        return !fm_word_unprintable(first | last << 32, lowest);
    }
    first = (unsigned char)at[0] * UINT64_C(0x0101010101010101);
    last = (unsigned char)at[size / 2] | (uint64_t)(unsigned char)at[size - 1] << 8;
    return !fm_word_unprintable((first & ~UINT64_C(0xffff)) | last, lowest);
}

#endif
