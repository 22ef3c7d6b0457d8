/* base/slice.c - copying and matching borrowed bytes. */
#include "base/slice.h"

#include <stdint.h>

bool fm_slice_copy(fm_slice slice, char *out, size_t size)
{
    if (size == 0)
        return false;
    size_t kept = slice.size < size ? slice.size : size - 1;
    if (kept > 0)
        memcpy(out, slice.data, kept);
    out[kept] = '\0';
    return kept == slice.size;
}

/* On a mismatch only the newest star needs another try: whatever an older star could swallow, the newest can as well.
 */
bool fm_glob(fm_slice pattern, fm_slice text)
{
    size_t p = 0, t = 0;
    size_t after_star = SIZE_MAX, retry = 0;

    while (t < text.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            after_star = ++p;
            retry = t;
        } else if (p < pattern.size && (pattern.data[p] == '?' || pattern.data[p] == text.data[t])) {
            p++;
            t++;
        } else if (after_star != SIZE_MAX) {
            p = after_star;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*')
        p++;
    return p == pattern.size;
}
