/* base/slice.h - bytes that somebody else owns: not NUL-terminated, valid as long as the owner says. */
#ifndef FM_BASE_SLICE_H
#define FM_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct fm_slice {
    const char *data;
    size_t      size;
} fm_slice;

#define FM_SLICE(literal) ((fm_slice){(literal), sizeof(literal) - 1})

static inline fm_slice fm_slice_of(const char *text)
{
    return (fm_slice){text, strlen(text)};
}

static inline uint64_t fm_word_of(const char *at, size_t size) /* 4 or 8 bytes */
{
    uint64_t word = 0;
    memcpy(&word, at, size);
    return word;
}

/* Short texts compared without a call: symbols and names on the tick path. The last word overlaps the one before. */
static inline bool fm_bytes_equal(const char *a, const char *b, size_t size)
{
    if (size >= 8) {
        size_t last = size - 8;
        for (size_t i = 0; i < last; i += 8)
            if (fm_word_of(a + i, 8) != fm_word_of(b + i, 8))
                return false;
        return fm_word_of(a + last, 8) == fm_word_of(b + last, 8);
    }
    if (size >= 4)
        return fm_word_of(a, 4) == fm_word_of(b, 4) && fm_word_of(a + size - 4, 4) == fm_word_of(b + size - 4, 4);
    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* A short text copied without a call, the same way; returns where the next one goes. */
static inline char *fm_bytes_put(char *out, fm_slice text)
{
    const char *from = text.data;
    size_t size = text.size;
    if (size >= 8) {
        size_t last = size - 8;
        for (size_t i = 0; i < last; i += 8)
            memcpy(out + i, from + i, 8);
        memcpy(out + last, from + last, 8);
    } else if (size >= 4) {
        memcpy(out, from, 4);
        memcpy(out + size - 4, from + size - 4, 4);
    } else if (size > 0) {
        out[0] = from[0];
        out[size / 2] = from[size / 2];
        out[size - 1] = from[size - 1];
    }
    return out + size;
}

static inline bool fm_slice_equal(fm_slice a, fm_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Copies at most size - 1 bytes and ends with NUL; true when all of it fitted. */
bool fm_slice_copy(fm_slice slice, char *out, size_t size);

/* `pattern` with '*' (any run, also empty) and '?' (one byte). Linear in text * stars; no recursion. */
bool fm_glob(fm_slice pattern, fm_slice text);

#endif
