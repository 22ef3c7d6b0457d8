/* ingest/format/clock.c - see the header. */
#include "ingest/format/clock.h"

#include "base/event.h"
#include "ingest/decode/number.h"
#include "ingest/decode/time.h"

#define CLOCK_TEXT_MAX 40                  /* more than any time has */
#define NUMBER_MIN     UINT64_C(100000000) /* 1973 in seconds, and more than any count of rows or date */

/* Two more of them follow by factors of 1,000: seconds of the year 5138 are ms of 1973. */
static bool parse_number(const fm_number *number, fm_file_time *out)
{
    uint64_t value = number->digits;
    int64_t unit_ns = FM_NS_PER_S;
    if (!number->integer || number->negative || number->exponent != 0 || value < NUMBER_MIN || value > INT64_MAX)
        return false;
    for (uint64_t size = value; size >= 1000 * NUMBER_MIN && unit_ns > 1; size /= 1000)
        unit_ns /= 1000;
    if (value > (uint64_t)(INT64_MAX / unit_ns) - 1)
        return false;
    out->wall_ns = out->utc_ns = (int64_t)value * unit_ns;
    out->unit_ns = unit_ns;
    out->zoned = true;
    return true;
}

static bool parse(const char *begin, size_t size, const char *end, int64_t *out)
{
    char text[2 * CLOCK_TEXT_MAX];
    size_t more = strlen(end);
    memcpy(text, begin, size);
    memcpy(text + size, end, more);
    return fm_time_parse(text, size + more, out) == NULL;
}

bool fm_file_time_parse(fm_slice cell, fm_file_time *out)
{
    static const char *const ends[] = {"Z", ":00Z", "T00:00:00Z"};
    fm_number number;
    char text[CLOCK_TEXT_MAX + 2];
    if (cell.size == 0 || cell.size > CLOCK_TEXT_MAX)
        return false;
    bool digits = fm_number_scan(cell.data, cell.data + cell.size, &number) == cell.data + cell.size;
    if (digits && cell.size != 8)
        return parse_number(&number, out);
    memcpy(text, cell.data, cell.size);
    if (digits || (cell.size > 8 && cell.data[8] == ' ')) { /* 20140102: with the dashes that it lacks */
        memcpy(text + 5, cell.data + 4, 2);
        memcpy(text + 8, cell.data + 6, cell.size - 6);
        text[4] = text[7] = '-';
        cell.size += 2;
    }
    *out = (fm_file_time){0};
    if (parse(text, cell.size, "", &out->utc_ns)) {
        bool offset = text[cell.size - 1] != 'Z' && text[cell.size - 1] != 'z';
        out->zoned = true;
        return parse(text, cell.size - (offset ? 6 : 1), "Z", &out->wall_ns); /* "-05:00" has six characters */
    }
    for (size_t index = 0; index < sizeof ends / sizeof *ends; index++)
        if (parse(text, cell.size, ends[index], &out->wall_ns)) {
            out->utc_ns = out->wall_ns;
            return true;
        }
    return false;
}
