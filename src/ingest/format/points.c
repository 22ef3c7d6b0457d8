/* ingest/format/points.c - rows of a time and numbers that their columns name: quotes, and values. */
#include "ingest/format/cells.h"
#include "ingest/format/row_time.h"

#define DAY_NS (86400 * FM_NS_PER_S)

typedef struct point_columns {
    int bid, bid_size, ask, ask_size; /* -1 = there is none */
    uint8_t given[FM_FILE_CELLS];     /* columns that have a value in this row */
} point_columns;

static_assert(sizeof(point_columns) <= FM_FILE_MEMORY, "a reader has room for it");

static bool begins_with_time(const fm_file_reader *reader)
{
    static const char *const names[] = {"time_ms",  "time", "timestamp", "timestamp_utc",
                                        "datetime", "date", "rownames"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++)
        if (fm_file_column(reader, names[index]) == 0)
            return true;
    return false;
}

static void take_time(fm_draft *draft, fm_file_reader *reader, bool ends)
{
    fm_file_time time;
    if (!fm_cell_row_time(draft, reader, &time))
        return;
    int64_t interval_ns = ends ? fm_file_interval(reader) : 0;
    reader->named_ns = time.utc_ns;
    fm_cell_ts(draft, time.utc_ns + (interval_ns >= DAY_NS ? interval_ns : 0), reader->cell[0]);
}

static void note_day(fm_file_reader *reader)
{
    if (fm_file_column(reader, "time_ms") == 0)
        reader->needs |= FM_FILE_DAY;
}

/* ---- quotes ---- */

static bool has_sides(const fm_file_reader *reader, fm_slice name)
{
    (void)name;
    return begins_with_time(reader) && fm_file_column(reader, "bid") >= 0 && fm_file_column(reader, "ask") >= 0;
}

static int find_sides(fm_file_reader *reader, fm_error *error)
{
    (void)error;
    point_columns *columns = (void *)reader->memory;
    columns->bid = fm_file_column(reader, "bid");
    columns->bid_size = fm_file_column(reader, "bid_size");
    columns->ask = fm_file_column(reader, "ask");
    columns->ask_size = fm_file_column(reader, "ask_size");
    note_day(reader);
    return 0;
}

static void take(fm_draft *draft, const fm_file_reader *reader, fm_field field, int column)
{
    if (column >= 0 && !fm_cell_missing(reader->cell[column]))
        fm_cell_decimal(draft, field, reader->cell[column], 0);
}

static void quote_row(fm_draft *draft, fm_file_reader *reader)
{
    const point_columns *columns = (const void *)reader->memory;
    fm_cell_kind(draft, FM_QUOTE);
    take_time(draft, reader, false);
    take(draft, reader, FM_FIELD_BID, columns->bid);
    take(draft, reader, FM_FIELD_BID_SIZE, columns->bid_size);
    take(draft, reader, FM_FIELD_ASK, columns->ask);
    take(draft, reader, FM_FIELD_ASK_SIZE, columns->ask_size);
}

const fm_file_format fm_format_quotes = {.name = "quotes",
                                         .header = "*",
                                         .needs = FM_FILE_SYMBOL,
                                         .symbol_part = FM_FILE_ANY_PART,
                                         .fits = has_sides,
                                         .begin = find_sides,
                                         .row = quote_row};

/* ---- values: one column is the file's symbol, of several each is its own ---- */

static bool has_values(const fm_file_reader *reader, fm_slice name)
{
    (void)name;
    return begins_with_time(reader) && reader->column_count > 1;
}

static int name_values(fm_file_reader *reader, fm_error *error)
{
    (void)error;
    note_day(reader);
    if (reader->column_count == 2)
        return 0;
    reader->needs &= ~(uint32_t)FM_FILE_SYMBOL;
    reader->series_count = reader->column_count - 1;
    return 0;
}

static void value_row(fm_draft *draft, fm_file_reader *reader)
{
    point_columns *columns = (void *)reader->memory;
    if (reader->part == 0) {
        reader->parts = 0;
        for (uint32_t column = 1; column < reader->column_count; column++)
            if (!fm_cell_missing(reader->cell[column]))
                columns->given[reader->parts++] = (uint8_t)column;
    }
    fm_cell_kind(draft, FM_VALUE);
    if (reader->parts == 0)
        return;
    take_time(draft, reader, true);
    uint32_t column = columns->given[reader->part];
    if (reader->series_count > 0)
        fm_cell_symbol(draft, reader->column[column]);
    fm_cell_decimal(draft, FM_FIELD_VALUE, reader->cell[column], 0);
}

const fm_file_format fm_format_values = {.name = "values",
                                         .header = "*",
                                         .needs = FM_FILE_SYMBOL,
                                         .symbol_part = FM_FILE_ANY_PART,
                                         .fits = has_values,
                                         .begin = name_values,
                                         .row = value_row};
