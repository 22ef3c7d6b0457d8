/* script/lexer.c - the tokens of Lua 5.1, strictly: what LuaJIT reads in its own way is refused here. */
#include "script/lexer.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const keywords[] = {"and",      "break",  "do",   "else", "elseif", "end",   "false", "for",
                                       "function", "goto",   "if",   "in",   "local",  "nil",   "not",   "or",
                                       "repeat",   "return", "then", "true", "until",  "while", NULL};
static const char *const operators[] = {
    "...", "..", "==", "~=", "<=", ">=", "::", NULL}; /* of more than one byte, longest first */

int fm_lexer_fail(fm_error *error, const char *file, int line, int column, const char *hint, const char *format, ...)
{
    if (!error)
        return FM_ESYNTAX;
    memset(error, 0, sizeof(*error));
    error->code = FM_ESYNTAX;
    error->line = line;
    error->column = column;
    snprintf(error->file, sizeof(error->file), "%s", file);
    snprintf(error->hint, sizeof(error->hint), "%s", hint ? hint : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    return FM_ESYNTAX;
}

void fm_lexer_init(fm_lexer *lexer, const char *file, fm_slice source, fm_error *error)
{
    *lexer = (fm_lexer){.source = source, .line = 1, .file = file, .error = error};
    if (source.size >= 3 && memcmp(source.data, "\xEF\xBB\xBF", 3) == 0)
        lexer->at = lexer->line_start = 3;
}

static int peek(const fm_lexer *lexer, uint32_t ahead)
{
    return lexer->at + ahead < lexer->source.size ? (unsigned char)lexer->source.data[lexer->at + ahead] : -1;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name(int c)
{
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int fail_here(fm_lexer *lexer, const char *hint, const char *message)
{
    return fm_lexer_fail(lexer->error, lexer->file, lexer->line, (int)(lexer->at - lexer->line_start) + 1, hint, "%s",
                         message);
}

/* At a line end: "\n", "\r", "\r\n" or "\n\r" is one line. */
static void take_line_end(fm_lexer *lexer)
{
    int first = peek(lexer, 0), second = peek(lexer, 1);
    lexer->at += (second == '\n' || second == '\r') && second != first ? 2 : 1;
    lexer->line++;
    lexer->line_start = lexer->at;
}

static bool is_line_end(int c)
{
    return c == '\n' || c == '\r';
}

/* At '[': the number of '=' of a long bracket, or -1 when it is none. */
static int long_bracket(const fm_lexer *lexer)
{
    uint32_t level = 0;
    while (peek(lexer, 1 + level) == '=')
        level++;
    return peek(lexer, 1 + level) == '[' ? (int)level : -1;
}

static int take_long(fm_lexer *lexer, int level, const char *what)
{
    int line = lexer->line, column = (int)(lexer->at - lexer->line_start) + 1;
    lexer->at += (uint32_t)level + 2;
    for (;;) {
        int c = peek(lexer, 0);
        if (c < 0)
            return fm_lexer_fail(lexer->error, lexer->file, line, column, "close it", "unfinished %s", what);
        if (is_line_end(c)) {
            take_line_end(lexer);
            continue;
        }
        lexer->at++;
        if (c != ']')
            continue;
        int closing = 0;
        while (peek(lexer, (uint32_t)closing) == '=')
            closing++;
        if (closing == level && peek(lexer, (uint32_t)closing) == ']') {
            lexer->at += (uint32_t)closing + 1;
            return 0;
        }
    }
}

static int skip_blank(fm_lexer *lexer)
{
    for (;;) {
        int c = peek(lexer, 0);
        if (is_line_end(c)) {
            take_line_end(lexer);
        } else if (c == ' ' || c == '\t' || c == '\v' || c == '\f') {
            lexer->at++;
        } else if (c == '-' && peek(lexer, 1) == '-') {
            lexer->at += 2;
            int level = peek(lexer, 0) == '[' ? long_bracket(lexer) : -1;
            if (level >= 0) {
                FM_TRY(take_long(lexer, level, "comment"));
                continue;
            }
            while (peek(lexer, 0) >= 0 && !is_line_end(peek(lexer, 0)))
                lexer->at++;
        } else {
            return 0;
        }
    }
}

static int take_string(fm_lexer *lexer)
{
    int quote = peek(lexer, 0), line = lexer->line, column = (int)(lexer->at - lexer->line_start) + 1;
    lexer->at++;
    for (;;) {
        int c = peek(lexer, 0);
        if (c < 0 || is_line_end(c))
            return fm_lexer_fail(lexer->error, lexer->file, line, column, "close the quotes", "unfinished string");
        if (c != '\\') {
            lexer->at++;
            if (c == quote)
                return 0;
            continue;
        }
        lexer->at++;
        c = peek(lexer, 0);
        if (is_line_end(c)) {
            take_line_end(lexer);
        } else if (c == 'z') {
            return fail_here(lexer, "end the string and join with ..", "\\z is not taken in strings");
        } else if (c >= 0) {
            lexer->at++;
        }
    }
}

static int take_number(fm_lexer *lexer)
{
    bool hex = peek(lexer, 0) == '0' && (peek(lexer, 1) == 'x' || peek(lexer, 1) == 'X'), digits = false;
    if (hex)
        lexer->at += 2;
    while (hex ? is_hex(peek(lexer, 0)) : is_digit(peek(lexer, 0))) {
        lexer->at++;
        digits = true;
    }
    if (!hex && peek(lexer, 0) == '.') {
        lexer->at++;
        while (is_digit(peek(lexer, 0))) {
            lexer->at++;
            digits = true;
        }
    }
    if (digits && !hex && (peek(lexer, 0) == 'e' || peek(lexer, 0) == 'E')) {
        lexer->at += peek(lexer, 1) == '+' || peek(lexer, 1) == '-' ? 2 : 1;
        digits = is_digit(peek(lexer, 0));
        while (is_digit(peek(lexer, 0)))
            lexer->at++;
    }
    if (!digits || is_name(peek(lexer, 0)) || peek(lexer, 0) == '.')
        return fail_here(lexer, "numbers are written 12, 1.5, 1e-3 or 0xff", "malformed number");
    return 0;
}

static bool is_keyword(fm_slice text)
{
    for (const char *const *keyword = keywords; *keyword; keyword++)
        if (fm_slice_equal(text, fm_slice_of(*keyword)))
            return true;
    return false;
}

static int take_operator(fm_lexer *lexer)
{
    for (const char *const *operator= operators; *operator; operator++) {
        size_t size = strlen(*operator);
        if (lexer->source.size - lexer->at >= size && memcmp(lexer->source.data + lexer->at, *operator, size) == 0) {
            lexer->at += (uint32_t)size;
            return 0;
        }
    }
    int c = peek(lexer, 0);
    if (c == 0 || !strchr("+-*/%^#<>=(){}[];:,.", c)) {
        if (c >= 32 && c < 127)
            return fm_lexer_fail(lexer->error, lexer->file, lexer->line, (int)(lexer->at - lexer->line_start) + 1, NULL,
                                 "unexpected character '%c'", c);
        return fail_here(lexer, "outside strings and comments only ASCII is read", "unexpected byte");
    }
    lexer->at++;
    return 0;
}

int fm_lexer_next(fm_lexer *lexer, fm_token *out)
{
    FM_TRY(skip_blank(lexer));
    fm_token token = {.offset = lexer->at, .line = lexer->line, .column = (int)(lexer->at - lexer->line_start) + 1};
    int c = peek(lexer, 0);
    if (c < 0) {
        token.kind = FM_TOKEN_END;
    } else if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
        token.kind = FM_TOKEN_NUMBER;
        FM_TRY(take_number(lexer));
    } else if (is_name(c)) {
        while (is_name(peek(lexer, 0)))
            lexer->at++;
        token.kind = FM_TOKEN_NAME;
    } else if (c == '"' || c == '\'') {
        token.kind = FM_TOKEN_STRING;
        FM_TRY(take_string(lexer));
    } else if (c == '[' && long_bracket(lexer) >= 0) {
        token.kind = FM_TOKEN_STRING;
        FM_TRY(take_long(lexer, long_bracket(lexer), "string"));
    } else {
        token.kind = FM_TOKEN_SYMBOL;
        FM_TRY(take_operator(lexer));
    }
    token.text = (fm_slice){lexer->source.data + token.offset, lexer->at - token.offset};
    if (token.kind == FM_TOKEN_NAME && is_keyword(token.text))
        token.kind = FM_TOKEN_SYMBOL;
    *out = token;
    return 0;
}
