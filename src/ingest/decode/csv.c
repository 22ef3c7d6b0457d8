/* ingest/decode/csv.c - records from CSV with a header line (RFC 4180): the wire's names as columns, in any order.
 *
 * An empty cell is "not given". Conditions stand in one cell, joined with '|'. Cells may be quoted, with "" for a
 * quote, and a quoted cell may hold line ends. Lines end with LF or CRLF; empty lines are skipped; a byte order mark
 * before the header is skipped, as spreadsheets write one. Columns with other names are ignored and their cells
 * counted. */
#include "ingest/decode/machine.h"

enum { STATE_HEADER, STATE_ROWS, STATE_END };

typedef struct row {
    fm_decoder *decoder;
    const char *begin, *end;
    fm_field field; /* of the cell being read */
    int code;       /* why reading stopped */
    const char *at;
    const char *reason;
    fm_draft draft;
} row;

static const char *stop(row *in, int code, const char *at, const char *reason)
{
    in->code = code;
    in->at = at;
    in->reason = reason;
    return NULL;
}

/* What ends a cell: ',', LF, CR LF, CR at the end, the end. */
static inline bool ends_cell(const char *at, const char *end)
{
    return at == end || *at == ',' || *at == '\n' || (*at == '\r' && (at + 1 == end || at[1] == '\n'));
}

/* A quoted cell, `at` behind its quote: its text in the body when it holds no quote, else in the scratch (data NULL
 * when too long). */
static const char *quoted_cell(row *in, const char *at, fm_slice *text)
{
    const char *begin = at;
    char *out = in->decoder->scratch + in->decoder->scratch_used;
    size_t used = 0;
    bool copied = false;
    for (;;) {
        const char *quote = memchr(at, '"', (size_t)(in->end - at));
        if (!quote)
            return stop(in, FM_malformed, begin - 1, "a quoted cell has no end");
        size_t run = (size_t)(quote - at);
        if (copied || (quote + 1 < in->end && quote[1] == '"')) {
            copied = true;
            if (used + run + 1 <= FM_TEXT_MAX) {
                memcpy(out + used, at, run);
                out[used + run] = '"';
            }
            used += run;
        }
        at = quote + 1;
        if (at < in->end && *at == '"') {
            used++;
            at++;
            continue;
        }
        *text = copied ? (fm_slice){used < FM_TEXT_MAX ? out : NULL, used} : (fm_slice){begin, run};
        return ends_cell(at, in->end)
                   ? at
                   : stop(in, FM_malformed, at, "a quoted cell is followed by more than ',' or a line end");
    }
}

/* The text of the cell at `at`. */
static inline const char *read_cell(row *in, const char *at, fm_slice *text)
{
    const char *begin = at;
    if (FM_UNLIKELY(at < in->end && *at == '"'))
        return quoted_cell(in, at + 1, text);
    for (;;) {
        at += fm_scan_cell(at, in->end);
        if (FM_LIKELY(ends_cell(at, in->end)))
            break;
        if (*at == '"')
            return stop(in, FM_malformed, at, "a quote stands within a cell that does not begin with one");
        at++; /* a CR within a cell */
    }
    *text = (fm_slice){begin, (size_t)(at - begin)};
    return at;
}

static void take_conditions(row *in, fm_slice text, const char *at)
{
    while (text.size > 0) {
        const char *bar = memchr(text.data, '|', text.size);
        size_t size = bar ? (size_t)(bar - text.data) : text.size;
        fm_draft_condition(&in->draft, (fm_slice){text.data, size}, at);
        size_t step = bar ? size + 1 : size;
        text = (fm_slice){text.data + step, text.size - step};
    }
}

static void take_text(row *in, fm_field field, fm_slice text, const char *at)
{
    fm_number number;
    fm_form form = fm_field_rows[field].form;
    if (form == FORM_LIST) {
        take_conditions(in, text, at);
    } else if (form == FORM_COUNT || form == FORM_REAL) {
        if (fm_number_scan(text.data, text.data + text.size, &number) == text.data + text.size)
            fm_draft_number(&in->draft, field, &number, at);
        else
            fm_draft_refuse(&in->draft, field, 0, at, NULL);
    } else {
        fm_draft_text(&in->draft, field, text, at);
        fm_decoder_keep(in->decoder, field, text);
    }
}

