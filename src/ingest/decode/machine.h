/* ingest/decode/machine.h - what the decoders of the formats share among themselves. */
#ifndef FM_INGEST_DECODE_MACHINE_H
#define FM_INGEST_DECODE_MACHINE_H

#include "ingest/validate.h"

#define FM_DEPTH_MAX 256 /* of limits.depth_max: one bit or word of a stack for each level */
#define FM_TEXT_MAX                                                                                                    \
    256 /* bytes of a text with escapes that stands as a value of a known key: the longest name has 64 */

/* One step of a format: as fm_decoder_next, but for counting the record. */
int fm_json_usual(fm_decoder *decoder, fm_record *record); /* in one go, else one of the next two; has counted it */
#define FM_JSON_RARE SIZE_MAX                              /* decoder.reach: not in one go, whatever is left */
extern const size_t fm_json_reach_first[4];                /* of fm_likely_first */
int fm_json_next(fm_decoder *decoder, fm_record *record);
int fm_ndjson_next(fm_decoder *decoder, fm_record *record);
int fm_msgpack_next(fm_decoder *decoder, fm_record *record); /* has counted it */
int fm_csv_next(fm_decoder *decoder, fm_record *record);

/* Counts the record that a step has taken or refused; returns the step's result. */
static inline int fm_decoder_count(fm_decoder *decoder, int result)
{
    if (result != 0)
        decoder->index = decoder->next_index++;
    return result;
}

/* The likely keys (likely.h) are others than before: those of MessagePack are asked anew. */
void fm_msgpack_usual_forget(fm_decoder *decoder);

/* Reads the header line at decoder->at. 0, or the reason for which nothing of the body can be read. */
int fm_csv_header(fm_decoder *decoder);

/* The row of CSV at `at`: behind its line end, or NULL when a quote in it is still open at `end`. */
const char *fm_csv_row_end(const char *at, const char *end);

/* Goes on in other memory, in the state reached: a file is read window by window, each holding whole rows. */
void fm_decoder_window(fm_decoder *decoder, const char *begin, const char *end);

/* Fills decoder.error and decoder.record: `"price": has more decimals …, at byte 87 of the record`. FM_FIELD_NONE and
 * `at` NULL leave their parts out. Returns code. */
int fm_decoder_refuse(fm_decoder *decoder, int code, fm_field field, fm_slice record, const char *at,
                      const char *reason);

/* The same with what the draft found. */
int fm_decoder_refuse_draft(fm_decoder *decoder, const fm_draft *draft, fm_slice record);

/* Ends decoding: the bytes no longer say where a next record begins. Returns code. */
int fm_decoder_tear(fm_decoder *decoder, int code, const char *at, const char *reason);

/* Keeps a text without its escapes until the next record. Five names of at most 64 bytes are kept, so the scratch has
 * room always. */
static_assert(5 * FM_NAME_MAX + FM_TEXT_MAX <= FM_DECODE_SCRATCH, "names that are kept, and one text on the way");
static inline void fm_decoder_keep(fm_decoder *decoder, fm_field field, fm_slice text)
{
    if (text.data == decoder->scratch + decoder->scratch_used && text.size <= FM_NAME_MAX &&
        (fm_field_forms[field] == FORM_NAME || fm_field_forms[field] == FORM_SYMBOL))
        decoder->scratch_used += (uint32_t)text.size;
}

#endif
