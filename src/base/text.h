/* base/text.h - a growing text buffer for answers, alert bodies and metrics: off the tick path. */
#ifndef FM_BASE_TEXT_H
#define FM_BASE_TEXT_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

typedef struct fm_text {
    char  *data; /* NUL-terminated whenever size > 0; malloc'd */
    size_t size;
    size_t capacity;
} fm_text;

void fm_text_fini(fm_text *text);                 /* frees; the struct is empty again */
void fm_text_clear(fm_text *text);                /* keeps the memory */
void fm_text_add(fm_text *text, const void *data, size_t size); /* aborts when memory is exhausted */
void fm_text_put(fm_text *text, const char *string);
void fm_text_printf(fm_text *text, const char *format, ...) FM_PRINTF(2, 3);
void fm_text_json(fm_text *text, fm_slice slice); /* quoted and escaped; invalid UTF-8 becomes U+FFFD */
void fm_text_real(fm_text *text, double value);   /* shortest digits that read back the same; NaN and infinities as null */

#endif
