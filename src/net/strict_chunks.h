/* net/strict_chunks.h - chunked bodies, decoded by the letter: the second half of the strict front.
 *
 * h2o's decoder takes a bare LF behind a chunk size and anything as an extension or a trailer; a proxy that reads those
 * differently sees another end of the body. This definition of `phr_decode_chunked` takes the library's place as
 * strict_front.c's does: every line ends with CR LF, sizes are 1 to 8 hex digits, extensions and trailers are skipped
 * if they are printable and short. */
#ifndef FM_NET_STRICT_CHUNKS_H
#define FM_NET_STRICT_CHUNKS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FM_CHUNK_EXTENSION_MAX 256
#define FM_CHUNK_TRAILER_MAX   4096

/* picohttpparser's layout, in the 16 bytes that h2o has for it and zeroes at first; the count lies in its padding. */
struct phr_chunked_decoder {
    size_t bytes_left_in_chunk; /* or the size that is being read */
    char consume_trailer;       /* h2o sets it; trailers are always consumed */
    char _hex_count;
    char _state;
    char unused;
    uint16_t skipped; /* letters of this extension, or of the trailers */
};
static_assert(sizeof(struct phr_chunked_decoder) == sizeof(size_t) + 8, "h2o's structure has no more room");

/* Decodes in place: afterwards *size bytes at buf are body. -1: broken. -2: more is to come. 0 or more: the end; so
 * many bytes behind it follow at buf + *size. */
ssize_t phr_decode_chunked(struct phr_chunked_decoder *decoder, char *buf, size_t *size);

#endif
