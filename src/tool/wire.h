/* tool/wire.h - records as they travel: one JSON line, or one MessagePack map, with the names of docs/records.md.
 *
 * Prices and sizes are written digit for digit from their integers; no double is between the file and the server. Trade
 * ids and accounts are known here only by their hash, so they are sent as hex text of it: equal ids stay equal. ~200 ns
 * a record. */
#ifndef FM_TOOL_WIRE_H
#define FM_TOOL_WIRE_H

#include "base/record.h"

#include <stddef.h>

#define FM_WIRE_RECORD_MAX 2560 /* bytes one record takes at most, in either form */

typedef enum fm_wire { FM_WIRE_NDJSON, FM_WIRE_MSGPACK } fm_wire;

const char *fm_wire_content_type(fm_wire wire); /* static */

/* Writes one record (with its line end) to `out`, which has room for FM_WIRE_RECORD_MAX; returns its size. */
size_t fm_wire_json(const fm_record *record, char *out);
size_t fm_wire_msgpack(const fm_record *record, char *out);

static inline size_t fm_wire_write(fm_wire wire, const fm_record *record, char *out)
{
    return wire == FM_WIRE_MSGPACK ? fm_wire_msgpack(record, out) : fm_wire_json(record, out);
}

/* The digits of an exact decimal, without NUL; room for 32 is enough. */
size_t fm_wire_decimal(fm_decimal_number number, char *out);

#endif
