/* net/ws_frame.h - WebSocket frames (RFC 6455): bytes in, messages out. No sockets, so that tests and the fuzzer can
 * drive it.
 *
 * Own frames instead of h2o/websocket.h (wslay): that layer reads and unmasks byte by byte, cannot stop in the middle
 * of its input when the engine is full, queues output without a limit, and frees its connection under the callback
 * (docs/decisions/0005-h2o.md). */
#ifndef FM_NET_WS_FRAME_H
#define FM_NET_WS_FRAME_H

#include "base/slice.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum fm_ws_kind {
    FM_WS_NONE, /* more bytes are needed */
    FM_WS_TEXT, /* a whole message of valid UTF-8 */
    FM_WS_BINARY,
    FM_WS_PING,
    FM_WS_PONG,
    FM_WS_CLOSE,  /* code in `code`: the peer's, 1005 when it gave none */
    FM_WS_FAILED, /* the peer broke the protocol: close with `code` (1002, 1007, 1009) */
} fm_ws_kind;

typedef struct fm_ws_message {
    fm_ws_kind kind;
    fm_slice data; /* into the reader; valid until the reader is used again */
    uint16_t code;
    const char *why; /* FAILED: a sentence, static */
} fm_ws_message;

/* The receiving side. `data[begin..size)` has not been looked at. */
typedef struct fm_ws_reader {
    uint8_t *data;
    size_t begin, size, capacity;
    size_t message_max;
    fm_text fragments;
    uint8_t opcode; /* of the message whose fragments are collected; 0 = none */
} fm_ws_reader;

void fm_ws_reader_init(fm_ws_reader *reader, size_t message_max);
void fm_ws_reader_fini(fm_ws_reader *reader);

/* Room for more bytes, at least one; *size says how many. `filled` tells how many were put there. Invalidates messages.
 */
uint8_t *fm_ws_reader_room(fm_ws_reader *reader, size_t *size);
void fm_ws_reader_filled(fm_ws_reader *reader, size_t size);

/* The next message; control frames come between the fragments of a message as they arrive. Unmasks in place. After
 * FAILED or CLOSE no more. */
fm_ws_kind fm_ws_reader_next(fm_ws_reader *reader, fm_ws_message *out);

/* The sending side: appends one whole, unmasked frame. */
enum { FM_WS_OP_TEXT = 1, FM_WS_OP_BINARY = 2, FM_WS_OP_CLOSE = 8, FM_WS_OP_PING = 9, FM_WS_OP_PONG = 10 };
void fm_ws_write(fm_text *out, int opcode, fm_slice payload);
void fm_ws_write_close(fm_text *out, uint16_t code, const char *reason);

/* Sec-WebSocket-Accept for a key; out has room for 29. */
void fm_ws_accept_key(fm_slice key, char out[29]);
bool fm_ws_key_is_valid(fm_slice key); /* base64 of 16 bytes */

bool fm_utf8_is_valid(fm_slice text);

#endif
