/* net/ws_message.h - what a text message on /v1/stream asks for. Pure: tests and the fuzzer drive it.
 *
 *   a record, or an array of records                                       → ingested
 *   {"op":"ingest","records":[…]}                                          → ingested
 *   {"op":"subscribe","topics":["alerts"],"filter":{…},"from":position}    filter: symbol, rule (globs), domain,
 * severity_min
 *   {"op":"unsubscribe"}   {"op":"ping"}
 * `from` is the last position seen: what follows it is sent. Without it, what happens from now on. */
#ifndef FM_NET_WS_MESSAGE_H
#define FM_NET_WS_MESSAGE_H

#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define FM_FILTER_BYTES 96

typedef enum fm_ws_op { FM_OP_INGEST, FM_OP_SUBSCRIBE, FM_OP_UNSUBSCRIBE, FM_OP_PING } fm_ws_op;

typedef struct fm_ws_filter {
    char symbol[FM_FILTER_BYTES], rule[FM_FILTER_BYTES], domain[FM_FILTER_BYTES]; /* "" = any */
    uint32_t severity_min;
} fm_ws_filter;

typedef struct fm_ws_command {
    fm_ws_op op;
    fm_slice records;    /* INGEST: JSON, into the message */
    fm_ws_filter filter; /* SUBSCRIBE */
    bool has_from;
    uint64_t from;
} fm_ws_command;

/* 0, or FM_operation_unknown, FM_ESYNTAX, FM_parameter_invalid with a sentence in *error. A message that holds no
 * operation is INGEST, and the decoder judges it. */
int fm_ws_command_parse(fm_slice message, fm_ws_command *out, fm_error *error) FM_CHECKED;

#endif
