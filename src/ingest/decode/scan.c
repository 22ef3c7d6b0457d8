/* ingest/decode/scan.c - UTF-8 by the table of RFC 3629, section 4. */
#include "ingest/decode/scan.h"

static bool continues(unsigned char byte, unsigned low, unsigned high)
{
    return byte >= low && byte <= high;
}

size_t fm_utf8_sequence(const char *at, const char *end)
{
    const unsigned char *byte = (const unsigned char *)at;
    ptrdiff_t left = end - at;
    if (left < 1)
        return 0;
    unsigned first = byte[0];
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    if (first < 0xe0)
        return left >= 2 && continues(byte[1], 0x80, 0xbf) ? 2 : 0;
    if (first < 0xf0) {
        unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
        return left >= 3 && continues(byte[1], low, high) && continues(byte[2], 0x80, 0xbf) ? 3 : 0;
    }
    unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
    return left >= 4 && continues(byte[1], low, high) && continues(byte[2], 0x80, 0xbf) &&
                   continues(byte[3], 0x80, 0xbf)
               ? 4
               : 0;
}

bool fm_utf8_valid(const char *at, size_t size)
{
    const char *end = at + size;
    while (at < end) {
        if (end - at >= 16 && _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)at)) == 0) {
            at += 16;
            continue;
        }
        size_t step = fm_utf8_sequence(at, end);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}
