/* tests/fuzz/csv_fuzz.c - any bytes as CSV. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_all(FM_FORMAT_CSV, data, size);
    return 0;
}
