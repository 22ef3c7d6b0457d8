/* tests/fuzz/json_fuzz.c - any bytes as JSON and as NDJSON. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_all(FM_FORMAT_JSON, data, size);
    decode_all(FM_FORMAT_NDJSON, data, size);
    return 0;
}
