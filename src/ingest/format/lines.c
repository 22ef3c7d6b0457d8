/* ingest/format/lines.c - a file's rows, gzip or plain, through a window of fixed size. */
#include "ingest/format/format.h"

#include <strings.h>

/* Moves what is left to the front and fills the rest of the window. */
void fm_file_fill(fm_file_reader *reader)
{
    memmove(reader->window, reader->window + reader->at, reader->used - reader->at);
    reader->used -= reader->at;
    reader->at = 0;
    while (!reader->ended && reader->used < FM_FILE_WINDOW) {
        int count = gzread(reader->file, reader->window + reader->used, (unsigned)(FM_FILE_WINDOW - reader->used));
        if (count <= 0) {
            int status;
            gzerror(reader->file, &status);
            reader->ended = true;
            reader->broken = status == Z_OK || status == Z_STREAM_END ? 0 : status == Z_ERRNO ? FM_EIO : FM_encoding;
            return;
        }
        reader->used += (size_t)count;
    }
}

/* Where the row at `at` ends, within what the window holds; NULL when its end is not there. */
static const char *row_end(const fm_file_reader *reader, const char *at)
{
    const char *end = reader->window + reader->used;
    if (!reader->format || reader->format->row) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        return line ? line + 1 : reader->ended ? end : NULL;
    }
    const char *next = fm_csv_row_end(at, end);
    if (!next) /* an open quote: at the file's end the row is refused */
        return reader->ended ? end : NULL;
    return next < end || reader->ended || next[-1] == '\n' ? next : NULL;
}

int fm_file_next_row(fm_file_reader *reader, fm_slice *row)
{
    for (;;) {
        const char *begin = reader->window + reader->at;
        const char *next = reader->at < reader->used ? row_end(reader, begin) : NULL;
        if (next) {
            reader->at = (size_t)(next - reader->window);
            *row = (fm_slice){begin, (size_t)(next - begin)};
            return 1;
        }
        if (reader->ended)
            return 0;
        if (reader->used - reader->at == FM_FILE_WINDOW)
            break;
        fm_file_fill(reader);
    }
    *row = (fm_slice){0};
    for (;;) {
        const char *line = memchr(reader->window + reader->at, '\n', reader->used - reader->at);
        reader->at = line ? (size_t)(line + 1 - reader->window) : reader->used;
        if (line || reader->ended)
            return FM_key_too_long;
        fm_file_fill(reader);
    }
}

fm_slice fm_file_trimmed(fm_slice row)
{
    while (row.size > 0 && (row.data[row.size - 1] == '\n' || row.data[row.size - 1] == '\r'))
        row.size--;
    return row;
}

void fm_file_hold_ahead(fm_file_reader *reader)
{
    const char *at = reader->window + reader->at, *end = reader->window + reader->used;
    for (int rows = 0; rows < 2 && at; rows++) {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        at = line ? line + 1 : NULL;
    }
    if (!at)
        fm_file_fill(reader);
}

fm_slice fm_file_ahead(const fm_file_reader *reader)
{
    const char *at = reader->window + reader->at;
    size_t size = reader->used - reader->at;
    const char *line = memchr(at, '\n', size);
    return fm_file_trimmed((fm_slice){at, line ? (size_t)(line - at) : size});
}

int fm_file_column(const fm_file_reader *reader, const char *name)
{
    size_t size = strlen(name);
    for (uint32_t index = 0; index < reader->column_count; index++)
        if (reader->column[index].size == size && strncasecmp(reader->column[index].data, name, size) == 0)
            return (int)index;
    return -1;
}

uint32_t fm_file_cut(fm_slice line, fm_slice *cell)
{
    const char *at = line.data, *end = line.data + line.size;
    for (uint32_t count = 0;; at++) {
        bool quoted = at < end && *at == '"';
        at += quoted;
        const char *stop = memchr(at, quoted ? '"' : ',', (size_t)(end - at));
        if (quoted && (!stop || (stop + 1 < end && stop[1] != ',')))
            return 0;
        stop = stop ? stop : end;
        if (count++ < FM_FILE_CELLS)
            cell[count - 1] = (fm_slice){at, (size_t)(stop - at)};
        at = stop + quoted;
        if (at == end)
            return count;
    }
}