static const char *read_unknown(row *in, const char *at)
{
    fm_slice text;
    const char *begin = at;
    at = read_cell(in, at, &text);
    if (!at)
        return NULL;
    size_t size = (size_t)(at - begin);
    if (size > in->decoder->limits.text_bytes_max)
        return stop(in, FM_key_too_long, begin, "a cell is longer than the limit");
    if (!fm_utf8_valid(begin, size))
        return stop(in, FM_utf8_invalid, begin, "a cell is not valid UTF-8");
    in->draft.record->unknown_keys += size > 0;
    return at;
}

static const char *read_any_cell(row *in, fm_field field, const char *at)
{
    fm_slice text;
    const char *begin = at;
    at = read_cell(in, at, &text);
    if (FM_UNLIKELY(!at))
        return NULL;
    if (FM_UNLIKELY(!text.data)) {
        fm_draft_refuse(&in->draft, field, 0, begin, "is longer than 256 bytes");
        return at;
    }
    if (text.size == 0) {
        fm_draft_null(&in->draft, field);
        return at;
    }
    if (FM_UNLIKELY(!fm_name_valid(text.data, text.size, 0x20) && !fm_utf8_valid(text.data, text.size)))
        return stop(in, FM_utf8_invalid, begin, "is not valid UTF-8");
    take_text(in, field, text, begin);
    return at;
}

/* A cell of a known column: plain numbers here, the rest there. */
static inline const char *read_known(row *in, fm_field field, const char *at)
{
    const char *next;
    uint64_t digits;
    unsigned decimals;
    switch (fm_field_forms[field]) {
    case FORM_TYPE:
    case FORM_SYMBOL:
    case FORM_NAME: {
        fm_slice text = {at, fm_scan_cell(at, in->end)};
        next = at + text.size;
        if (FM_UNLIKELY(next == in->end || *next != ',' ||
                        !fm_name_valid(text.data, text.size, field == FM_FIELD_SYMBOL ? 0x21 : 0x20)))
            break;
        if (field == FM_FIELD_TYPE)
            fm_draft_type(&in->draft, text, at);
        else
            *fm_draft_place(in->draft.record, field) = text;
        return next;
    }
    case FORM_TIME:
        next = in->end - at > 20 ? fm_number_scan_ns(at, &digits) : NULL;
        if (FM_LIKELY(next && ends_cell(next, in->end) && fm_draft_ts_good(&in->draft, digits)))
            return next;
        break;
    case FORM_DECIMAL:
        next = in->end - at > 20 ? fm_number_scan_near(at, &digits, &decimals) : NULL;
        if (FM_LIKELY(next && ends_cell(next, in->end))) {
            fm_draft_short(&in->draft, field, digits, decimals, at);
            return next;
        }
        break;
    case FORM_COUNT:
        next = in->end - at > 20 ? fm_number_scan_count(at, &digits) : NULL;
        if (FM_LIKELY(next && ends_cell(next, in->end))) {
            fm_draft_count(&in->draft, field, digits, true, at);
            return next;
        }
        break;
    default:
        break;
    }
    return read_any_cell(in, field, at);
}

const char *fm_csv_row_end(const char *at, const char *end)
{
    for (;;) {
        if (at < end && *at == '"') {
            for (at++; at < end; at++) {
                if (*at != '"')
                    continue;
                if (at + 1 == end || at[1] != '"')
                    break;
                at++;
            }
            if (at == end)
                return NULL;
            at++;
        }
        while (at < end && *at != ',' && *at != '\n')
            at++;
        if (at == end)
            return at;
        if (*at++ == '\n')
            return at;
    }
}

static const char *line_end(const char *at, const char *end)
{
    at += at < end && *at == '\r';
    return at < end ? at + 1 : at;
}

static int refuse(row *in)
{
    fm_decoder *decoder = in->decoder;
    const char *next = fm_csv_row_end(in->begin, in->end);
    decoder->torn = !next;
    decoder->at = next ? next : decoder->end;
    fm_slice bytes = {in->begin, (size_t)(decoder->at - in->begin)};
    while (bytes.size > 0 && (bytes.data[bytes.size - 1] == '\n' || bytes.data[bytes.size - 1] == '\r'))
        bytes.size--;
    return fm_decoder_refuse(decoder, in->code, in->field, bytes, in->at, in->reason);
}

