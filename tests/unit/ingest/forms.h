/* tests/unit/ingest/forms.h - random records, and each of them written as JSON, MessagePack and CSV in random ways. */
#ifndef FM_TESTS_INGEST_FORMS_H
#define FM_TESTS_INGEST_FORMS_H

#include "records.h"

#include "base/hash.h"
#include "base/random.h"

#include <msgpack.h>
#include <stdlib.h>
#include <time.h>

/* Keys of a record with their values as text; form tells how they may be written. */
typedef enum cell_form { CELL_TEXT, CELL_INTEGER, CELL_DECIMAL, CELL_REAL, CELL_TIME, CELL_LIST, CELL_FLAG } cell_form;

typedef struct cell {
    const char *key;
    cell_form form;
    char text[400]; /* the plain form; a list is joined with '|' */
    double real;    /* CELL_REAL, CELL_DECIMAL: the nearest double */
    int64_t integer;
} cell;

typedef struct form {
    cell cell[24];
    int count;
    fm_record record; /* what every way of writing must give */
    char names[6][65];
} form;

typedef struct bytes {
    char data[65536];
    size_t size;
} bytes;

static inline void put(bytes *out, const char *format, ...) FM_PRINTF(2, 3);
static inline void put(bytes *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(out->data + out->size, sizeof out->data - out->size, format, arguments);
    va_end(arguments);
    assert_true(count >= 0 && (size_t)count < sizeof out->data - out->size);
    out->size += (size_t)count;
}

static inline bool chance(fm_random *random, unsigned percent)
{
    return fm_random_below(random, 100) < percent;
}

static inline cell *add_cell(form *out, const char *key, cell_form kind)
{
    cell *next = &out->cell[out->count++];
    *next = (cell){.key = key, .form = kind};
    return next;
}

static inline fm_slice add_name(form *out, fm_random *random, const char *key, int place, bool space)
{
    char *name = out->names[place];
    size_t size = 1 + fm_random_below(random, chance(random, 80) ? 12 : 64);
    for (size_t index = 0; index < size; index++)
        name[index] = (char)(space ? 0x20 + fm_random_below(random, 0x5f) : 0x21 + fm_random_below(random, 0x5e));
    name[size] = 0;
    strcpy(add_cell(out, key, CELL_TEXT)->text, name);
    return (fm_slice){name, size};
}

static inline fm_decimal_number add_exact(form *out, const char *key, int64_t mantissa, int scale)
{
    cell *next = add_cell(out, key, CELL_DECIMAL);
    int64_t power = 1;
    while (scale > 0 && mantissa % 10 == 0) {
        mantissa /= 10;
        scale--;
    }
    for (int index = 0; index < scale; index++)
        power *= 10;
    if (scale > 0)
        snprintf(next->text, sizeof next->text, "%" PRId64 ".%0*" PRId64, mantissa / power, scale & 15,
                 mantissa % power);
    else
        sprintf(next->text, "%" PRId64, mantissa);
    next->real = (double)mantissa / (double)power;
    next->integer = scale == 0 ? mantissa : -1;
    return (fm_decimal_number){mantissa, scale};
}

static inline fm_decimal_number add_decimal(form *out, fm_random *random, const char *key, bool zero)
{
    int digits = 1 + (int)fm_random_below(random, 15), scale = (int)fm_random_below(random, 10);
    int64_t mantissa = 0;
    for (int index = 0; index < digits; index++)
        mantissa = mantissa * 10 + (int64_t)fm_random_below(random, 10);
    return add_exact(out, key, mantissa == 0 && !zero ? 7 : mantissa, scale);
}

static inline uint64_t add_count(form *out, fm_random *random, const char *key, uint64_t bound)
{
    cell *next = add_cell(out, key, CELL_INTEGER);
    uint64_t value = fm_random_below(random, chance(random, 70) && bound > 1000000 ? 1000000 : bound);
    sprintf(next->text, "%" PRIu64, value);
    next->integer = (int64_t)value;
    return value;
}

static inline void add_conditions(form *out, fm_random *random)
{
    static const char *const names[32] = {
#define CONDITION(bit, name, moves_last, counts_volume) [bit] = #name,
#include "base/conditions.def"
#undef CONDITION
    };
    cell *next = add_cell(out, "conditions", CELL_LIST);
    for (int count = 1 + (int)fm_random_below(random, 4); count > 0; count--) {
        unsigned bit = (unsigned)fm_random_below(random, 32);
        out->record.conditions |= 1u << bit;
        if (*next->text)
            strcat(next->text, "|");
        strcat(next->text, names[bit]);
    }
}

