/* base/zone.c - see the header. */
#include "base/zone.h"

#include "base/assert.h"
#include "base/file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER    "/usr/share/zoneinfo"
#define BYTES_MAX ((size_t)1 << 20)
#define HEAD      44
#define LISTED_S  INT64_C(2114380800) /* 2037: what a file lists when it lists all */

typedef struct block { /* counts of a data block, in the order of the header */
    uint32_t utc_flags, standard_flags, leaps, times, types, chars;
} block;

static int64_t big_endian(const unsigned char *at, int size)
{
    uint64_t value = at[0] >= 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

static bool read_head(const unsigned char *at, const unsigned char *end, block *out)
{
    if (end - at < HEAD || memcmp(at, "TZif", 4) != 0)
        return false;
    uint32_t *count[] = {&out->utc_flags, &out->standard_flags, &out->leaps, &out->times, &out->types, &out->chars};
    for (int i = 0; i < 6; i++) {
        int64_t value = big_endian(at + 20 + 4 * i, 4);
        if (value < 0 || value > 100000)
            return false;
        *count[i] = (uint32_t)value;
    }
    return out->types > 0;
}

static size_t block_size(const block *of, size_t time_size)
{
    return of->times * (time_size + 1) + of->types * 6 + of->chars + of->leaps * (time_size + 4) + of->standard_flags +
           of->utc_flags;
}

static bool name_is_good(const char *name)
{
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
    return name[0] != '\0' && name[0] != '/' && strlen(name) < 64 && name[strspn(name, ALLOWED)] == '\0';
}

/* The offsets out of a block of 64-bit times, which lies wholly before `end`. */
static uint32_t take_offsets(const unsigned char *at, const block *of, int64_t from_s, fm_zone_offset *out)
{
    const unsigned char *type = at + 8 * (size_t)of->times, *types = type + of->times;
    uint32_t count = 0;
    out[count++] = (fm_zone_offset){INT64_MIN, (int32_t)big_endian(types, 4)};
    for (uint32_t i = 0; i < of->times; i++) {
        int64_t from = big_endian(at + 8 * i, 8);
        if (type[i] >= of->types)
            return 0;
        int32_t offset = (int32_t)big_endian(types + 6 * (size_t)type[i], 4);
        if (from <= from_s)
            out[0].offset_s = offset;
        else if (offset != out[count - 1].offset_s)
            out[count++] = (fm_zone_offset){from, offset};
    }
    return count;
}

/* Behind the data a rule tells the future, "EST5EDT,M3.2.0,M11.1.0": with a comma, when it has daylight time. */
static bool lists_future(const unsigned char *rule, const unsigned char *end, const fm_zone_offset *last)
{
    return memchr(rule, ',', (size_t)(end - rule)) == NULL || last->from_s >= LISTED_S;
}

static int parse(const unsigned char *data, size_t size, int64_t from_s, fm_zone_offset **out, uint32_t *count)
{
    const unsigned char *end = data + size, *second;
    block of;
    if (!read_head(data, end, &of) || data[4] < '2' || block_size(&of, 4) + 2 * HEAD > size)
        return FM_ESYNTAX;
    second = data + HEAD + block_size(&of, 4);
    if (!read_head(second, end, &of) || block_size(&of, 8) + HEAD > (size_t)(end - second))
        return FM_ESYNTAX;
    *out = malloc((of.times + 1) * sizeof(**out));
    FM_ASSERT(*out != NULL);
    *count = take_offsets(second + HEAD, &of, from_s, *out);
    if (*count > 0 && lists_future(second + HEAD + block_size(&of, 8), end, &(*out)[*count - 1]))
        return 0;
    free(*out);
    return FM_ESYNTAX;
}

int fm_zone_read(const char *name, int64_t from_s, fm_zone_offset **out, uint32_t *count, fm_error *error)
{
    char path[128], *data;
    size_t size;
    if (!name_is_good(name))
        return fm_fail(error, FM_EINVAL, "\"%.64s\" is not the name of a time zone", name);
    snprintf(path, sizeof(path), FOLDER "/%s", name);
    int result = fm_file_read_all(&fm_file_system, path, BYTES_MAX, &data, &size);
    if (result < 0)
        return fm_fail(error, FM_ENOTFOUND, "there is no time zone \"%s\" (%s)", name, path);
    result = parse((const unsigned char *)data, size, from_s, out, count);
    free(data);
    if (result < 0)
        return fm_fail(error, result, "\"%s\" does not list the changes of its time zone up to 2037", path);
    return 0;
}
