/* ingest/decode/msgpack_plan.c - trades and quotes of MessagePack whose every key stands where it stood before.
 *
 * A record that was read by the keys of the one before it (likely.h) becomes the plan of its kind: the bytes that open
 * it (head of the map, type) and a step for each further pair: the bytes of the key, and the way to read the value into
 * its place in the record. What is the same in every such record was found when the plan was made: its keys are known,
 * stand once, are all used by the kind, and all that the kind needs are there. Left to check are the bytes of keys and
 * what values may be; that the body is long enough for all that a plan may read is asked once.
 *
 * Where anything is different nothing has happened: the record is read again, from its start, in the other ways. */
#include "ingest/decode/msgpack_read.h"

typedef struct fm_decode_step {
    union {
        char text[16]; /* of the key */
        struct {
            char head, name[15];
        };
    };
    uint8_t mask[16];
    size_t size;
    size_t place;     /* of the value in the record */
    const void *read; /* the label of its form */
    uint64_t unused;
} step;
static_assert(sizeof(step) == 64, "a cache line");

#define OPENING_SIZE 12 /* bytes: the head of the map, "type", "trade" or "quote" */
#define VALUE_SIZE   17 /* bytes of a value: at most a text of sixteen */
#define STEP_STOP    FM_FIELD_NONE
#define STEP_DONE    FM_FIELD_COUNT

/* The fields whose values a step can read. */
static const uint32_t planned = FM_FIELD_BIT(TYPE) | FM_FIELD_BIT(SYMBOL) | FM_FIELD_BIT(TS) | FM_FIELD_BIT(PRICE) |
                                FM_FIELD_BIT(SIZE) | FM_FIELD_BIT(BID) | FM_FIELD_BIT(BID_SIZE) | FM_FIELD_BIT(ASK) |
                                FM_FIELD_BIT(ASK_SIZE) | FM_FIELD_BIT(VENUE) | FM_FIELD_BIT(CHANNEL) |
                                FM_FIELD_BIT(SESSION) | FM_FIELD_BIT(SOURCE) | FM_FIELD_BIT(ROW) | FM_FIELD_BIT(SEQ) |
                                FM_FIELD_BIT(SIDE);

static const uint8_t opening_mask[16] __attribute__((aligned(16))) = FM_MASK(OPENING_SIZE);

