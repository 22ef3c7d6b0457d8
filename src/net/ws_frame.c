/* net/ws_frame.c - framing by RFC 6455, sections 5 to 7. */
#include "net/ws_frame.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

#define READ_BYTES 65536 /* of one read; it doubles up to one whole frame */
#define HEAD_MAX   14

void fm_ws_reader_init(fm_ws_reader *reader, size_t message_max)
{
    memset(reader, 0, sizeof(*reader));
    reader->message_max = message_max;
}

void fm_ws_reader_fini(fm_ws_reader *reader)
{
    free(reader->data);
    fm_text_fini(&reader->fragments);
    reader->data = NULL;
}

uint8_t *fm_ws_reader_room(fm_ws_reader *reader, size_t *size)
{
    size_t limit = reader->message_max + HEAD_MAX;

    if (reader->begin == reader->size)
        reader->begin = reader->size = 0;
    if (reader->size == reader->capacity && reader->begin > 0) {
        memmove(reader->data, reader->data + reader->begin, reader->size - reader->begin);
        reader->size -= reader->begin;
        reader->begin = 0;
    }
    if (reader->size == reader->capacity) {
        size_t capacity = reader->capacity == 0 ? READ_BYTES : reader->capacity * 2;
        if (capacity > limit && reader->capacity < limit)
            capacity = limit < READ_BYTES ? READ_BYTES : limit;
        uint8_t *data = realloc(reader->data, capacity);
        if (data == NULL)
            abort(); /* as h2o does: there is no memory for a read */
        reader->data = data;
        reader->capacity = capacity;
    }
    *size = reader->capacity - reader->size;
    return reader->data + reader->size;
}

void fm_ws_reader_filled(fm_ws_reader *reader, size_t size)
{
    reader->size += size;
}

typedef struct frame {
    bool final;
    int opcode;
    size_t head, size;
    uint8_t mask[4];
} frame;

static fm_ws_kind failed(fm_ws_message *out, uint16_t code, const char *why)
{
    *out = (fm_ws_message){FM_WS_FAILED, {NULL, 0}, code, why};
    return FM_WS_FAILED;
}

/* 1: a head. 0: more bytes are needed. -1: *out says what is wrong. */
static int read_head(const fm_ws_reader *reader, frame *f, fm_ws_message *out)
{
    size_t have = reader->size - reader->begin;

    if (have < 2)
        return 0;
    const uint8_t *p = reader->data + reader->begin;
    f->final = (p[0] & 0x80) != 0;
    f->opcode = p[0] & 0x0f;
    bool control = f->opcode >= 8;
    if ((p[0] & 0x70) != 0)
        return failed(out, 1002, "a reserved bit is set: no extension was agreed"), -1;
    if ((f->opcode > 2 && f->opcode < 8) || f->opcode > 10)
        return failed(out, 1002, "the opcode is not known"), -1;
    if ((p[1] & 0x80) == 0)
        return failed(out, 1002, "a client must mask its frames"), -1;
    if (control && (!f->final || (p[1] & 0x7f) > 125))
        return failed(out, 1002, "a control frame must be whole and at most 125 bytes long"), -1;
    if (f->opcode == 0 && reader->opcode == 0)
        return failed(out, 1002, "a fragment continues nothing"), -1;
    if ((f->opcode == 1 || f->opcode == 2) && reader->opcode != 0)
        return failed(out, 1002, "a message begins before the one before has ended"), -1;

    uint64_t size = p[1] & 0x7f;
    size_t head = 2 + (size == 126 ? 2 : size == 127 ? 8 : 0);
    if (have < head)
        return 0;
    if (size >= 126) {
        size = 0;
        for (size_t i = 2; i < head; i++)
            size = size << 8 | p[i];
    }
    if (size > reader->message_max || (!control && reader->fragments.size + size > reader->message_max))
        return failed(out, 1009, "the message is larger than net.ws_message_bytes_max"), -1;
    if (have < head + 4)
        return 0;
    memcpy(f->mask, p + head, 4);
    f->head = head + 4;
    f->size = (size_t)size;
    return 1;
}

/* In place, eight bytes at a time. */
static void unmask(uint8_t *data, size_t size, const uint8_t mask[4])
{
    uint64_t wide, word;
    size_t i = 0;

    memcpy(&wide, mask, 4);
    memcpy((char *)&wide + 4, mask, 4);
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        word ^= wide;
        memcpy(data + i, &word, 8);
    }
    for (; i < size; i++)
        data[i] ^= mask[i & 3];
}

bool fm_utf8_is_valid(fm_slice text)
{
    const uint8_t *p = (const uint8_t *)text.data, *end = p + text.size;

    while (p < end) {
        uint64_t word;
        while (end - p >= 8 && (memcpy(&word, p, 8), (word & 0x8080808080808080u) == 0))
            p += 8;
        if (p == end)
            break;
        if (*p < 0x80) {
            p++;
            continue;
        }
        int more = *p >= 0xc2 && *p <= 0xdf ? 1 : (*p & 0xf0) == 0xe0 ? 2 : *p >= 0xf0 && *p <= 0xf4 ? 3 : 0;
        if (more == 0 || end - p <= more)
            return false;
        uint8_t low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
        uint8_t high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
        if (p[1] < low || p[1] > high)
            return false;
        for (int i = 2; i <= more; i++)
            if ((p[i] & 0xc0) != 0x80)
                return false;
        p += more + 1;
    }
    return true;
}