static inline void add_trade(form *out, fm_random *random)
{
    fm_record *record = &out->record;
    record->number[0] = add_decimal(out, random, "price", false);
    if (chance(random, 70))
        record->number[1] = add_decimal(out, random, "size", true);
    if (chance(random, 50)) {
        record->side = (uint8_t)(1 + fm_random_below(random, 2));
        strcpy(add_cell(out, "side", CELL_TEXT)->text, record->side == FM_BUY ? "buy" : "sell");
    }
    if (chance(random, 30))
        add_conditions(out, random);
    if (chance(random, 30))
        record->id_hash = fm_hash_slice(add_name(out, random, "id", 5, true));
    if (chance(random, 20))
        record->buyer = (uint32_t)fm_hash_slice(add_name(out, random, "buyer", 5, true));
    if (chance(random, 20))
        record->seller = (uint32_t)fm_hash_slice(add_name(out, random, "seller", 5, true));
}

static inline void add_quote(form *out, fm_random *random)
{
    fm_record *record = &out->record;
    int sides = 1 + (int)fm_random_below(random, 3);
    if (sides & 1)
        record->number[0] = add_decimal(out, random, "bid", false);
    if ((sides & 1) && chance(random, 70))
        record->number[1] = add_decimal(out, random, "bid_size", true);
    if (sides & 2)
        record->number[2] = add_decimal(out, random, "ask", false);
    if ((sides & 2) && chance(random, 70))
        record->number[3] = add_decimal(out, random, "ask_size", true);
}

static inline void add_value(form *out, fm_random *random)
{
    cell *next = add_cell(out, "value", CELL_REAL);
    do {
        uint64_t bits = fm_random_next(random);
        memcpy(&next->real, &bits, 8);
        if (chance(random, 50))
            next->real = (fm_random_unit(random) - 0.5) * 1e6;
    } while (!isfinite(next->real));
    sprintf(next->text, "%.17g", next->real);
    out->record.value = next->real;
}

static inline void add_status(form *out, fm_random *random)
{
    static const char *const phases[] = {"", "open", "auction", "halt", "closed"};
    out->record.phase = 1 + (uint32_t)fm_random_below(random, 4);
    strcpy(add_cell(out, "phase", CELL_TEXT)->text, phases[out->record.phase]);
}

static inline void add_ts(form *out, fm_random *random)
{
    static const int64_t first = 631152000000000000, last = 4102444800000000000;
    int64_t ts_ns = first + (int64_t)fm_random_below(random, (uint64_t)(last - first));
    cell *next = add_cell(out, "ts", CELL_TIME);
    next->integer = out->record.ts_ns = ts_ns;
    sprintf(next->text, "%" PRId64, ts_ns);
}

/* RFC 3339 text of a time, with a random offset. */
static inline void time_text(fm_random *random, int64_t ts_ns, char out[64])
{
    int offset = (int)fm_random_below(random, 2 * 1439 + 1) - 1439;
    time_t seconds = (time_t)(ts_ns / 1000000000 + offset * 60);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t used = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &parts);
    used += (size_t)sprintf(out + used, ".%09" PRId64, ts_ns % 1000000000);
    sprintf(out + used, "%c%02d:%02d", offset < 0 ? '-' : '+', abs(offset) / 60, abs(offset) % 60);
}

#include "forms_book.h"

