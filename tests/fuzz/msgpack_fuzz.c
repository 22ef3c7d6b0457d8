/* tests/fuzz/msgpack_fuzz.c - any bytes as MessagePack; and read with plans (decode/msgpack_plan.c) they give what they
 * give without. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const fm_slice *a, const fm_slice *b)
{
    FM_ASSERT(a->data == b->data && a->size == b->size);
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

static void check_plans(const uint8_t *data, size_t size)
{
    fm_decoder planned, plain;
    fm_record a, b;
    int result;
    fm_decoder_init(&planned, FM_FORMAT_MSGPACK, data, size, &fm_decode_limits_preset);
    fm_decoder_init(&plain, FM_FORMAT_MSGPACK, data, size, &fm_decode_limits_preset);
    do {
        plain.plan_reach = SIZE_MAX; /* there is none */
        memset(plain.column, 0, sizeof plain.column);
        result = fm_decoder_next(&planned, &a);
        FM_ASSERT(fm_decoder_next(&plain, &b) == result);
        FM_ASSERT(planned.at == plain.at && planned.index == plain.index && planned.torn == plain.torn);
        FM_ASSERT(planned.remaining == plain.remaining);
        if (result > 0)
            check_same(&a, &b);
        else if (result < 0)
            FM_ASSERT(strcmp(planned.error.message, plain.error.message) == 0 &&
                      planned.error.column == plain.error.column);
    } while (result != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_plans(data, size);
    decode_all(FM_FORMAT_MSGPACK, data, size);
    return 0;
}
