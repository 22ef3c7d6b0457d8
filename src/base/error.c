/* base/error.c - the rows of errors.def as tables, and how messages are filled. */
#include "base/error.h"

#include "base/assert.h"
#include "base/counters.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
#define ERROR(name, code, status, text) ROW_##name,
#include "base/errors.def"
#undef ERROR
    ROW_COUNT
};

typedef struct row {
    int code, status;
    const char *name, *text;
} row;

static const row rows[ROW_COUNT] = {
#define ERROR(name, code, status, text) {code, status, #name, text},
#include "base/errors.def"
#undef ERROR
};

/* By code: the row plus one, so that 0 is a code without a row. Two rows with one code do not compile
 * (-Woverride-init). */
#pragma GCC diagnostic error "-Woverride-init"
static const uint8_t row_of_code[] = {
#define ERROR(name, code, status, text) [code] = ROW_##name + 1,
#include "base/errors.def"
#undef ERROR
};

static_assert(ROW_COUNT <= FM_REASON_MAX, "fm_counters has a counter for every row");
static_assert(ROW_COUNT < UINT8_MAX, "row_of_code holds every row");

/* The general errors are written as constants (EINVAL); outside they have the lower-case name without the E. */
static const char *const public_names[ROW_COUNT] = {
    [ROW_EINVAL] = "invalid",     [ROW_ENOMEM] = "out_of_memory", [ROW_EIO] = "io",
    [ROW_ENOSPC] = "disk_full",   [ROW_ECORRUPT] = "corrupt",     [ROW_ENOTFOUND] = "not_found",
    [ROW_EVERSION] = "version",   [ROW_EBUSY] = "busy",           [ROW_ELIMIT] = "limit",
    [ROW_ESYNTAX] = "syntax",     [ROW_ENETWORK] = "network",     [ROW_EBUDGET] = "budget",
    [ROW_EDEADLINE] = "deadline", [ROW_ERULE] = "rule",           [ROW_ERULE_MEMORY] = "rule_memory",
    [ROW_ESHUTDOWN] = "shutdown",
};

int fm_error_count(void)
{
    return ROW_COUNT;
}

int fm_error_index(int code)
{
    unsigned positive = 0u - (unsigned)code;
    if (positive >= sizeof(row_of_code))
        return -1;
    return (int)row_of_code[positive] - 1;
}

int fm_error_at(int index)
{
    FM_ASSERT(index >= 0 && index < ROW_COUNT);
    return -rows[index].code;
}

const char *fm_error_name(int code)
{
    int index = fm_error_index(code);
    if (index < 0)
        return "unknown";
    return public_names[index] != NULL ? public_names[index] : rows[index].name;
}

const char *fm_error_text(int code)
{
    int index = fm_error_index(code);
    return index < 0 ? "an error without a name" : rows[index].text;
}

int fm_error_status(int code)
{
    int index = fm_error_index(code);
    return index < 0 ? 500 : rows[index].status;
}

static void fill(fm_error *error, int code, const char *reason, const char *format, va_list arguments)
{
    memset(error, 0, sizeof(*error));
    error->code = code;
    int length = vsnprintf(error->message, sizeof(error->message), format, arguments);
    if (reason != NULL && length >= 0 && (size_t)length < sizeof(error->message))
        snprintf(error->message + length, sizeof(error->message) - (size_t)length, ": %s", reason);
}

int fm_fail(fm_error *error, int code, const char *format, ...)
{
    FM_ASSERT(code < 0);
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        fill(error, code, NULL, format, arguments);
        va_end(arguments);
    }
    return code;
}

/* "No such file or directory" begins with a capital; a message does not. */
static const char *reason_text(int number, char *buffer, size_t size)
{
    const char *text = strerror_r(number, buffer, size);
    if (text != buffer)
        snprintf(buffer, size, "%s", text);
    if (buffer[0] >= 'A' && buffer[0] <= 'Z' && buffer[1] >= 'a' && buffer[1] <= 'z')
        buffer[0] = (char)(buffer[0] - 'A' + 'a');
    return buffer;
}

int fm_fail_errno(fm_error *error, int code, const char *format, ...)
{
    int number = errno;
    FM_ASSERT(code < 0);
    if (error != NULL) {
        char buffer[128];
        va_list arguments;
        va_start(arguments, format);
        fill(error, code, reason_text(number, buffer, sizeof(buffer)), format, arguments);
        va_end(arguments);
    }
    errno = number;
    return code;
}