static inline void make_form(form *out, fm_random *random)
{
    static const char *const types[] = {"", "trade", "quote", "value", "status", "bar", "book", "order"};
    memset(out, 0, sizeof *out);
    fm_record *record = &out->record;
    record->seq = record->row = FM_SEQ_ABSENT;
    for (int index = 0; index < 4; index++)
        record->number[index] = (fm_decimal_number){FM_ABSENT, 0};
    uint64_t kind = fm_random_below(random, 10);
    record->kind = kind < 3 ? FM_TRADE : kind < 6 ? FM_QUOTE : (uint8_t)(FM_VALUE + fm_random_below(random, 5));
    strcpy(add_cell(out, "type", CELL_TEXT)->text, types[record->kind]);
    record->symbol = add_name(out, random, "symbol", 0, false);
    add_ts(out, random);
    if (chance(random, 50))
        record->venue = add_name(out, random, "venue", 1, true);
    if (chance(random, 20))
        record->channel = add_name(out, random, "channel", 2, true);
    if (chance(random, 20))
        record->session = add_name(out, random, "session", 3, true);
    if (chance(random, 30)) {
        record->source = add_name(out, random, "src", 4, true);
        record->row = add_count(out, random, "n", INT64_MAX);
    }
    if (chance(random, 50))
        record->seq = add_count(out, random, "seq", INT64_MAX);
    if (chance(random, 20))
        record->seq_index = (uint32_t)add_count(out, random, "seq_index", UINT32_MAX);
    void (*const adders[])(form *, fm_random *) = {NULL,       add_trade, add_quote, add_value,
                                                   add_status, add_bar,   add_book,  add_order};
    adders[record->kind](out, random);
}

static inline void shuffle(form *out, fm_random *random)
{
    for (int index = out->count - 1; index > 0; index--) {
        int other = (int)fm_random_below(random, (uint64_t)index + 1);
        cell swap = out->cell[index];
        out->cell[index] = out->cell[other];
        out->cell[other] = swap;
    }
}

static inline void json_space(bytes *out, fm_random *random, bool lines)
{
    static const char spaces[] = " \t\r\n";
    while (chance(random, 10))
        put(out, "%c", spaces[fm_random_below(random, lines ? 3 : 4)]);
}

static inline void json_text(bytes *out, fm_random *random, const char *text)
{
    bool escaping = chance(random, 15);
    put(out, "\"");
    for (; *text; text++) {
        if (escaping && chance(random, 30))
            put(out, chance(random, 50) ? "\\u%04x" : "\\u%04X", (unsigned)*text);
        else if (*text == '"' || *text == '\\' || (*text == '/' && escaping))
            put(out, "\\%c", *text);
        else
            put(out, "%c", *text);
    }
    put(out, "\"");
}

/* The same decimal with an exponent: the point moved, zeros added. */
static inline void json_moved(bytes *out, fm_random *random, const char *text)
{
    int shift = (int)fm_random_below(random, 30);
    const char *point = strchr(text, '.');
    size_t whole = point ? (size_t)(point - text) : strlen(text);
    if (chance(random, 50)) {
        put(out, "%se%s0", text, chance(random, 50) ? "+" : "-");
    } else if (chance(random, 50)) { /* 0.000ddd e+shift */
        put(out, "0.");
        for (int index = (int)whole; index < shift + (int)whole; index++)
            put(out, "0");
        put(out, "%.*s%sE%d", (int)whole, text, point ? point + 1 : "", shift + (int)whole);
    } else { /* ddd000 e-n */
        int decimals = point ? (int)strlen(point + 1) : 0;
        const char *digits = text;
        while (*digits == '0' && digits[1] != '.' && digits[1])
            digits++;
        if (*digits == '0') { /* no leading zero is allowed */
            put(out, "%s", text);
            return;
        }
        put(out, "%.*s%s", (int)(point ? point - digits : (ptrdiff_t)strlen(digits)), digits, point ? point + 1 : "");
        for (int index = 0; index < shift; index++)
            put(out, "0");
        put(out, "e-%d", decimals + shift);
    }
}

static inline void json_value(bytes *out, fm_random *random, const cell *in, bool lines)
{
    char text[64];
    if (in->form == CELL_TEXT) {
        json_text(out, random, in->text);
    } else if (in->form == CELL_LIST) {
        char copy[400];
        strcpy(copy, in->text);
        char *rest = copy, *name;
        put(out, "[");
        while ((name = strsep(&rest, "|"))) {
            json_space(out, random, lines);
            json_text(out, random, name);
            json_space(out, random, lines);
            if (rest)
                put(out, ",");
        }
        put(out, "]");
    } else if (in->form == CELL_TIME && chance(random, 30)) {
        time_text(random, in->integer, text);
        json_text(out, random, text);
    } else if (in->form == CELL_DECIMAL && chance(random, 20)) {
        json_text(out, random, in->text);
    } else if (in->form == CELL_DECIMAL && chance(random, 20)) {
        json_moved(out, random, in->text);
    } else {
        put(out, "%s", in->text);
        if (in->form == CELL_DECIMAL && strchr(in->text, '.') && chance(random, 20))
            put(out, "0000000000000000000");
    }
}

