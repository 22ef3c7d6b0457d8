/* base/text.c - text that grows by doubling. */
#include "base/text.h"

#include "base/assert.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void make_room(fm_text *text, size_t more)
{
    FM_ASSERT(more < SIZE_MAX / 4 && text->size < SIZE_MAX / 4);
    size_t needed = text->size + more + 1;
    if (needed <= text->capacity)
        return;
    size_t capacity = text->capacity < 64 ? 64 : text->capacity;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(text->data, capacity);
    FM_ASSERT(data != NULL);
    text->data = data;
    text->capacity = capacity;
}

void fm_text_fini(fm_text *text)
{
    free(text->data);
    *text = (fm_text){0};
}

void fm_text_clear(fm_text *text)
{
    text->size = 0;
    if (text->data != NULL)
        text->data[0] = '\0';
}

void fm_text_add(fm_text *text, const void *data, size_t size)
{
    make_room(text, size);
    if (size > 0)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void fm_text_put(fm_text *text, const char *string)
{
    fm_text_add(text, string, strlen(string));
}

void fm_text_printf(fm_text *text, const char *format, ...)
{
    va_list arguments;
    make_room(text, 120);
    size_t room = text->capacity - text->size;
    va_start(arguments, format);
    int length = vsnprintf(text->data + text->size, room, format, arguments);
    va_end(arguments);
    FM_ASSERT(length >= 0);
    if ((size_t)length >= room) {
        make_room(text, (size_t)length);
        va_start(arguments, format);
        vsnprintf(text->data + text->size, (size_t)length + 1, format, arguments);
        va_end(arguments);
    }
    text->size += (size_t)length;
}

/* Bytes of the well-formed UTF-8 sequence at p (Unicode 15, table 3-7: no overlong forms, no surrogates, none above
 * U+10FFFF), or 0. */
static size_t utf8_size(const unsigned char *p, size_t left)
{
    unsigned char first = p[0];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size == 0 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((first == 0xe0 && p[1] < 0xa0) || (first == 0xed && p[1] > 0x9f) || (first == 0xf0 && p[1] < 0x90) ||
        (first == 0xf4 && p[1] > 0x8f))
        return 0;
    return size;
}

static void add_escaped(fm_text *text, unsigned char byte)
{
    switch (byte) {
    case '"':
        fm_text_put(text, "\\\"");
        break;
    case '\\':
        fm_text_put(text, "\\\\");
        break;
    case '\n':
        fm_text_put(text, "\\n");
        break;
    case '\r':
        fm_text_put(text, "\\r");
        break;
    case '\t':
        fm_text_put(text, "\\t");
        break;
    default:
        fm_text_printf(text, "\\u%04x", byte);
    }
}

void fm_text_json(fm_text *text, fm_slice slice)
{
    const unsigned char *p = (const unsigned char *)slice.data;
    size_t plain = 0, i = 0; /* [plain, i) goes out as it is */
    fm_text_put(text, "\"");
    while (i < slice.size) {
        size_t size = utf8_size(p + i, slice.size - i);
        if (size > 0 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\') {
            i += size;
            continue;
        }
        fm_text_add(text, p + plain, i - plain);
        if (size == 0)
            fm_text_put(text, "\xef\xbf\xbd");
        else
            add_escaped(text, p[i]);
        plain = ++i;
    }
    fm_text_add(text, p + plain, i - plain);
    fm_text_put(text, "\"");
}

/* Fifteen digits always survive a round trip through a normal double and seventeen always bring it back; a subnormal
 * has fewer. */
void fm_text_real(fm_text *text, double value)
{
    if (!isfinite(value)) {
        fm_text_put(text, "null");
        return;
    }
    char digits[48];
    for (int precision = fabs(value) < 0x1p-1022 ? 1 : 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    fm_text_put(text, digits);
}