/* A column of the header, and what follows its cell. */
static const char *read_column(row *in, const char *at, uint64_t *seen)
{
    fm_decoder *decoder = in->decoder;
    fm_slice name;
    const char *begin = at;
    at = read_cell(in, at, &name);
    if (!at)
        return NULL;
    if (decoder->column_count == FM_CSV_COLUMNS_MAX)
        return stop(in, FM_column_count, begin, "the header has more than 64 columns");
    fm_field field = name.data ? fm_field_of(name.data, name.size) : FM_FIELD_NONE;
    if (field != FM_FIELD_NONE && *seen >> field & 1) {
        in->field = field;
        return stop(in, FM_key_duplicate, begin, "stands twice in the header");
    }
    *seen |= UINT64_C(1) << field;
    decoder->column[decoder->column_count++] = (uint8_t)field;
    return at;
}

int fm_csv_header(fm_decoder *decoder)
{
    uint64_t seen = 0;
    row in = {.decoder = decoder, .begin = decoder->at, .end = decoder->end};
    const char *at = decoder->at;
    if (decoder->end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    in.begin = at;
    for (;;) {
        at = read_column(&in, at, &seen);
        if (!at || at == in.end || *at != ',')
            break;
        at++;
    }
    if (at && !(seen & FM_FIELD_BIT(TYPE))) {
        stop(&in, FM_type_missing, NULL, "the header has no column \"type\"");
        at = NULL;
    }
    if (at) {
        decoder->at = line_end(at, in.end);
        decoder->state = STATE_ROWS;
        return 0;
    }
    refuse(&in);
    decoder->state = STATE_END;
    decoder->torn = true;
    decoder->at = decoder->end;
    return in.code;
}

/* Its cells; returns what follows the line, or NULL. */
static inline const char *read_row(row *in, const char *at)
{
    fm_decoder *decoder = in->decoder;
    uint32_t count = decoder->column_count;
    for (uint32_t index = 0; index < count; index++) {
        fm_field field = decoder->column[index];
        in->field = field;
        in->draft.seen |= (UINT64_C(1) << field) & ~(UINT64_C(1) << FM_FIELD_NONE);
        at = FM_LIKELY(field != FM_FIELD_NONE) ? read_known(in, field, at) : read_unknown(in, at);
        if (FM_UNLIKELY(!at))
            return NULL;
        bool comma = at < in->end && *at == ',';
        if (FM_UNLIKELY(comma != (index + 1 < count))) {
            in->field = FM_FIELD_NONE;
            return stop(in, FM_column_count, at,
                        comma ? "the row has more columns than the header"
                              : "the row has fewer columns than the header");
        }
        at += comma;
    }
    return line_end(at, in->end);
}

int fm_csv_next(fm_decoder *decoder, fm_record *record)
{
    if (FM_UNLIKELY(decoder->state == STATE_HEADER)) {
        if (decoder->at == decoder->end)
            return 0;
        FM_TRY(fm_csv_header(decoder));
    }
    if (FM_UNLIKELY(decoder->state == STATE_END))
        return 0;
    const char *at = decoder->at;
    while (at < decoder->end && (*at == '\n' || *at == '\r'))
        at++;
    if (at == decoder->end)
        return 0;

    row in;
    in.decoder = decoder;
    in.begin = at;
    in.end = decoder->end;
    in.field = FM_FIELD_NONE;
    fm_draft_init(&in.draft, record, &decoder->limits);
    const char *next = read_row(&in, at);
    if (FM_UNLIKELY(!next))
        return refuse(&in);
    decoder->at = next;
    int result = fm_draft_finish(&in.draft);
    if (FM_LIKELY(result > 0))
        return result;
    size_t size = (size_t)(next - at);
    while (size > 0 && (at[size - 1] == '\n' || at[size - 1] == '\r'))
        size--;
    return fm_decoder_refuse_draft(decoder, &in.draft, (fm_slice){at, size});
}
