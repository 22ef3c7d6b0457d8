/* ingest/decode/decode.c - the formats by name, and the step that is common to them. */
#include "ingest/decode/likely.h"

#include <stdio.h>
#include <strings.h>

const fm_decode_limits fm_decode_limits_preset = {
    .depth_max = 32,
    .key_bytes_max = 256,
    .text_bytes_max = 65536,
    .scale_max = FM_SCALE_MAX,
    .ts_min_ns = 631152000 * FM_NS_PER_S,  /* 1990-01-01 */
    .ts_max_ns = 4102444800 * FM_NS_PER_S, /* 2100-01-01 */
};

static const struct {
    const char *name;
    fm_format format;
} media_types[] = {
    {"application/json", FM_FORMAT_JSON},           {"application/x-ndjson", FM_FORMAT_NDJSON},
    {"application/ndjson", FM_FORMAT_NDJSON},       {"application/jsonl", FM_FORMAT_NDJSON},
    {"application/msgpack", FM_FORMAT_MSGPACK},     {"application/x-msgpack", FM_FORMAT_MSGPACK},
    {"application/vnd.msgpack", FM_FORMAT_MSGPACK}, {"text/csv", FM_FORMAT_CSV},
};

/* Until a record says otherwise: the order in which records are written in the documentation. */
const uint8_t fm_likely_first[128] = {
    [FM_LIKELY_KEYS * FM_TRADE] = FM_FIELD_TYPE,
    FM_FIELD_SYMBOL,
    FM_FIELD_VENUE,
    FM_FIELD_TS,
    FM_FIELD_PRICE,
    FM_FIELD_SIZE,
    [FM_LIKELY_KEYS * FM_QUOTE] = FM_FIELD_TYPE,
    FM_FIELD_SYMBOL,
    FM_FIELD_VENUE,
    FM_FIELD_TS,
    FM_FIELD_BID,
    FM_FIELD_BID_SIZE,
    FM_FIELD_ASK,
    FM_FIELD_ASK_SIZE,
};

fm_format fm_format_of(fm_slice content_type)
{
    size_t size = 0;
    while (size < content_type.size && content_type.data[size] != ';')
        size++;
    while (size > 0 && (content_type.data[size - 1] == ' ' || content_type.data[size - 1] == '\t'))
        size--;
    for (size_t index = 0; index < sizeof media_types / sizeof *media_types; index++)
        if (size == strlen(media_types[index].name) &&
            strncasecmp(content_type.data, media_types[index].name, size) == 0)
            return media_types[index].format;
    return FM_FORMAT_NONE;
}

void fm_decoder_init(fm_decoder *decoder, fm_format format, const void *body, size_t size,
                     const fm_decode_limits *limits)
{
    decoder->format = format;
    decoder->limits = *limits;
    if (decoder->limits.depth_max > FM_DEPTH_MAX)
        decoder->limits.depth_max = FM_DEPTH_MAX;
    if (decoder->limits.scale_max < 0 || decoder->limits.scale_max > FM_SCALE_MAX)
        decoder->limits.scale_max = FM_SCALE_MAX;
    decoder->likely_row = 0;
    decoder->spaced = false;
    decoder->ts_head = 0;
    decoder->double_scale = 0;
    decoder->ts_head_ns = 0;
    decoder->reach_known = true;
    memcpy(decoder->reach, fm_json_reach_first, sizeof decoder->reach);
    fm_msgpack_usual_forget(decoder);
    memcpy(decoder->column, fm_likely_first, sizeof decoder->column);
    fm_decoder_next_body(decoder, body, size);
}

void fm_decoder_next_body(fm_decoder *decoder, const void *body, size_t size)
{
    decoder->index = decoder->next_index = 0;
    decoder->error.code = 0;
    decoder->error.message[0] = 0;
    decoder->record = (fm_slice){0};
    decoder->torn = false;
    decoder->state = 0;
    decoder->remaining = 0;
    decoder->column_count = 0;
    decoder->separator = decoder->format == FM_FORMAT_NDJSON ? '\n' : -1;
    if (decoder->format == FM_FORMAT_CSV)
        memset(decoder->column, FM_FIELD_NONE, sizeof decoder->column);
    decoder->scratch_used = 0;
    fm_decoder_window(decoder, body, (const char *)body + size);
}

void fm_decoder_window(fm_decoder *decoder, const char *begin, const char *end)
{
    decoder->begin = decoder->at = begin;
    decoder->end = end;
}

static int next_nothing(fm_decoder *decoder, fm_record *record)
{
    (void)decoder;
    (void)record;
    return 0;
}

static int next_csv(fm_decoder *decoder, fm_record *record)
{
    return fm_decoder_count(decoder, fm_csv_next(decoder, record));
}

int fm_decoder_next(fm_decoder *decoder, fm_record *record)
{
    static int (*const steps[])(fm_decoder *, fm_record *) = {
        [FM_FORMAT_NONE] = next_nothing,       [FM_FORMAT_JSON] = fm_json_usual, [FM_FORMAT_NDJSON] = fm_json_usual,
        [FM_FORMAT_MSGPACK] = fm_msgpack_next, [FM_FORMAT_CSV] = next_csv,
    };
    decoder->scratch_used = 0;
    return steps[decoder->format](decoder, record);
}

int fm_decoder_refuse(fm_decoder *decoder, int code, fm_field field, fm_slice record, const char *at,
                      const char *reason)
{
    char key[24] = "", position[48] = "";
    size_t offset = 0;
    if (field != FM_FIELD_NONE)
        snprintf(key, sizeof key, "\"%s\": ", fm_field_rows[field].name);
    if (at) {
        offset = (size_t)(at - record.data);
        snprintf(position, sizeof position, ", at byte %zu of the record", offset);
    }
    decoder->record = record;
    fm_fail(&decoder->error, code, "%s%s%s", key, reason, position);
    decoder->error.column = at && offset < INT32_MAX ? (int)offset + 1 : 0;
    return code;
}

int fm_decoder_refuse_draft(fm_decoder *decoder, const fm_draft *draft, fm_slice record)
{
    return fm_decoder_refuse(decoder, draft->code, draft->field, record, draft->at, draft->reason);
}

int fm_decoder_tear(fm_decoder *decoder, int code, const char *at, const char *reason)
{
    fm_slice rest = {at, (size_t)(decoder->end - at)};
    fm_decoder_refuse(decoder, code, FM_FIELD_NONE, rest, NULL, reason);
    size_t offset = (size_t)(at - decoder->begin);
    fm_fail(&decoder->error, code, "%s, at byte %zu of the body", reason, offset);
    decoder->torn = true;
    decoder->at = decoder->end;
    return code;
}
