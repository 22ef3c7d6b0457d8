/* tests/unit/ingest/msgpack_usual_test.c - reading records whole changes no result: the same bytes read so and key by
 * key give the same records, refusals, words and places, whatever stands in them. */
#include "records.h"

#include "base/random.h"
#include "ingest/decode/fields.h"

#include <stdlib.h>

enum { ROUNDS = 8000, RECORDS = 8, KEYS_MAX = 15 };

typedef struct bytes {
    char data[16384];
    size_t size;
} bytes;

/* --- both ways --- */

static void forget(fm_decoder *decoder)
{
    memset(decoder->usual, FM_FIELD_COUNT, sizeof decoder->usual);
    decoder->double_scale = 0;
    memset(decoder->column, FM_FIELD_NONE, sizeof decoder->column);
}

/* All that one step told: what it returned, where it stands now, the record or why there is none. */
static void line_step(line *out, const fm_decoder *decoder, int result, const fm_record *record)
{
    line_add(out, "%d %u at %td, %u left%s: ", result, decoder->index, decoder->at - decoder->begin, decoder->remaining,
             decoder->torn ? ", torn" : "");
    if (result > 0)
        line_record(out, record);
    else if (result < 0)
        line_add(out, "%s; column %d, bytes %td+%zu", decoder->error.message, decoder->error.column,
                 decoder->record.data - decoder->begin, decoder->record.size);
}

/* Bytes end where the memory does, so that a byte read beyond them is noticed. Returns how many records were good. */
static unsigned both_ways_agree(const char *data, size_t size, const fm_decode_limits *limits)
{
    char *body = malloc(size ? size : 1);
    fm_decoder whole, plain;
    fm_record a, b;
    int result;
    unsigned good = 0;
    memcpy(body, data, size);
    fm_decoder_init(&whole, FM_FORMAT_MSGPACK, body, size, limits);
    fm_decoder_init(&plain, FM_FORMAT_MSGPACK, body, size, limits);
    do {
        line one = {.used = 0}, other = {.used = 0};
        memset(&a, 0xa5, sizeof a);
        memset(&b, 0x5a, sizeof b);
        result = fm_decoder_next(&whole, &a);
        line_step(&one, &whole, result, &a);
        forget(&plain);
        line_step(&other, &plain, fm_decoder_next(&plain, &b), &b);
        if (strcmp(one.text, other.text) != 0)
            fail_msg("whole\n%s\nkey by key\n%s", one.text, other.text);
        good += result > 0;
    } while (result != 0);
    free(body);
    return good;
}

/* --- bodies --- */

static void put(bytes *out, const void *data, size_t size)
{
    assert_true(size <= sizeof out->data - out->size);
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void put_byte(bytes *out, unsigned byte)
{
    char one = (char)byte;
    put(out, &one, 1);
}

/* A number behind its type byte, `size` bytes of it. */
static void put_word(bytes *out, unsigned type, uint64_t value, unsigned size)
{
    put_byte(out, type);
    while (size-- > 0)
        put_byte(out, (unsigned)(value >> (8 * size)) & 0xff);
}

static void put_text(bytes *out, const char *text, size_t size, bool longer)
{
    if (size > 31 || longer)
        put_byte(out, 0xd9);
    put_byte(out, (unsigned)size + (size > 31 || longer ? 0 : 0xa0));
    put(out, text, size);
}

/* In the shortest form, or in any that has room: 0 to 4 of unsigned, 5 to 8 of signed integers. */
static void put_integer(bytes *out, fm_random *random, uint64_t value, bool usual)
{
    unsigned bits = value < 128 ? 0 : value < 256 ? 1 : value < 65536 ? 2 : value <= UINT32_MAX ? 3 : 4;
    unsigned form = usual ? bits : (unsigned)fm_random_below(random, 9);
    if (form == 0)
        put_byte(out, (unsigned)value & 0x7f);
    else
        put_word(out, 0xcb + form, value, 1u << ((form - 1) % 4));
}

static void put_double(bytes *out, double x)
{
    uint64_t word;
    memcpy(&word, &x, 8);
    put_word(out, 0xcb, word, 8);
}

static void put_float(bytes *out, double x)
{
    uint32_t word;
    float single = (float)x;
    memcpy(&word, &single, 4);
    put_word(out, 0xca, word, 4);
}

static const double powers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10};

