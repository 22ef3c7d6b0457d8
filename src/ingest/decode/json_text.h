/* ingest/decode/json_text.h - the parts of a JSON parser that are not about records: space, texts, values that are
 * skipped. */
#ifndef FM_INGEST_DECODE_JSON_TEXT_H
#define FM_INGEST_DECODE_JSON_TEXT_H

#include "ingest/decode/likely.h"

#define FM_JSON_FAR 40 /* bytes: more than fm_json_likely reads of a key and its value at once */

/* decoder.state of JSON: before all, within an array, behind the only object, behind everything. */
enum { FM_JSON_START, FM_JSON_BETWEEN, FM_JSON_CLOSED, FM_JSON_END };

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

/* --- what both likely ways read --- */

/* Behind the colon of a key: the quote of a text. */
#define FM_JSON_QUOTE_FORM_TYPE    "\""
#define FM_JSON_QUOTE_FORM_SYMBOL  "\""
#define FM_JSON_QUOTE_FORM_NAME    "\""
#define FM_JSON_QUOTE_FORM_WORD    "\""
#define FM_JSON_QUOTE_FORM_TIME    ""
#define FM_JSON_QUOTE_FORM_DECIMAL ""
#define FM_JSON_QUOTE_FORM_COUNT   ""
#define FM_JSON_QUOTE_FORM_REAL    ""
#define FM_JSON_QUOTE_FORM_LIST    ""
#define FM_JSON_QUOTE_FORM_ORDER   ""
#define FM_JSON_QUOTE_FORM_SPAN    ""
#define FM_JSON_QUOTE_FORM_FLAG    ""

/* By field, written without spaces and with: a comma, the key, its colon, the quote of a text. */
extern const fm_likely_key fm_json_keys[2][FM_FIELD_COUNT];

/* How most records begin: trades and quotes, without spaces and with. */
extern const char fm_json_openings[2][2][16];
static inline bool fm_json_opens(__m128i bytes, unsigned spaced, unsigned quote)
{
    const __m128i *opening = (const __m128i *)(const void *)fm_json_openings[spaced][quote];
    __m128i other = _mm_xor_si128(bytes, _mm_load_si128(opening));
    return _mm_testz_si128(other, other);
}

/* For FM_LIKELY_RUN. */
#define FM_JSON_NAME_BYTES   _mm_setr_epi8(0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
#define FM_JSON_SYMBOL_BYTES _mm_setr_epi8(0x21, 0x21, 0x23, 0x5b, 0x5d, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

/* A text that `run` plain bytes began, to behind its closing quote; NULL when it is empty, longer than a name or not
 * plain. */
const char *fm_json_name_long(const fm_decoder *decoder, const char *at, char lowest, fm_slice *text);
static inline const char *fm_json_name(const fm_decoder *decoder, const char *at, unsigned run, char lowest,
                                       fm_slice *text)
{
    size_t size = run;
    if (FM_UNLIKELY(size - 1 >= 15))
        return size == 0 ? NULL : fm_json_name_long(decoder, at, lowest, text);
    if (FM_UNLIKELY(at[size] != '"'))
        return NULL;
    *text = (fm_slice){at, size};
    return at + size + 1;
}

/* The first digits of the times of a body are the same: four that are kept stand for a time within the limits, whatever
 * follows them, and what three of them count is kept too. False when these are no such digits. */
bool fm_json_learn_ts_head(fm_decoder *decoder, const char *at) __attribute__((cold));

/* Nineteen digits within the limits, nineteen bytes readable; what may follow is the caller's affair. */
static inline const char *fm_json_ts(fm_decoder *decoder, const char *at, int64_t *out)
{
    uint64_t digits;
    if (FM_UNLIKELY(fm_load4(at) != decoder->ts_head) && !fm_json_learn_ts_head(decoder, at))
        return NULL;
    if (FM_UNLIKELY(!fm_digits_sixteen(fm_load16(at + 3), &digits)))
        return NULL;
    *out = (int64_t)(decoder->ts_head_ns + digits);
    return at + 19;
}

/* Any value, checked by the whole grammar, bounded by the limits; returns what follows it. */
const char *fm_json_skip(fm_json *json, const char *at);

/* Where the array element at `at` ends, whatever it holds, as far as brackets and quotes tell; NULL when they do not.
 */
const char *fm_json_recover(const char *at, const char *end);

#endif
