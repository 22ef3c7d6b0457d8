/* tests/fuzz/ws_message_fuzz.c - any bytes as what a WebSocket client sends: frames end, stay within the limit, and say
 * the same in whatever pieces they come; every text message is answered as an operation. links: net base */
#include "base/assert.h"
#include "base/hash.h"
#include "net/ws_frame.h"
#include "net/ws_message.h"

#include <string.h>

#define MESSAGE_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const fm_ws_message *m, uint64_t *digest)
{
    fm_ws_command command;
    fm_error error = {0};

    FM_ASSERT(m->data.size <= MESSAGE_MAX);
    *digest = fm_hash64(m->data.data, m->data.size, *digest + (uint64_t)m->kind * 65536 + m->code);
    if (m->kind == FM_WS_FAILED)
        FM_ASSERT(m->why != NULL && (m->code == 1002 || m->code == 1007 || m->code == 1009));
    if (m->kind != FM_WS_TEXT)
        return;
    FM_ASSERT(fm_utf8_is_valid(m->data));
    int result = fm_ws_command_parse(m->data, &command, &error);
    FM_ASSERT(result == 0 || error.message[0] != '\0');
    if (result == 0 && command.op == FM_OP_INGEST)
        FM_ASSERT(command.records.data >= m->data.data &&
                  command.records.data + command.records.size <= m->data.data + m->data.size);
}

/* What the bytes say, in pieces of `piece` bytes, as one number. */
static uint64_t read_in_pieces(const uint8_t *data, size_t size, size_t piece)
{
    fm_ws_reader reader;
    fm_ws_message m;
    uint64_t digest = 1;
    size_t messages = 0;

    fm_ws_reader_init(&reader, MESSAGE_MAX);
    for (size_t at = 0; at < size;) {
        size_t room;
        uint8_t *into = fm_ws_reader_room(&reader, &room);
        size_t now = size - at < piece ? size - at : piece;
        FM_ASSERT(room > 0);
        now = now < room ? now : room;
        memcpy(into, data + at, now);
        fm_ws_reader_filled(&reader, now);
        at += now;
        while (fm_ws_reader_next(&reader, &m) != FM_WS_NONE) {
            look_at(&m, &digest);
            FM_ASSERT(++messages <= size); /* each takes bytes */
            if (m.kind == FM_WS_FAILED || m.kind == FM_WS_CLOSE)
                goto out;
        }
    }
out:
    fm_ws_reader_fini(&reader);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole = read_in_pieces(data, size, size + 1);
    FM_ASSERT(read_in_pieces(data, size, 1) == whole);
    FM_ASSERT(read_in_pieces(data, size, 7) == whole);
    return 0;
}