static void put_odd_number(bytes *out, fm_random *random, double x)
{
    static const char *const texts[] = {"1e2", "", "007", "7.", ".5", "-1", "1.500", "123456789012345678", "0", "0.0"};
    static const double doubles[] = {
        0.0,       -0.0,  -1.5, 1e300, 9007199254740992.0, 9007199254740994.0, 1.0 / 3, 1e-9, 1e-10, 999999999999999.0,
        0.1 + 0.2, 5e-324};
    uint64_t bits = fm_random_next(random);
    const char *text = texts[fm_random_below(random, sizeof texts / sizeof *texts)];
    switch (fm_random_below(random, 7)) {
    case 0:
        put_float(out, x);
        return;
    case 1:
        put_double(out, doubles[fm_random_below(random, sizeof doubles / sizeof *doubles)]);
        return;
    case 2:
        put_text(out, text, strlen(text), false);
        return;
    case 3:
        put_text(out, text, strlen(text), true);
        return;
    case 4:
        put_word(out, 0xcb, bits, 8);
        return;
    case 5:
        put_byte(out, 0xc0);
        return;
    default:
        put_integer(out, random, bits >> fm_random_below(random, 64), false);
    }
}

static void put_decimal(bytes *out, fm_random *random, unsigned form, bool usual)
{
    unsigned scale = (unsigned)fm_random_below(random, fm_random_below(random, 4) ? 4 : 10);
    uint64_t mantissa = fm_random_below(random, UINT64_C(1) << (4 + fm_random_below(random, 47)));
    char text[64];
    if (fm_random_below(random, 30) == 0)
        mantissa = 0;
    if (!usual && fm_random_below(random, 2))
        put_odd_number(out, random, (double)mantissa / powers[scale]);
    else if (form == 0)
        put_double(out, (double)mantissa / powers[scale]);
    else if (form == 1)
        put_integer(out, random, mantissa, usual);
    else
        put_text(out, text, (size_t)snprintf(text, sizeof text, "%.*f", (int)scale, (double)mantissa / powers[scale]),
                 !usual);
}

static void put_name(bytes *out, fm_random *random, bool usual)
{
    char text[80];
    size_t size = usual ? 1 + fm_random_below(random, 16) : fm_random_below(random, 80);
    for (size_t index = 0; index < size; index++)
        text[index] = (char)('A' + fm_random_below(random, 26));
    if (!usual && size > 0) /* one byte that may not be there */
        text[fm_random_below(random, size)] = "\x20\x1f\x7f\x80\xff\0\x21\x7e"[fm_random_below(random, 8)];
    put_text(out, text, size, !usual && fm_random_below(random, 2));
}

static void put_value(bytes *out, fm_random *random, fm_field field, unsigned form, bool usual)
{
    static const char *const words[] = {"buy", "sell", "hold", "Buy", "sel", "buyx", "", "sells"};
    const char *word = words[fm_random_below(random, usual ? 2 : 8)];
    static const uint64_t first = 631152000000000000, last = 4102444800000000000;
    if (!usual && fm_random_below(random, 12) == 0) {
        put_byte(out, (unsigned)fm_random_below(random, 256));
        return;
    }
    switch (fm_field_rows[field].form) {
    case FORM_SYMBOL:
    case FORM_NAME:
        put_name(out, random, usual);
        return;
    case FORM_TIME:
        if (usual)
            put_word(out, 0xcf, first + fm_random_below(random, last - first + 1), 8);
        else
            put_word(out, fm_random_below(random, 2) ? 0xcf : 0xd3, fm_random_below(random, 2) ? first - 1 : last + 1,
                     8);
        return;
    case FORM_COUNT:
        put_integer(out, random, fm_random_next(random) >> (usual ? 20 : 0) >> fm_random_below(random, 44), usual);
        return;
    case FORM_WORD:
        put_text(out, word, strlen(word), false);
        return;
    case FORM_LIST:
        put_byte(out, 0x90);
        return;
    default:
        put_decimal(out, random, form, usual);
    }
}

typedef struct shape {
    unsigned count;
    fm_field field[KEYS_MAX + 1];
    uint8_t form[FM_FIELD_COUNT]; /* of decimals */
    bool quote, rare;             /* odd values now and then */
} shape;

static void put_record(bytes *out, fm_random *random, const shape *like)
{
    put_byte(out, 0x80 + like->count);
    for (unsigned index = 0; index < like->count; index++) {
        fm_field field = like->field[index];
        const char *key = fm_field_rows[field].name;
        bool usual = !like->rare || fm_random_below(random, 20) > 0;
        if (field == FM_FIELD_NONE)
            key = "unknown";
        put_text(out, key, strlen(key), !usual && fm_random_below(random, 4) == 0);
        if (field == FM_FIELD_TYPE)
            put_text(out, usual ? like->quote ? "quote" : "trade" : "value", 5, false);
        else
            put_value(out, random, field, like->form[field], usual);
    }
}

