/* script/lexer.h - Lua text as tokens with line, column and offset. */
#ifndef FM_SCRIPT_LEXER_H
#define FM_SCRIPT_LEXER_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

typedef enum fm_token_kind {
    FM_TOKEN_END,
    FM_TOKEN_NAME,
    FM_TOKEN_NUMBER,
    FM_TOKEN_STRING,
    FM_TOKEN_SYMBOL, /* text is the operator or keyword itself */
} fm_token_kind;

typedef struct fm_token {
    fm_token_kind kind;
    fm_slice text;
    uint32_t offset;
    int line, column;
} fm_token;

typedef struct fm_lexer {
    fm_slice source;
    uint32_t at;
    int line;
    uint32_t line_start;
    const char *file;
    fm_error *error;
} fm_lexer;

/* Begins behind a byte order mark, if there is one. */
void fm_lexer_init(fm_lexer *lexer, const char *file, fm_slice source, fm_error *error);
int fm_lexer_next(fm_lexer *lexer, fm_token *out) FM_CHECKED; /* FM_ESYNTAX */

int fm_lexer_fail(fm_error *error, const char *file, int line, int column, const char *hint, const char *format, ...)
    FM_PRINTF(6, 7);

#endif