#define PLACE(id)                                                                                                      \
    (FM_FIELD_##id >= FM_FIELD_VENUE && FM_FIELD_##id <= FM_FIELD_SOURCE                                               \
         ? offsetof(fm_record, venue) + (FM_FIELD_##id - FM_FIELD_VENUE) * sizeof(fm_slice)                            \
     : FM_FIELD_##id == FM_FIELD_ROW ? offsetof(fm_record, row)                                                        \
     : FM_FIELD_##id == FM_FIELD_SEQ ? offsetof(fm_record, seq)                                                        \
     : FM_FIELD_##id == FM_FIELD_PRICE || FM_FIELD_##id == FM_FIELD_SIZE                                               \
         ? offsetof(fm_record, number) + (FM_FIELD_##id - FM_FIELD_PRICE) * sizeof(fm_decimal_number)                  \
     : FM_FIELD_##id >= FM_FIELD_BID && FM_FIELD_##id <= FM_FIELD_ASK_SIZE                                             \
         ? offsetof(fm_record, number) + (FM_FIELD_##id - FM_FIELD_BID) * sizeof(fm_decimal_number)                    \
         : 0)

void fm_msgpack_plan(fm_msgpack *in, const char *begin, const step *steps)
{
    fm_decoder *decoder = in->decoder;
    unsigned kind = in->draft.record->kind, count = (unsigned char)*begin & 0x0f;
    const uint8_t *field = decoder->column + FM_LIKELY_KEYS * (kind % 4);
    const char *type = kind == FM_TRADE ? "\xa4type\xa5trade" : "\xa4type\xa5quote";
    if (kind > FM_QUOTE || (in->draft.seen & ~planned) != 0 || in->draft.record->unknown_keys > 0 ||
        (*begin & 0xf0) != 0x80 || memcmp(begin + 1, type, OPENING_SIZE - 1) != 0)
        return;
    if (decoder->plan_reach == SIZE_MAX) { /* whatever opens a record, it follows no plan yet */
        memset(decoder->plan, 0, sizeof decoder->plan);
        decoder->plan[0].step[0] = decoder->plan[1].step[0] = &steps[STEP_STOP];
        decoder->plan_reach = 0;
    }
    fm_decode_plan *plan = &decoder->plan[kind - FM_TRADE];
    size_t reach = OPENING_SIZE + FM_MSGPACK_FAR;
    memcpy(plan->opening, begin, OPENING_SIZE);
    for (unsigned index = 1; index < count; index++) {
        plan->step[index - 1] = &steps[field[index]];
        reach += steps[field[index]].size + VALUE_SIZE;
    }
    plan->step[count - 1] = &steps[STEP_DONE];
    if (decoder->plan_reach < reach)
        decoder->plan_reach = reach;
}

static inline __m128i load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline bool opens(__m128i bytes, const fm_decode_plan *plan)
{
    __m128i other = _mm_xor_si128(bytes, load(plan->opening));
    return _mm_testz_si128(other, _mm_load_si128((const __m128i *)(const void *)opening_mask));
}

static inline const char *read_ts(const char *at, const fm_decode_limits *limits, int64_t *ts_ns)
{
    uint64_t value = fm_msgpack_word(at + 1);
    if (FM_UNLIKELY((unsigned char)*at != 0xcf || value < (uint64_t)limits->ts_min_ns ||
                    value > (uint64_t)limits->ts_max_ns))
        return NULL;
    *ts_ns = (int64_t)value;
    return at + 9;
}

static inline const char *read_count(const char *at, uint64_t *count)
{
    uint64_t value;
    at = fm_msgpack_unsigned(at, &value);
    if (FM_UNLIKELY(!at || value > (uint64_t)INT64_MAX))
        return NULL;
    *count = value;
    return at;
}

/* "buy" or "sell", told apart without a branch: one is as likely as the other. */
static inline const char *read_side(const char *at, uint8_t *side)
{
    static const char buy[8] = "\xa3"
                               "buy",
                      sell[8] = "\xa4"
                                "sell";
    uint64_t word, bought, sold;
    memcpy(&word, at, 8);
    memcpy(&bought, buy, 8);
    memcpy(&sold, sell, 8);
    unsigned is_sold = (word & 0xffffffffff) == sold;
    if (FM_UNLIKELY(((word & 0xffffffff) == bought) + is_sold == 0))
        return NULL;
    *side = (uint8_t)(FM_BUY + is_sold);
    return at + 4 + is_sold;
}

int fm_msgpack_next(fm_decoder *decoder, fm_record *record)
{
    static const step steps[FM_FIELD_COUNT + 1] __attribute__((aligned(64))) = {
        [STEP_STOP] = {.read = &&stop},
#define FIELD(id, key, form, code, kinds)                                                                              \
    {{.head = (char)(0xa0 + sizeof(key) - 1), .name = key}, FM_MASK(sizeof(key)), sizeof(key), PLACE(id), &&form, 0},
#include "ingest/decode/fields.def"
#undef FIELD
        [STEP_DONE] = {.read = &&done},
    };
#define PLACED(type) ((type *)(void *)((char *)record + to->place))
#define NEXT()                                                                                                         \
    do {                                                                                                               \
        to = *next++;                                                                                                  \
        if (FM_UNLIKELY(!fm_likely_stands(load(at), to->text, to->mask)))                                              \
            goto stop;                                                                                                 \
        at += to->size;                                                                                                \
        goto * to->read;                                                                                               \
    } while (0)
#define TAKE(what)                                                                                                     \
    do {                                                                                                               \
        at = (what);                                                                                                   \
        if (FM_UNLIKELY(!at))                                                                                          \
            goto stop;                                                                                                 \
        NEXT();                                                                                                        \
    } while (0)

    const __m128i name = _mm_setr_epi8(0x20, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i symbol = _mm_setr_epi8(0x21, 0x7e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const char *at = decoder->at;
    const fm_decode_plan *plan = decoder->plan;
    if (FM_UNLIKELY((size_t)(decoder->end - at) < decoder->plan_reach))
        goto stop;
    uint8_t kind = FM_TRADE;
    if (!opens(load(at), plan)) {
        plan++;
        kind = FM_QUOTE;
        if (FM_UNLIKELY(!opens(load(at), plan)))
            goto stop;
    }
    fm_record_begin(record);
    record->kind = kind;
    at += OPENING_SIZE;
    const step *to, *const *next = plan->step;
    NEXT();

FORM_SYMBOL:
    TAKE(fm_msgpack_text(at, symbol, &record->symbol));
FORM_NAME:
    TAKE(fm_msgpack_text(at, name, PLACED(fm_slice)));
FORM_TIME:
    TAKE(read_ts(at, &decoder->limits, &record->ts_ns));
FORM_DECIMAL:
    TAKE(fm_msgpack_decimal(decoder, at, PLACED(fm_decimal_number)));
FORM_COUNT:
    TAKE(read_count(at, PLACED(uint64_t)));
FORM_WORD:
    TAKE(read_side(at, &record->side));
done:
    if (FM_LIKELY(record->number[0].mantissa != 0 && record->number[2].mantissa != 0)) {
        decoder->at = at;
        decoder->remaining -= decoder->remaining > 0;
        return 1;
    }
stop:      /* a price of zero too: it may withdraw a side */
FORM_TYPE: /* stands first, or there is no plan */
FORM_LIST:
FORM_REAL:
    return fm_msgpack_next_unplanned(decoder, record, steps);
#undef TAKE
#undef NEXT
#undef PLACED
}
