/* net/strict_chunks.c - RFC 9112, section 7.1, a byte at a time except for the data. */
#include "net/strict_chunks.h"

#include <stdbool.h>
#include <string.h>

typedef enum state {
    SIZE,      /* hex digits */
    EXTENSION, /* to CR */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START, /* a line, or the last CR */
    TRAILER,
    TRAILER_LF,
    END_LF,
} state;

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool printable(char c)
{
    return (unsigned char)c >= 0x20 ? c != 0x7f : c == '\t';
}

static int size_digit(struct phr_chunked_decoder *d, char c)
{
    int digit = hex(c);

    if (digit >= 0) {
        if (d->_hex_count++ == 8)
            return -1;
        d->bytes_left_in_chunk = d->bytes_left_in_chunk * 16 + (size_t)digit;
        return SIZE;
    }
    if (d->_hex_count == 0 || (c != '\r' && c != ';'))
        return -1;
    d->_hex_count = 0;
    return c == '\r' ? SIZE_LF : EXTENSION;
}

/* The state behind one byte that is no data; -1 when it may not stand here. */
static int step(struct phr_chunked_decoder *d, char c)
{
    switch ((state)d->_state) {
    case SIZE:
        return size_digit(d, c);
    case EXTENSION:
        return c == '\r' ? SIZE_LF : printable(c) && d->skipped++ < FM_CHUNK_EXTENSION_MAX ? EXTENSION : -1;
    case SIZE_LF:
        return c != '\n' ? -1 : d->bytes_left_in_chunk > 0 ? DATA : TRAILER_START;
    case DATA_CR:
        return c == '\r' ? DATA_LF : -1;
    case DATA_LF:
        return c == '\n' ? SIZE : -1;
    case TRAILER_START:
        if (c == '\r')
            return END_LF;
        return c > ' ' && printable(c) && d->skipped++ < FM_CHUNK_TRAILER_MAX ? TRAILER : -1;
    case TRAILER:
        return c == '\r' ? TRAILER_LF : printable(c) && d->skipped++ < FM_CHUNK_TRAILER_MAX ? TRAILER : -1;
    case TRAILER_LF:
        return c == '\n' ? TRAILER_START : -1;
    default:
        return -1;
    }
}

ssize_t phr_decode_chunked(struct phr_chunked_decoder *d, char *buf, size_t *size)
{
    size_t from = 0, to = 0, end = *size;

    while (from < end) {
        if (d->_state == DATA) {
            size_t count = end - from < d->bytes_left_in_chunk ? end - from : d->bytes_left_in_chunk;
            memmove(buf + to, buf + from, count);
            from += count;
            to += count;
            d->bytes_left_in_chunk -= count;
            if (d->bytes_left_in_chunk == 0)
                d->_state = DATA_CR;
            continue;
        }
        if (d->_state == END_LF) {
            if (buf[from++] != '\n')
                return -1;
            memmove(buf + to, buf + from, end - from);
            *size = to;
            return (ssize_t)(end - from);
        }
        int next = step(d, buf[from++]);
        if (next < 0)
            return -1;
        if (next == SIZE_LF || next == DATA)
            d->skipped = 0;
        d->_state = (char)next;
    }
    *size = to;
    return -2;
}
