/* tests/fuzz/json_fuzz.c - any bytes as JSON and as NDJSON; with guesses and without they are the same. */
#include "decode_fuzz.h"
#include "unit/ingest/both_ways.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_all(FM_FORMAT_JSON, data, size);
    decode_all(FM_FORMAT_NDJSON, data, size);
    both_ways(FM_FORMAT_JSON, data, size, &fm_decode_limits_preset);
    both_ways(FM_FORMAT_NDJSON, data, size, &fm_decode_limits_preset);
    return 0;
}
