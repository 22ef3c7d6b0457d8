/* net/parameter.c - query parameters by their rows. */
#include "net/route.h"

#include <time.h>

bool fm_request_has(const fm_request *request, fm_parameter_id id)
{
    for (uint32_t i = 0; i < request->given_count; i++)
        if (request->given[i].id == id)
            return true;
    return false;
}

fm_slice fm_request_text(const fm_request *request, fm_parameter_id id, fm_slice otherwise)
{
    for (uint32_t i = 0; i < request->given_count; i++)
        if (request->given[i].id == id)
            return request->given[i].text;
    return otherwise;
}

int64_t fm_request_number(const fm_request *request, fm_parameter_id id, int64_t otherwise)
{
    for (uint32_t i = 0; i < request->given_count; i++)
        if (request->given[i].id == id)
            return request->given[i].number;
    return otherwise;
}

static int parse_integer(fm_slice text, int64_t *out)
{
    int64_t value = 0;

    if (text.size == 0)
        return FM_EINVAL;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value))
            return FM_EINVAL;
    }
    *out = value;
    return 0;
}

/* `count` digits at text[at]; -1 when they are not digits. */
static int digits(fm_slice text, size_t at, int count)
{
    int value = 0;

    if (at + (size_t)count > text.size)
        return -1;
    for (int i = 0; i < count; i++) {
        char c = text.data[at + (size_t)i];
        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

/* The fraction at *at, in ns; -1 when it is malformed. */
static int64_t fraction(fm_slice text, size_t *at)
{
    int64_t value = 0, unit = FM_NS_PER_S / 10;

    if (*at >= text.size || text.data[*at] != '.')
        return 0;
    size_t begin = ++*at;
    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at, unit /= 10)
        value += unit * (text.data[*at] - '0');
    return *at == begin || *at - begin > 9 ? -1 : value;
}

/* "Z", "+02:00", "-0500"; seconds east of Greenwich in *offset. */
static int zone(fm_slice text, size_t at, int *offset)
{
    if (at + 1 == text.size && (text.data[at] == 'Z' || text.data[at] == 'z')) {
        *offset = 0;
        return 0;
    }
    if (at + 6 != text.size || (text.data[at] != '+' && text.data[at] != '-' && text.data[at] != ' ') || text.data[at + 3] != ':')
        return FM_EINVAL;
    int hours = digits(text, at + 1, 2), minutes = digits(text, at + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return FM_EINVAL;
    *offset = (text.data[at] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60); /* ' ' is a '+' that was not escaped */
    return 0;
}

int fm_parameter_time(fm_slice text, int64_t *ts_ns)
{
    struct tm tm = {0};
    int offset;

    if (text.size < 11)
        return parse_integer(text, ts_ns);
    if (text.data[4] != '-')
        return parse_integer(text, ts_ns);
    int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (text.size < 20 || text.data[7] != '-' || (text.data[10] | 0x20) != 't' || text.data[13] != ':' || text.data[16] != ':')
        return FM_EINVAL;
    if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 59)
        return FM_EINVAL;
    size_t at = 19;
    int64_t ns = fraction(text, &at);
    if (ns < 0 || zone(text, at, &offset) < 0)
        return FM_EINVAL;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    time_t seconds = timegm(&tm);
    if (tm.tm_mday != day) /* 31 April */
        return FM_EINVAL;
    *ts_ns = ((int64_t)seconds - offset) * FM_NS_PER_S + ns;
    return 0;
}

int fm_severity_parse(fm_slice text)
{
    static const char *const names[] = {"info", "warning", "error", "critical"};

    for (int i = 0; i < 4; i++)
        if (fm_slice_equal(text, fm_slice_of(names[i])))
            return i;
    return -1;
}

static int parse_name(const fm_parameter *row, fm_slice text)
{
    if ((int64_t)text.size < row->low || (int64_t)text.size > row->high)
        return FM_EINVAL;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return FM_EINVAL;
    return 0;
}

int fm_parameter_parse(const fm_parameter *row, fm_slice text, int64_t *number)
{
    int64_t value = 0;
    int result = FM_EINVAL;

    switch (row->type) {
    case FM_PARAMETER_NAME:
        result = parse_name(row, text);
        break;
    case FM_PARAMETER_TIME:
        result = fm_parameter_time(text, &value);
        break;
    case FM_PARAMETER_INTEGER:
        result = parse_integer(text, &value);
        if (result == 0 && (value < row->low || value > row->high))
            result = FM_EINVAL;
        break;
    case FM_PARAMETER_SEVERITY:
        value = fm_severity_parse(text);
        result = value < 0 ? FM_EINVAL : 0;
        break;
    }
    if (result == 0)
        *number = value;
    return result;
}