static bool close_code_is_valid(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static fm_ws_kind control(const frame *f, uint8_t *data, fm_ws_message *out)
{
    *out = (fm_ws_message){FM_WS_NONE, {(char *)data, f->size}, 0, NULL};
    if (f->opcode == FM_WS_OP_PING)
        return out->kind = FM_WS_PING;
    if (f->opcode == FM_WS_OP_PONG)
        return out->kind = FM_WS_PONG;
    out->code = 1005;
    if (f->size == 1)
        return failed(out, 1002, "a close frame has a code of two bytes");
    if (f->size >= 2) {
        out->code = (uint16_t)(data[0] << 8 | data[1]);
        if (!close_code_is_valid(out->code))
            return failed(out, 1002, "the close code may not be sent");
        if (!fm_utf8_is_valid((fm_slice){(char *)data + 2, f->size - 2}))
            return failed(out, 1007, "the close reason is not valid UTF-8");
    }
    return out->kind = FM_WS_CLOSE;
}

static fm_ws_kind whole(int opcode, fm_slice data, fm_ws_message *out)
{
    if (opcode == FM_WS_OP_TEXT && !fm_utf8_is_valid(data))
        return failed(out, 1007, "a text message is not valid UTF-8");
    *out = (fm_ws_message){opcode == FM_WS_OP_TEXT ? FM_WS_TEXT : FM_WS_BINARY, data, 0, NULL};
    return out->kind;
}

fm_ws_kind fm_ws_reader_next(fm_ws_reader *reader, fm_ws_message *out)
{
    frame f;

    for (;;) {
        int result = read_head(reader, &f, out);
        if (result < 0)
            return FM_WS_FAILED;
        if (result == 0 || reader->size - reader->begin < f.head + f.size) {
            *out = (fm_ws_message){FM_WS_NONE, {NULL, 0}, 0, NULL};
            return FM_WS_NONE;
        }
        uint8_t *data = reader->data + reader->begin + f.head;
        unmask(data, f.size, f.mask);
        reader->begin += f.head + f.size;
        if (f.opcode >= 8)
            return control(&f, data, out);
        if (f.final && f.opcode != 0)
            return whole(f.opcode, (fm_slice){(char *)data, f.size}, out);
        if (f.opcode != 0) {
            reader->opcode = (uint8_t)f.opcode;
            fm_text_clear(&reader->fragments);
        }
        fm_text_add(&reader->fragments, data, f.size);
        if (f.final) {
            int opcode = reader->opcode;
            fm_slice all = {reader->fragments.data, reader->fragments.size};
            reader->opcode = 0;
            reader->fragments.size = 0; /* the bytes stay until the next fragment */
            return whole(opcode, all, out);
        }
    }
}

void fm_ws_write(fm_text *out, int opcode, fm_slice payload)
{
    uint8_t head[10] = {(uint8_t)(0x80 | opcode)};
    size_t size = 2;

    if (payload.size < 126) {
        head[1] = (uint8_t)payload.size;
    } else if (payload.size < 65536) {
        head[1] = 126;
        head[2] = (uint8_t)(payload.size >> 8);
        head[3] = (uint8_t)payload.size;
        size = 4;
    } else {
        head[1] = 127;
        for (int i = 0; i < 8; i++)
            head[2 + i] = (uint8_t)((uint64_t)payload.size >> (56 - 8 * i));
        size = 10;
    }
    fm_text_add(out, head, size);
    fm_text_add(out, payload.data, payload.size);
}

void fm_ws_write_close(fm_text *out, uint16_t code, const char *reason)
{
    char payload[125];
    size_t size = strlen(reason);

    if (size > sizeof(payload) - 2)
        size = sizeof(payload) - 2;
    payload[0] = (char)(code >> 8);
    payload[1] = (char)code;
    memcpy(payload + 2, reason, size);
    fm_ws_write(out, FM_WS_OP_CLOSE, (fm_slice){payload, size + 2});
}

bool fm_ws_key_is_valid(fm_slice key)
{
    if (key.size != 24 || key.data[22] != '=' || key.data[23] != '=')
        return false;
    for (int i = 0; i < 22; i++) {
        char c = key.data[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
        if (!ok)
            return false;
    }
    return true;
}

void fm_ws_accept_key(fm_slice key, char out[29])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[64];
    unsigned char digest[SHA_DIGEST_LENGTH];

    memcpy(text, key.data, 24);
    memcpy(text + 24, guid, sizeof(guid) - 1);
    SHA1((const unsigned char *)text, 24 + sizeof(guid) - 1, digest);
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof(digest));
}