static void swap(shape *like, unsigned a, unsigned b)
{
    fm_field moved = like->field[a];
    like->field[a] = like->field[b];
    like->field[b] = moved;
}

static void draw_shape(fm_random *random, shape *out)
{
    static const fm_field of_all[] = {FM_FIELD_VENUE,     FM_FIELD_SEQ, FM_FIELD_CHANNEL, FM_FIELD_SESSION,
                                      FM_FIELD_SEQ_INDEX, FM_FIELD_ID,  FM_FIELD_NONE,    FM_FIELD_CONDITIONS};
    static const fm_field of_quotes[] = {FM_FIELD_BID, FM_FIELD_BID_SIZE, FM_FIELD_ASK, FM_FIELD_ASK_SIZE};
    *out = (shape){.quote = fm_random_below(random, 2), .rare = fm_random_below(random, 2)};
    out->field[out->count++] = FM_FIELD_TYPE;
    out->field[out->count++] = FM_FIELD_SYMBOL;
    out->field[out->count++] = FM_FIELD_TS;
    if (out->quote) {
        for (unsigned index = 0; index < 4; index++)
            if (fm_random_below(random, 8))
                out->field[out->count++] = of_quotes[index];
    } else {
        out->field[out->count++] = FM_FIELD_PRICE;
        out->field[out->count++] = FM_FIELD_SIZE;
        if (fm_random_below(random, 2))
            out->field[out->count++] = FM_FIELD_SIDE;
    }
    if (fm_random_below(random, 3) == 0) {
        out->field[out->count++] = FM_FIELD_SOURCE;
        out->field[out->count++] = FM_FIELD_ROW;
    }
    for (unsigned index = 0; index < 8 && out->count < KEYS_MAX; index++)
        if (fm_random_below(random, index < 4 ? 3 : 12) == 0)
            out->field[out->count++] = of_all[index];
    for (unsigned index = out->count - 1; index > 1; index--)
        swap(out, index, 1 + (unsigned)fm_random_below(random, index));
    if (fm_random_below(random, 5) == 0)
        swap(out, 0, (unsigned)fm_random_below(random, out->count));
    for (unsigned field = 0; field < FM_FIELD_COUNT; field++)
        out->form[field] = (uint8_t)fm_random_below(random, 3);
}

/* The same keys in another order, one fewer, one twice, one in the place of another. */
static shape varied(fm_random *random, const shape *like)
{
    shape out = *like;
    unsigned a = (unsigned)fm_random_below(random, out.count), b = (unsigned)fm_random_below(random, out.count);
    switch (fm_random_below(random, 4)) {
    case 0:
        swap(&out, a, b);
        break;
    case 1:
        out.field[a] = out.field[--out.count];
        break;
    case 2:
        out.field[a] = out.field[b];
        break;
    default:
        if (out.count < KEYS_MAX)
            out.field[out.count++] = out.field[a];
    }
    return out;
}

static void draw_body(fm_random *random, bytes *out, bool odd)
{
    shape shapes[2];
    out->size = 0;
    draw_shape(random, &shapes[0]);
    draw_shape(random, &shapes[1]);
    if (fm_random_below(random, 2))
        put_byte(out, 0x90 + RECORDS);
    for (unsigned record = 0; record < RECORDS; record++) {
        shape one = shapes[fm_random_below(random, 3) == 0];
        one.rare &= odd;
        one = odd && fm_random_below(random, 8) == 0 ? varied(random, &one) : one;
        put_record(out, random, &one);
    }
}

/* --- claims --- */

static void records_read_whole_are_what_their_keys_say(void **unused)
{
    (void)unused;
    static bytes body;
    fm_random random;
    unsigned good = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        fm_random_seed(&random, round);
        draw_body(&random, &body, round % 4 != 0);
        fm_decode_limits limits = fm_decode_limits_preset;
        limits.scale_max = (int32_t)(FM_SCALE_MAX - fm_random_below(&random, 8) * (round % 2));
        good += both_ways_agree(body.data, body.size, &limits);
    }
    assert_true(good > ROUNDS * RECORDS / 2);
}

static void a_changed_byte_means_what_it_means_key_by_key(void **unused)
{
    (void)unused;
    static bytes body;
    fm_random random;
    for (unsigned round = 0; round < ROUNDS; round++) {
        fm_random_seed(&random, round);
        draw_body(&random, &body, false);
        for (unsigned changes = 1 + (unsigned)fm_random_below(&random, 3); changes > 0; changes--)
            body.data[fm_random_below(&random, body.size)] ^= (char)(1 + fm_random_below(&random, 255));
        both_ways_agree(body.data, body.size, &fm_decode_limits_preset);
    }
}

