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

/* Short texts compared without a call: symbols and names on the tick path. */
static inline bool fm_bytes_equal(const char *a, const char *b, size_t size)
{
    uint64_t x, y;
    while (size >= 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        if (x != y)
            return false;
        a += 8;
        b += 8;
        size -= 8;
    }
    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i])
            return false;
    return true;
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