static inline void write_json(bytes *out, fm_random *random, const form *in, bool lines)
{
    put(out, "{");
    for (int index = 0; index < in->count; index++) {
        json_space(out, random, lines);
        json_text(out, random, in->cell[index].key);
        json_space(out, random, lines);
        put(out, ":");
        json_space(out, random, lines);
        json_value(out, random, &in->cell[index], lines);
        json_space(out, random, lines);
        if (index + 1 < in->count)
            put(out, ",");
    }
    put(out, "}");
}

static inline void pack_text(msgpack_packer *packer, const char *text)
{
    msgpack_pack_str(packer, strlen(text));
    msgpack_pack_str_body(packer, text, strlen(text));
}

static inline void pack_value(msgpack_packer *packer, fm_random *random, const cell *in)
{
    char text[64];
    if (in->form == CELL_REAL) {
        msgpack_pack_double(packer, in->real);
    } else if (in->form == CELL_FLAG) {
        *in->text == 't' ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
    } else if (in->form == CELL_INTEGER) {
        if (chance(random, 50))
            msgpack_pack_fix_uint64(packer, (uint64_t)in->integer);
        else
            msgpack_pack_int64(packer, in->integer);
    } else if (in->form == CELL_DECIMAL && chance(random, 70)) {
        if (in->integer >= 0 && chance(random, 50))
            msgpack_pack_int64(packer, in->integer);
        else
            msgpack_pack_double(packer, in->real);
    } else if (in->form == CELL_TIME && chance(random, 70)) {
        msgpack_pack_int64(packer, in->integer);
    } else if (in->form == CELL_TIME) {
        time_text(random, in->integer, text);
        pack_text(packer, text);
    } else if (in->form == CELL_LIST) {
        size_t count = 1;
        for (const char *at = in->text; *at; at++)
            count += *at == '|';
        msgpack_pack_array(packer, count);
        char copy[400];
        strcpy(copy, in->text);
        char *rest = copy, *name;
        while ((name = strsep(&rest, "|")))
            pack_text(packer, name);
    } else {
        pack_text(packer, in->text);
    }
}

static inline void write_msgpack(msgpack_packer *packer, fm_random *random, const form *in)
{
    msgpack_pack_map(packer, (size_t)in->count);
    for (int index = 0; index < in->count; index++) {
        pack_text(packer, in->cell[index].key);
        pack_value(packer, random, &in->cell[index]);
    }
}

static inline void csv_cell(bytes *out, fm_random *random, const char *text)
{
    bool quoted = chance(random, 10) || strpbrk(text, ",\"\r\n");
    if (!quoted) {
        put(out, "%s", text);
        return;
    }
    put(out, "\"");
    for (; *text; text++)
        put(out, *text == '"' ? "\"\"" : "%c", *text);
    put(out, "\"");
}

/* Columns are the wire's names from `first` on, round and round, so that orders differ. */
static const char *const csv_columns[] = {
    "type",     "symbol",  "ts",    "price",   "size",     "bid",       "bid_size", "ask",    "ask_size",   "venue",
    "channel",  "session", "src",   "n",       "seq",      "seq_index", "side",     "id",     "conditions", "buyer",
    "seller",   "value",   "phase", "open",    "high",     "low",       "close",    "volume", "buy_volume", "trades",
    "interval", "action",  "order", "account", "snapshot", "more",      "orders"};
#define CSV_COLUMNS (int)(sizeof csv_columns / sizeof *csv_columns)

static inline void write_csv(bytes *out, fm_random *random, const form *in, int first)
{
    for (int index = 0; index < CSV_COLUMNS; index++) {
        const char *name = csv_columns[(first + index) % CSV_COLUMNS];
        for (int at = 0; at < in->count; at++) {
            if (strcmp(in->cell[at].key, name) != 0)
                continue;
            char text[64];
            bool as_text = in->cell[at].form == CELL_TIME && chance(random, 30);
            if (as_text)
                time_text(random, in->cell[at].integer, text);
            csv_cell(out, random, as_text ? text : in->cell[at].text);
        }
        put(out, "%s", index + 1 < CSV_COLUMNS ? "," : chance(random, 50) ? "\n" : "\r\n");
    }
}

#endif
