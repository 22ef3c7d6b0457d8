/* ingest/format/book_cells.h - what formats of order books share: levels, orders, and where a venue's event ends.
 *
 * A file's rows stand one by one, an event of the venue is several of them: a row of FM_FILE_AHEAD formats is the last
 * of its event when the row behind it tells another key. */
#ifndef FM_INGEST_FORMAT_BOOK_CELLS_H
#define FM_INGEST_FORMAT_BOOK_CELLS_H

#include "ingest/format/cells.h"

/* A word of a fixed list: side, action. */
void fm_cell_word(fm_draft *draft, fm_field field, const char *word);

/* How a record of a book stands within its event. */
typedef struct fm_book_row {
    bool more, snapshot;
} fm_book_row;

void fm_cell_book_clear(fm_draft *draft, fm_book_row row); /* of levels, both sides */
/* A level is set, or with size 0 goes; FM_SIDE_NONE = the row names none, and is refused. */
void fm_cell_level(fm_draft *draft, fm_book_row row, fm_side side, fm_slice price, fm_slice size);
void fm_cell_order(fm_draft *draft, fm_book_row row, const char *action, fm_slice id);

/* Event time of a cell: text, or seconds to nanoseconds since 1970 told by their size. */
void fm_cell_ts_any(fm_draft *draft, fm_slice cell);

/* The row behind the one in `cell` has the same text in `count` of its columns. */
bool fm_file_same_ahead(const fm_file_reader *reader, const uint8_t *column, uint32_t count);

#endif
