/* ingest/decode/time.c - RFC 3339, and durations. */
#include "ingest/decode/time.h"

#include "base/event.h"

#include <stdbool.h>
#include <string.h>

int64_t fm_days_from_civil(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int fm_days_in_month(int year, int month)
{
    static const int8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12)
        return 0;
    return days[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* `count` digits as a number; -1 when one of them is not a digit. */
static int digits(const char *at, int count)
{
    int value = 0;
    for (int index = 0; index < count; index++) {
        unsigned digit = (unsigned)(unsigned char)at[index] - '0';
        if (digit > 9)
            return -1;
        value = value * 10 + (int)digit;
    }
    return value;
}

/* ".123" at `at`: nanoseconds, and *at behind it; -1 without a digit, -2 with more than nine. */
static int64_t fraction(const char **at, const char *end)
{
    if (*at == end || **at != '.')
        return 0;
    const char *begin = ++*at;
    int64_t value = 0;
    for (; *at < end && (unsigned char)(**at - '0') < 10; ++*at) {
        if (*at - begin == 9)
            return -2;
        value = value * 10 + (**at - '0');
    }
    if (*at == begin)
        return -1;
    for (ptrdiff_t count = *at - begin; count < 9; count++)
        value *= 10;
    return value;
}

/* "Z" or "+hh:mm" as seconds east of Greenwich; INT32_MIN when it is neither. */
static int32_t offset_s(const char *at, const char *end)
{
    if (end - at == 1 && (*at == 'Z' || *at == 'z'))
        return 0;
    if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':')
        return INT32_MIN;
    int hour = digits(at + 1, 2), minute = digits(at + 4, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return INT32_MIN;
    int seconds = hour * 3600 + minute * 60;
    return *at == '-' ? -seconds : seconds;
}

const char *fm_time_parse(const char *text, size_t size, int64_t *ts_ns)
{
    const char *end = text + size;
    if (size < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':' ||
        (text[10] != 'T' && text[10] != 't' && text[10] != ' '))
        return "is not of the form 2014-05-02T12:30:00Z";
    int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
    int hour = digits(text + 11, 2), minute = digits(text + 14, 2), second = digits(text + 17, 2);
    if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0)
        return "is not of the form 2014-05-02T12:30:00Z";
    if (day < 1 || day > fm_days_in_month(year, month))
        return "names a day that does not exist";
    if (second == 60)
        return "is a leap second (:60), which is not taken";
    if (hour > 23 || minute > 59 || second > 59)
        return "names a time of day that does not exist";
    const char *at = text + 19;
    int64_t nanoseconds = fraction(&at, end);
    if (nanoseconds < 0)
        return nanoseconds == -1 ? "has no digit behind the decimal point" : "has more than nine decimals";
    int32_t east = offset_s(at, end);
    if (east == INT32_MIN)
        return "needs Z or an offset such as +01:00 at its end";
    if (year < 1678 || year > 2261)
        return "lies outside the years 1678 to 2261";
    int64_t seconds = fm_days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - east;
    *ts_ns = seconds * FM_NS_PER_S + nanoseconds;
    return NULL;
}

/* What a unit counts, and *at behind it; 0 when there is none. */
static int64_t unit_ns(const char **at, const char *end)
{
    static const struct {
        char name[3];
        int64_t ns;
    } units[] = {{"ns", 1},
                 {"us", FM_NS_PER_US},
                 {"ms", FM_NS_PER_MS},
                 {"s", FM_NS_PER_S},
                 {"m", 60 * FM_NS_PER_S},
                 {"h", 3600 * FM_NS_PER_S},
                 {"d", 86400 * FM_NS_PER_S},
                 {"w", 604800 * FM_NS_PER_S}};
    size_t size = 0;
    while (*at + size < end && size < 3 && (*at)[size] >= 'a' && (*at)[size] <= 'z')
        size++;
    for (size_t index = 0; index < sizeof units / sizeof *units; index++)
        if (size == strlen(units[index].name) && memcmp(*at, units[index].name, size) == 0) {
            *at += size;
            return units[index].ns;
        }
    return 0;
}

/* The number with its unit at *at, and *at behind it; -1 when there is none, -2 when it is no whole nanosecond or too
 * long. */
static int64_t span_part(const char **at, const char *end)
{
    const int64_t most = INT64_C(1000000000000000000); /* nineteen digits are more than the longest span has */
    int64_t digits = 0, tenths = 1;
    const char *begin = *at;
    bool point = false;
    for (; *at < end && ((unsigned char)(**at - '0') < 10 || (**at == '.' && !point && *at > begin)); ++*at) {
        if (**at == '.') {
            point = true;
            continue;
        }
        if (digits >= most / 10)
            return -2;
        digits = digits * 10 + (**at - '0');
        tenths *= point ? 10 : 1;
    }
    if (*at == begin)
        return -1;
    int64_t unit = unit_ns(at, end);
    if (unit == 0)
        return -1;
    while (tenths > 1 && digits % 10 == 0) {
        digits /= 10;
        tenths /= 10;
    }
    if (digits > FM_SPAN_MAX_NS / (unit >= tenths ? unit / tenths : 1) || unit % tenths != 0)
        return -2;
    return digits * (unit / tenths);
}

const char *fm_span_parse(const char *text, size_t size, int64_t *span_ns)
{
    const char *at = text, *end = text + size;
    int64_t sum = 0;
    while (at < end) {
        int64_t part = span_part(&at, end);
        if (part == -1)
            return "is not of the form \"1m\" or \"1h30m\"";
        if (part == -2 || part > FM_SPAN_MAX_NS - sum)
            return "is longer than 366 days, or no whole number of nanoseconds";
        sum += part;
    }
    if (sum == 0)
        return "must be longer than nothing";
    *span_ns = sum;
    return NULL;
}
