/* tests/fuzz/gzip_fuzz.c - any bytes as a gzip body, into rooms of three sizes: never more than the room, the same in
 * each that is enough. */
#include "base/assert.h"
#include "ingest/inflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ROOM = 1 << 20 };
    static const size_t limits[] = {ROOM, 1000, 1};
    size_t whole = 0;
    char *first = NULL;
    for (int index = 0; index < 3; index++) {
        char *out = malloc(limits[index]);
        size_t used = SIZE_MAX;
        FM_ASSERT(out);
        int result = fm_inflate_gzip(data, size, out, limits[index], &used);
        FM_ASSERT(result == 0 || result == FM_encoding || result == FM_body_too_large);
        FM_ASSERT(result == 0 ? used <= limits[index] : used == SIZE_MAX);
        if (index == 0 && result == 0) {
            first = out;
            whole = used;
            continue;
        }
        if (index > 0 && first) {
            FM_ASSERT(result == (whole <= limits[index] ? 0 : FM_body_too_large));
            FM_ASSERT(result < 0 || (used == whole && memcmp(out, first, whole) == 0));
        }
        free(out);
    }
    free(first);
    return 0;
}
