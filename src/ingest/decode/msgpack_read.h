/* ingest/decode/msgpack_read.h - what the two ways of reading a map of MessagePack share. */
#ifndef FM_INGEST_DECODE_MSGPACK_READ_H
#define FM_INGEST_DECODE_MSGPACK_READ_H

#include "ingest/decode/likely.h"

#define FM_MSGPACK_FAR 32 /* bytes: more than fm_msgpack_likely reads of a key and its value at once */

typedef struct fm_msgpack {
    fm_decoder *decoder;
    const char *end;
    const char *far; /* up to here the end is FM_MSGPACK_FAR bytes away or more; NULL = nowhere */
    fm_field field;  /* whose value is being read */
    int code;        /* why reading stopped */
    const char *at;
    const char *reason;
    uint8_t *expected; /* the place in the likely keys */
    bool twice;        /* a key stood twice, nobody knows which */
    fm_draft draft;
} fm_msgpack;

/* Reads pairs, at most *left, as long as they are the expected ones in their usual form. Returns what follows them. */
const char *fm_msgpack_likely(fm_msgpack *in, const char *at, uint64_t *left);

#endif
