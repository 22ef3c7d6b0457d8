/* ingest/format/row_time.c - see the header. */
#include "ingest/format/row_time.h"

#include "ingest/decode/time.h"

#define DAY_NS      (86400 * FM_NS_PER_S)
#define AHEAD_ROWS  256
#define AHEAD_SPANS 32

bool fm_file_row_time(const fm_file_reader *reader, fm_slice cell, fm_file_time *out)
{
    fm_number number;
    if (!(reader->needs & FM_FILE_DAY))
        return fm_file_time_parse(cell, out);
    const char *end = cell.data + cell.size;
    if (fm_number_scan(cell.data, end, &number) != end || !number.integer || number.negative || number.exponent != 0 ||
        number.digits >= FM_FILE_DAY_MS_MAX)
        return false;
    int64_t day_s = fm_days_from_civil(reader->day.year, reader->day.month, reader->day.day) * 86400;
    out->wall_ns = out->utc_ns = day_s * FM_NS_PER_S + (int64_t)number.digits * FM_NS_PER_MS;
    out->unit_ns = 0;
    out->zoned = false;
    return true;
}

bool fm_cell_row_time(fm_draft *draft, const fm_file_reader *reader, fm_file_time *out)
{
    fm_slice cell = reader->cell[0];
    if (!fm_file_row_time(reader, cell, out))
        fm_draft_refuse(draft, FM_FIELD_TS, 0, cell.data, "is not a time");
    else if (out->wall_ns < 0 || out->utc_ns < 0 || out->utc_ns > draft->limits->ts_max_ns)
        fm_draft_refuse(draft, FM_FIELD_TS, FM_ts_out_of_range, cell.data, "lies outside the years that are taken");
    else
        return true;
    return false;
}

/* The first cell of the line at *at, which goes behind the line; false at the end of what the window holds. */
static bool next_first_cell(const fm_file_reader *reader, const char **at, fm_slice *out)
{
    const char *end = reader->window + reader->used, *line = memchr(*at, '\n', (size_t)(end - *at));
    if (*at == end || (!line && !reader->ended))
        return false;
    fm_slice row = fm_file_trimmed((fm_slice){*at, (size_t)((line ? line : end) - *at)});
    const char *comma = memchr(row.data, ',', row.size);
    *out = (fm_slice){row.data, comma ? (size_t)(comma - row.data) : row.size};
    if (out->size >= 2 && out->data[0] == '"')
        *out = (fm_slice){out->data + 1, out->size - 2};
    *at = line ? line + 1 : end;
    return true;
}

typedef struct span {
    int64_t ns;
    int count;
} span;

static int64_t most_frequent(const fm_file_reader *reader)
{
    span spans[AHEAD_SPANS], best = {0, 0};
    int span_count = 0;
    const char *at = reader->line.data;
    fm_slice cell;
    fm_file_time time;
    int64_t last_ns = FM_ABSENT;
    for (int row = 0; row < AHEAD_ROWS && next_first_cell(reader, &at, &cell); row++) {
        if (!fm_file_row_time(reader, cell, &time) || time.wall_ns < 0)
            continue;
        int64_t ns = last_ns == FM_ABSENT ? 0 : time.wall_ns - last_ns;
        last_ns = time.wall_ns;
        int index = 0;
        while (index < span_count && spans[index].ns != ns)
            index++;
        if (ns <= 0 || index == AHEAD_SPANS)
            continue;
        if (index == span_count)
            spans[span_count++] = (span){ns, 0};
        spans[index].count++;
    }
    for (int index = 0; index < span_count; index++)
        if (spans[index].count > best.count || (spans[index].count == best.count && spans[index].ns < best.ns))
            best = spans[index];
    return best.ns;
}

int64_t fm_file_interval(fm_file_reader *reader)
{
    fm_file_time time;
    if (reader->spaced)
        return reader->interval_ns;
    int64_t found_ns = most_frequent(reader);
    if (found_ns > 0 && (reader->interval_ns == 0 || found_ns < reader->interval_ns))
        reader->interval_ns = found_ns;
    if (reader->interval_ns == 0 && !(reader->needs & FM_FILE_DAY) &&
        fm_file_row_time(reader, reader->cell[0], &time) && time.wall_ns % DAY_NS == 0)
        reader->interval_ns = DAY_NS;
    reader->spaced = reader->interval_ns > 0;
    return reader->interval_ns;
}
