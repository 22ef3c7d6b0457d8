/* ingest/inflate.c - gzip (RFC 1952) by zlib, straight into the caller's memory. */
#include "ingest/inflate.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#define WINDOW_GZIP (15 + 16) /* the largest window, gzip's header and checksum */

/* zlib counts in unsigned int: no step is larger. */
static uInt step_of(size_t size)
{
    return size < UINT32_MAX / 2 ? (uInt)size : UINT32_MAX / 2;
}

/* One member from stream->next_in on; *left and *room are what remains of input and output. */
static int inflate_member(z_stream *stream, size_t *left, size_t *room)
{
    Bytef beyond;
    for (;;) {
        uInt in = step_of(*left), out = step_of(*room);
        bool full = *room == 0;
        Bytef *next_out = stream->next_out;
        if (full) { /* whether more would come tells one byte of room */
            stream->next_out = &beyond;
            out = 1;
        }
        stream->avail_in = in;
        stream->avail_out = out;
        int result = inflate(stream, Z_NO_FLUSH);
        *left -= in - stream->avail_in;
        if (full) {
            if (stream->avail_out == 0)
                return FM_body_too_large;
            stream->next_out = next_out;
        } else {
            *room -= out - stream->avail_out;
        }
        if (result == Z_STREAM_END)
            return 0;
        if (result == Z_MEM_ERROR)
            return FM_ENOMEM;
        bool moved = stream->avail_in < in || stream->avail_out < out;
        if (result != Z_OK || !moved)
            return FM_encoding; /* damaged, or the input ends within the member */
    }
}

int fm_inflate_gzip(const void *data, size_t data_size, void *out, size_t limit, size_t *size)
{
    if (data_size == 0)
        return FM_encoding;
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, WINDOW_GZIP) != Z_OK)
        return FM_ENOMEM;
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.next_out = out;
    size_t left = data_size, room = limit;
    int result = 0;
    while (result == 0 && left > 0) {
        result = inflate_member(&stream, &left, &room);
        if (result == 0 && inflateReset(&stream) != Z_OK)
            result = FM_encoding;
    }
    inflateEnd(&stream);
    if (result == 0)
        *size = limit - room;
    return result;
}
