/* tool/peek.c - skips values by their brackets and quotes; see peek.h. */
#include "tool/peek.h"

#include <stdlib.h>

static size_t skip_space(fm_slice text, size_t at)
{
    while (at < text.size &&
           (text.data[at] == ' ' || text.data[at] == '\t' || text.data[at] == '\n' || text.data[at] == '\r'))
        at++;
    return at;
}

static size_t skip_string(fm_slice text, size_t at)
{
    for (at++; at < text.size; at++) {
        if (text.data[at] == '\\')
            at++;
        else if (text.data[at] == '"')
            return at + 1;
    }
    return text.size;
}

/* Behind the value that begins at `at`. */
static size_t skip_value(fm_slice text, size_t at)
{
    size_t depth = 0;
    while (at < text.size) {
        char c = text.data[at];
        if (c == '"') {
            at = skip_string(text, at);
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
            continue;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return at;
            depth--;
            at++;
        } else if (depth == 0 && (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
            return at;
        } else {
            at++;
            continue;
        }
        if (depth == 0)
            return at;
    }
    return at;
}

static bool member(fm_slice object, fm_slice name, fm_slice *value)
{
    size_t at = skip_space(object, 0);
    if (at >= object.size || object.data[at] != '{')
        return false;
    for (at++;;) {
        at = skip_space(object, at);
        if (at < object.size && object.data[at] == ',')
            at = skip_space(object, at + 1);
        if (at >= object.size || object.data[at] != '"')
            return false;
        size_t key = at + 1, behind = skip_string(object, at);
        at = skip_space(object, behind);
        if (at >= object.size || object.data[at] != ':')
            return false;
        size_t begin = skip_space(object, at + 1);
        at = skip_value(object, begin);
        if (at == begin)
            return false;
        if (fm_slice_equal((fm_slice){object.data + key, behind - key - 1}, name)) {
            *value = (fm_slice){object.data + begin, at - begin};
            return true;
        }
    }
}

bool fm_peek_member(fm_slice object, const char *path, fm_slice *value)
{
    for (;;) {
        const char *dot = strchr(path, '.');
        fm_slice name = {path, dot ? (size_t)(dot - path) : strlen(path)};
        if (!member(object, name, &object))
            return false;
        if (!dot) {
            *value = object;
            return true;
        }
        path = dot + 1;
    }
}

bool fm_peek_next(fm_slice array, size_t *at, fm_slice *value)
{
    size_t here = skip_space(array, *at);
    if (*at == 0) {
        if (here >= array.size || array.data[here] != '[')
            return false;
        here = skip_space(array, here + 1);
    } else if (here < array.size && array.data[here] == ',') {
        here = skip_space(array, here + 1);
    }
    size_t end = skip_value(array, here);
    if (end == here)
        return false;
    *value = (fm_slice){array.data + here, end - here};
    *at = end;
    return true;
}

static bool number(fm_slice value, char out[64])
{
    if (value.size == 0 || value.size >= 64 ||
        !(value.data[0] == '-' || (value.data[0] >= '0' && value.data[0] <= '9')))
        return false;
    memcpy(out, value.data, value.size);
    out[value.size] = '\0';
    return true;
}

bool fm_peek_int(fm_slice value, int64_t *out)
{
    char text[64], *end = text;
    if (!number(value, text))
        return false;
    long long result = strtoll(text, &end, 10);
    if (*end != '\0')
        return false;
    *out = result;
    return true;
}

bool fm_peek_real(fm_slice value, double *out)
{
    char text[64], *end = text;
    if (!number(value, text))
        return false;
    double result = strtod(text, &end);
    if (*end != '\0')
        return false;
    *out = result;
    return true;
}

static size_t put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 63));
    out[2] = (char)(0x80 | (code & 63));
    return 3;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* One escape that begins at text[at] = '\\'; a pair of surrogates becomes two question marks' worth of U+FFFD, good for
 * a terminal. */
static size_t unescape(fm_slice text, size_t at, char out[4], size_t *size)
{
    static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
    *size = 1;
    if (at + 1 >= text.size) {
        *size = 0;
        return text.size;
    }
    char c = text.data[at + 1];
    if (c != 'u') {
        const char *found = strchr(from, c);
        out[0] = found ? to[found - from] : c;
        return at + 2;
    }
    unsigned code = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = i < text.size ? hex_digit(text.data[i]) : -1;
        if (digit < 0) {
            *size = 0;
            return text.size;
        }
        code = code << 4 | (unsigned)digit;
    }
    *size = put_utf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    return at + 6;
}

bool fm_peek_text(fm_slice value, char *out, size_t size)
{
    if (size == 0 || value.size < 2 || value.data[0] != '"')
        return false;
    fm_slice text = {value.data, value.size - 1};
    size_t used = 0;
    for (size_t at = 1; at < text.size;) {
        char piece[4] = {text.data[at]};
        size_t bytes = 1;
        at = text.data[at] == '\\' ? unescape(text, at, piece, &bytes) : at + 1;
        if (used + bytes >= size)
            break;
        memcpy(out + used, piece, bytes);
        used += bytes;
    }
    out[used] = '\0';
    return true;
}

int64_t fm_peek_member_int(fm_slice object, const char *path, int64_t preset)
{
    fm_slice value;
    int64_t result;
    return fm_peek_member(object, path, &value) && fm_peek_int(value, &result) ? result : preset;
}

void fm_peek_member_text(fm_slice object, const char *path, char *out, size_t size)
{
    fm_slice value;
    if (!fm_peek_member(object, path, &value) || !fm_peek_text(value, out, size))
        out[0] = '\0';
}
