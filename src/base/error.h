/* base/error.h - how failures travel.
 *
 * A function that can fail returns int: 0 or more is success, negative is -code of a row in errors.def. Results leave by pointer
 * and are untouched on failure. Where a person will read it, an fm_error is filled too: "could not open rule file "x.lua":
 * no such file" - what, which, why; lower case, no full stop, no function names. */
#ifndef FM_BASE_ERROR_H
#define FM_BASE_ERROR_H

#include <stddef.h>

#define FM_CHECKED __attribute__((warn_unused_result))
#define FM_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))

enum {
#define ERROR(name, code, status, text) FM_##name = -(code),
#include "base/errors.def"
#undef ERROR
};

#define FM_TRY(call)                                                                                                                 \
    do {                                                                                                                             \
        int fm_try_result_ = (call);                                                                                                 \
        if (fm_try_result_ < 0)                                                                                                      \
            return fm_try_result_;                                                                                                   \
    } while (0)

typedef struct fm_error {
    int  code;          /* negative, errors.def; 0 = none */
    int  line, column;  /* 1-based; 0 = unknown */
    char file[256];     /* empty = not about a file */
    char message[512];
    char hint[256];     /* what to do about it; empty = nothing to say */
} fm_error;

/* Fills *error (may be NULL) and returns code, so that a failure is one line: return fm_fail(error, FM_EINVAL, "…", …). */
int fm_fail(fm_error *error, int code, const char *format, ...) FM_PRINTF(3, 4);
/* The same, with the text of errno appended as the reason. */
int fm_fail_errno(fm_error *error, int code, const char *format, ...) FM_PRINTF(3, 4);

const char *fm_error_name(int code);   /* "price_invalid"; "unknown" for a code without a row; static */
const char *fm_error_text(int code);   /* the row's sentence; static */
int         fm_error_status(int code); /* HTTP status; 500 for a code without a row */
int         fm_error_count(void);      /* rows, so that tables can be sized by fm_error_index */
int         fm_error_index(int code);  /* 0..count-1 in table order; -1 for a code without a row */
int         fm_error_at(int index);    /* the code of a row */

#endif
