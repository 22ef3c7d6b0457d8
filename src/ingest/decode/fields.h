/* ingest/decode/fields.h - fields.def as ids and tables, and the way from a key to its id.
 *
 * The lookup branches on the length and compares whole words: with the length known to the compiler each comparison is
 * one or two loads, and a length has at most five names. */
#ifndef FM_INGEST_DECODE_FIELDS_H
#define FM_INGEST_DECODE_FIELDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum fm_field {
    FM_FIELD_NONE, /* an unknown key */
#define FIELD(id, name, form, code, kinds) FM_FIELD_##id,
#include "ingest/decode/fields.def"
#undef FIELD
    FM_FIELD_COUNT,
} fm_field;

typedef enum fm_form {
    FORM_NONE,
    FORM_TYPE,    /* text: the kind of record */
    FORM_SYMBOL,  /* text that is kept: 1 to 64 bytes of printable ASCII without spaces */
    FORM_NAME,    /* the same, with spaces */
    FORM_WORD,    /* text of which a number is kept: side, phase, action, hashes of ids */
    FORM_TIME,    /* integer nanoseconds, or RFC 3339 text */
    FORM_DECIMAL, /* a number, or the same as text */
    FORM_COUNT,   /* an integer from 0 */
    FORM_REAL,    /* a number, as binary64 */
    FORM_LIST,    /* an array of names; in CSV joined with '|' */
    FORM_ORDER,   /* an integer from 0 to 2^64 - 1, its digits as text, or a name, of which the hash is kept */
    FORM_SPAN,    /* integer nanoseconds, or text such as "1m" */
    FORM_FLAG,    /* true or false, as text too; false is as if the key were not there */
} fm_form;

#define FM_FIELD_BIT(id) (UINT64_C(1) << FM_FIELD_##id)

/* Trades and quotes have keys such as these: what reads only their records need not know of others. */
#define FM_FIELD_USUAL(field)                                                                                          \
    ((field) <= FM_FIELD_ASK_SIZE || ((field) >= FM_FIELD_VENUE && (field) < FM_FIELD_VALUE))

/* Which of a record's numbers a decimal becomes; of the volumes of a bar nobody asks. */
#define FM_NUMBER_OF(field) ((field) <= FM_FIELD_SIZE ? (field)-FM_FIELD_PRICE : ((field)-FM_FIELD_BID) % 4)

/* Tables by id; the row of FM_FIELD_NONE is {"", FORM_NONE, FM_malformed, 0}. */
typedef struct fm_field_row {
    const char *name;
    fm_form form;
    int code;
    uint32_t kinds; /* bit 1 << fm_kind */
} fm_field_row;

extern const fm_field_row fm_field_rows[FM_FIELD_COUNT];
extern const uint8_t fm_field_forms[FM_FIELD_COUNT]; /* fm_form, once more and close together */

static inline __attribute__((always_inline)) fm_field fm_field_of_size(const char *key, size_t size)
{
#define FIELD(id, name, form, code, kinds)                                                                             \
    if (size == sizeof(name) - 1 && memcmp(key, name, sizeof(name) - 1) == 0)                                          \
        return FM_FIELD_##id;
#include "ingest/decode/fields.def"
#undef FIELD
    return FM_FIELD_NONE;
}

static inline fm_field fm_field_of(const char *key, size_t size)
{
    switch (size) {
    case 1:
        return fm_field_of_size(key, 1);
    case 2:
        return fm_field_of_size(key, 2);
    case 3:
        return fm_field_of_size(key, 3);
    case 4:
        return fm_field_of_size(key, 4);
    case 5:
        return fm_field_of_size(key, 5);
    case 6:
        return fm_field_of_size(key, 6);
    case 7:
        return fm_field_of_size(key, 7);
    case 8:
        return fm_field_of_size(key, 8);
    default:
        return fm_field_of_size(key, size);
    }
}

#endif
