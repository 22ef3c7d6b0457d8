/* tests/fuzz/msgpack_fuzz.c - any bytes as MessagePack; and records read whole (decode/msgpack_usual.c) are what they
 * are key by key. */
#include "decode_fuzz.h"

#include "ingest/decode/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const fm_slice *a, const fm_slice *b)
{
    FM_ASSERT(a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0));
}

static void check_same(const fm_record *a, const fm_record *b)
{
    FM_ASSERT(a->ts_ns == b->ts_ns && a->kind == b->kind && a->side == b->side && a->conditions == b->conditions);
    FM_ASSERT(a->seq == b->seq && a->seq_index == b->seq_index && a->row == b->row && a->phase == b->phase);
    FM_ASSERT(a->value == b->value && a->id_hash == b->id_hash && a->buyer == b->buyer && a->seller == b->seller);
    FM_ASSERT(a->unknown_keys == b->unknown_keys);
    for (int index = 0; index < 4; index++)
        FM_ASSERT(a->number[index].mantissa == b->number[index].mantissa &&
                  a->number[index].scale == b->number[index].scale);
    check_names(&a->symbol, &b->symbol);
    check_names(&a->venue, &b->venue);
    check_names(&a->channel, &b->channel);
    check_names(&a->session, &b->session);
    check_names(&a->source, &b->source);
}

static void check_whole(const uint8_t *data, size_t size)
{
    fm_decoder whole, plain;
    fm_record a, b;
    int result;
    fm_decoder_init(&whole, FM_FORMAT_MSGPACK, data, size, &fm_decode_limits_preset);
    fm_decoder_init(&plain, FM_FORMAT_MSGPACK, data, size, &fm_decode_limits_preset);
    do {
        memset(plain.usual, FM_FIELD_COUNT, sizeof plain.usual);
        memset(plain.column, 0, sizeof plain.column);
        result = fm_decoder_next(&whole, &a);
        FM_ASSERT(fm_decoder_next(&plain, &b) == result);
        FM_ASSERT(whole.at == plain.at && whole.index == plain.index && whole.torn == plain.torn);
        FM_ASSERT(whole.remaining == plain.remaining);
        if (result > 0)
            check_same(&a, &b);
        else if (result < 0)
            FM_ASSERT(strcmp(whole.error.message, plain.error.message) == 0 &&
                      whole.error.column == plain.error.column);
    } while (result != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_whole(data, size);
    decode_all(FM_FORMAT_MSGPACK, data, size);
    return 0;
}
