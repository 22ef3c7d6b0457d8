/* tests/unit/ingest/both_ways.h - the same bytes decoded twice, with guesses and with none: every result, record, error
 * and place must be the same. Nothing but FM_ASSERT is asked of it, so that fuzz targets use it too. */
#ifndef FM_TESTS_INGEST_BOTH_WAYS_H
#define FM_TESTS_INGEST_BOTH_WAYS_H

#include "base/assert.h"
#include "ingest/decode.h"

#include <string.h>

/* Next record of JSON without a guess: no likely key, and no kind of which a whole record could be taken. */
static inline int both_ways_general(fm_decoder *decoder, fm_record *record)
{
    memset(decoder->column, 0, sizeof decoder->column);
    memset(decoder->reach, 0xff, sizeof decoder->reach);
    decoder->reach_known = true;
    return fm_decoder_next(decoder, record);
}

static inline void both_ways_record(const fm_record *a, const fm_record *b)
{
    FM_ASSERT(a->ts_ns == b->ts_ns && a->kind == b->kind && a->side == b->side && a->unused == b->unused);
    FM_ASSERT(a->conditions == b->conditions && a->seq == b->seq && a->seq_index == b->seq_index);
    FM_ASSERT(a->phase == b->phase && a->row == b->row && memcmp(&a->value, &b->value, sizeof a->value) == 0);
    for (int index = 0; index < 4; index++) {
        FM_ASSERT(a->number[index].mantissa == b->number[index].mantissa);
        FM_ASSERT(a->number[index].scale == b->number[index].scale);
    }
    FM_ASSERT(a->id_hash == b->id_hash && a->buyer == b->buyer && a->seller == b->seller);
    FM_ASSERT(fm_slice_equal(a->symbol, b->symbol) && fm_slice_equal(a->venue, b->venue));
    FM_ASSERT(fm_slice_equal(a->channel, b->channel) && fm_slice_equal(a->session, b->session));
    FM_ASSERT(fm_slice_equal(a->source, b->source) && a->unknown_keys == b->unknown_keys);
}

/* Returns how many records were taken. */
static inline unsigned both_ways(fm_format format, const void *body, size_t size, const fm_decode_limits *limits)
{
    fm_decoder guessing, general;
    fm_record a, b;
    unsigned taken = 0;
    int result;
    fm_decoder_init(&guessing, format, body, size, limits);
    fm_decoder_init(&general, format, body, size, limits);
    do {
        result = fm_decoder_next(&guessing, &a);
        FM_ASSERT(both_ways_general(&general, &b) == result);
        FM_ASSERT(guessing.at == general.at && guessing.torn == general.torn && guessing.index == general.index);
        if (result > 0) {
            both_ways_record(&a, &b);
            taken++;
        } else if (result < 0) {
            FM_ASSERT(guessing.error.code == general.error.code && guessing.error.column == general.error.column);
            FM_ASSERT(strcmp(guessing.error.message, general.error.message) == 0);
            FM_ASSERT(guessing.record.data == general.record.data && guessing.record.size == general.record.size);
        }
    } while (result != 0);
    return taken;
}

#endif
