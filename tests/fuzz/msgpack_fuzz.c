/* tests/fuzz/msgpack_fuzz.c - any bytes as MessagePack. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_all(FM_FORMAT_MSGPACK, data, size);
    return 0;
}
