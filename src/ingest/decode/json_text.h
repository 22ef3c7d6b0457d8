/* ingest/decode/json_text.h - the parts of a JSON parser that are not about records: space, texts, values that are
 * skipped. */
#ifndef FM_INGEST_DECODE_JSON_TEXT_H
#define FM_INGEST_DECODE_JSON_TEXT_H

#include "ingest/decode/likely.h"

#define FM_JSON_FAR 40 /* bytes: more than fm_json_likely reads of a key and its value at once */

/* One record being parsed. A function that meets bytes that are not JSON calls fm_json_stop and returns NULL up to the
 * top. */
typedef struct fm_json {
    fm_decoder *decoder;
    const char *end;
    const char *far;   /* up to here the end is FM_JSON_FAR bytes away or more; NULL = nowhere */
    bool lines;        /* NDJSON: a line end is no space, so nothing reaches into the next record */
    bool closed;       /* the brace of the record has been read */
    bool twice;        /* a key stood twice, nobody knows which */
    uint8_t *expected; /* the place in the likely keys */
    fm_field field;    /* whose value is being read */
    int code;          /* why parsing stopped */
    const char *at;
    const char *reason; /* static */
    fm_draft draft;
} fm_json;

const char *fm_json_stop(fm_json *json, int code, const char *at, const char *reason);

const char *fm_json_space_slow(const fm_json *json, const char *at);
static inline const char *fm_json_space(const fm_json *json, const char *at)
{
    if (FM_LIKELY(at < json->end && (unsigned char)*at > ' '))
        return at;
    return fm_json_space_slow(json, at);
}

/* A text, `at` behind its opening quote; returns what follows the closing one. *text lies in the body, or without its
 * escapes in the decoder's scratch (not kept: fm_decoder_keep); longer than FM_TEXT_MAX without escapes its data is
 * NULL and its size still right. */
const char *fm_json_text_slow(fm_json *json, const char *at, fm_slice *text);
static inline const char *fm_json_text(fm_json *json, const char *at, fm_slice *text)
{
    size_t size = fm_scan_plain(at, json->end, 0x20);
    if (FM_LIKELY(at + size < json->end && at[size] == '"')) {
        *text = (fm_slice){at, size};
        return at + size + 1;
    }
    return fm_json_text_slow(json, at, text);
}

/* Reads pairs as long as they are the expected ones in their usual form, `at` behind a value or, for _open, at the
 * brace of a record. Returns where it ended: behind the closing brace (json->closed), behind a value, or at `at`. */
const char *fm_json_likely(fm_json *json, const char *at);
const char *fm_json_likely_open(fm_json *json, const char *at);

/* Any value, checked by the whole grammar, bounded by the limits; returns what follows it. */
const char *fm_json_skip(fm_json *json, const char *at);

/* Where the array element at `at` ends, whatever it holds, as far as brackets and quotes tell; NULL when they do not.
 */
const char *fm_json_recover(const char *at, const char *end);

#endif
