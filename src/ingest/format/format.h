/* ingest/format/format.h - what the file formats share: the reader's state, and rows of cells. */
#ifndef FM_INGEST_FORMAT_FORMAT_H
#define FM_INGEST_FORMAT_FORMAT_H

#include "ingest/decode/machine.h"
#include "ingest/file_format.h"

#include <zlib.h>

#define FM_FILE_WINDOW (256 * 1024) /* bytes of the file, inflated, that are held at once; a row must fit */
#define FM_FILE_CELLS  8

typedef struct fm_file_day {
    int year, month, day; /* 0 when the format needs none */
} fm_file_day;

/* One line as cells. Fills the draft; what is wrong with it is in the draft. */
typedef void fm_file_row(fm_draft *draft, const fm_slice *cell, const fm_file_day *day);

typedef struct fm_file_shape {
    fm_file_row *row; /* NULL: our own columns, read by the decoder of CSV */
    uint32_t cells;
    int first_year; /* the zone's rule holds from then on */
} fm_file_shape;

extern const fm_file_shape fm_file_shapes[]; /* beside fm_file_formats */

struct fm_file_reader {
    const fm_file_format *format;
    const fm_file_shape *shape;
    gzFile file;
    uint64_t size; /* of the file */
    uint64_t row;  /* of the row read last, from 1 */
    fm_file_day day;
    char path[256]; /* its end, for messages */
    char symbol[FM_SYMBOL_MAX + 1];
    fm_decoder decoder; /* fmads-csv; and its messages for all */
    char *window;
    size_t at, used; /* bytes of the window that are done, and that are filled */
    bool ended;      /* no more bytes come */
    int broken;      /* why reading ended early; 0 = it did not */
};

#endif
