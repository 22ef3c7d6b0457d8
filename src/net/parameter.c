/* net/parameter.c - query parameters by their rows. */
#include "net/route.h"

#include "ingest/decode/time.h"

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

int fm_parameter_time(fm_slice text, int64_t *ts_ns)
{
    char copy[40];
    int64_t value;

    if (text.size < 20 || text.data[4] != '-')
        return parse_integer(text, ts_ns);
    if (!fm_slice_copy(text, copy, sizeof(copy)))
        return FM_EINVAL;
    if (copy[text.size - 6] == ' ')
        copy[text.size - 6] = '+'; /* an offset's '+' that was not escaped */
    if (fm_time_parse(copy, text.size, &value) != NULL || value < 0)
        return FM_EINVAL;
    *ts_ns = value;
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