static void every_value_of_every_byte_means_what_it_means_key_by_key(void **unused)
{
    (void)unused;
    static bytes body;
    fm_random random;
    for (unsigned round = 0; round < 2; round++) {
        fm_random_seed(&random, round);
        shape like;
        do
            draw_shape(&random, &like);
        while (like.quote != round % 2);
        body.size = 0;
        like.rare = false;
        size_t begin = 0, end = 0;
        for (unsigned record = 0; record < 6; record++) {
            put_record(&body, &random, &like);
            begin = record == 0 ? body.size : begin;
            end = record == 1 ? body.size : end;
        }
        for (size_t at = begin; at < end; at++) {
            char before = body.data[at];
            for (unsigned value = 0; value < 256; value++) {
                body.data[at] = (char)value;
                both_ways_agree(body.data, body.size, &fm_decode_limits_preset);
            }
            body.data[at] = before;
        }
    }
}

static void a_body_that_ends_anywhere_ends_there_key_by_key_too(void **unused)
{
    (void)unused;
    static bytes body;
    fm_random random;
    for (unsigned round = 0; round < 40; round++) {
        fm_random_seed(&random, round);
        draw_body(&random, &body, false);
        for (size_t size = 0; size <= body.size; size++)
            both_ways_agree(body.data, size, &fm_decode_limits_preset);
    }
}

/* The last trade was guessed by the row of quotes, where the type stands second, and that of trades, where it stands
 * first: what opens it is no type, and in the record behind it the same bytes hold another symbol. */
static void a_record_read_whole_opens_with_its_type(void **unused)
{
    (void)unused;
#define TIME   "\xa2ts\xcf\x13\x6a\x5d\xd4\x25\xc3\xd0\x00"
#define PRICES "\xa5price\x05\xa4size\x06"
#define SIDES                                                                                                          \
    "\xa3"                                                                                                             \
    "bid\x05\xa3"                                                                                                      \
    "ask\x06"
    static const char records[] =
        "\x85\xa4type\xa5trade\xa6symbol\xa1X" TIME PRICES "\x85\xa4type\xa5quote\xa6symbol\xa1X" TIME SIDES
        "\x85\xa6symbol\xabQUOTED_TEXT\xa4type\xa5quote" TIME SIDES
        "\x85\xa6symbol\xabQUOTED_TEXT\xa4type\xa5trade" TIME PRICES;
    static const char within[] = "\x85\xa6symbol\xabQUO\xa6symbol\xa1X" TIME PRICES;
    static bytes body;
    body.size = 0;
    put(&body, records, sizeof records - 1);
    for (int times = 0; times < 6; times++)
        put(&body, within, sizeof within - 1);
    assert_int_equal(both_ways_agree(body.data, body.size, &fm_decode_limits_preset), 4);
}

/* Only the other ways note whose row of keys the last record had. */
static void records_of_one_shape_are_read_whole(void **unused)
{
    (void)unused;
    enum { NOBODY = 16 * FM_VALUE, COUNT = 100 };
    static bytes body;
    fm_random random;
    fm_random_seed(&random, 1);
    const shape like = {.count = 7,
                        .field = {FM_FIELD_TYPE, FM_FIELD_SYMBOL, FM_FIELD_TS, FM_FIELD_PRICE, FM_FIELD_SIZE,
                                  FM_FIELD_SIDE, FM_FIELD_VENUE},
                        .form = {[FM_FIELD_PRICE] = 1, [FM_FIELD_SIZE] = 1}};
    body.size = 0;
    for (unsigned record = 0; record < COUNT; record++)
        put_record(&body, &random, &like);
    fm_decoder decoder;
    fm_record record;
    unsigned whole = 0, priced = 0;
    fm_decoder_init(&decoder, FM_FORMAT_MSGPACK, body.data, body.size, &fm_decode_limits_preset);
    decoder.likely_row = NOBODY;
    for (int result; (result = fm_decoder_next(&decoder, &record)) != 0; decoder.likely_row = NOBODY) {
        priced += result > 0;
        whole += result > 0 && decoder.likely_row == NOBODY;
    }
    assert_true(priced > COUNT * 3 / 4);
    assert_int_equal(whole, priced - 1); /* all but the first */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_read_whole_are_what_their_keys_say),
        cmocka_unit_test(a_changed_byte_means_what_it_means_key_by_key),
        cmocka_unit_test(every_value_of_every_byte_means_what_it_means_key_by_key),
        cmocka_unit_test(a_body_that_ends_anywhere_ends_there_key_by_key_too),
        cmocka_unit_test(a_record_read_whole_opens_with_its_type),
        cmocka_unit_test(records_of_one_shape_are_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
