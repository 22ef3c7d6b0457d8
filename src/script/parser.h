/* script/parser.h - the state of one reading of a Lua text.
 *
 * Private to syntax.c (names, edits), parser.c and parser_statement.c (the grammar). */
#ifndef FM_SCRIPT_PARSER_H
#define FM_SCRIPT_PARSER_H

#include "script/lexer.h"
#include "script/syntax.h"

typedef struct fm_variable {
    fm_slice name;
    uint32_t function;   /* the function that declares it; 0 = the file itself */
    const char *handler; /* it is a parameter of this handler of the rule; NULL = it is not */
    int parameter;
} fm_variable;

typedef enum fm_scope { FM_SCOPE_NONE, FM_SCOPE_LOCAL, FM_SCOPE_OUTSIDE, FM_SCOPE_GLOBAL } fm_scope;

/* What an expression turned out to be, as far as a check needs it. */
typedef struct fm_expression {
    enum { FM_EXPRESSION_OTHER, FM_EXPRESSION_NAME, FM_EXPRESSION_INDEX, FM_EXPRESSION_CALL } kind;
    fm_scope scope;      /* of the name that it begins with */
    bool of_file;        /* that name is a variable of the file, seen from within a function */
    const char *handler; /* that name is this handler's parameter */
    int parameter;
    fm_token name;
} fm_expression;

typedef struct fm_parser {
    fm_lexer lexer;
    fm_token token, ahead;
    bool has_ahead;
    uint32_t previous_end; /* offset behind the last token taken */
    const char *const *names;
    fm_variable *variable;
    uint32_t variable_count, variable_capacity;
    uint32_t function, function_count;
    uint32_t depth;
    const char *handler; /* the function that comes next is this handler */
    uint32_t in_rule;    /* inside the arguments of rule "…" */
    char path[FM_SYNTAX_PATH_MAX];
    uint32_t copied; /* source up to here is in out->text */
    fm_syntax *out;
    fm_error *error;
} fm_parser;

/* parser_statement.c */
int fm_parser_chunk(fm_parser *parser) FM_CHECKED; /* the whole text */
int fm_parser_block(fm_parser *parser) FM_CHECKED;

/* parser.c */
bool fm_token_is(const fm_token *token, const char *symbol);
bool fm_parser_at(const fm_parser *parser, const char *symbol);
int fm_parser_expected(fm_parser *parser, const char *what); /* fails: expected … near … */
int fm_parser_take_symbol(fm_parser *parser, const char *symbol) FM_CHECKED;
int fm_parser_take_closing(fm_parser *parser, const char *symbol,
                           const fm_token *start) FM_CHECKED; /* the end of what began at start */
int fm_parser_take_name(fm_parser *parser, fm_token *out) FM_CHECKED;
int fm_parser_deeper(fm_parser *parser) FM_CHECKED; /* one level more, within the limit */
void fm_parser_check_budget(fm_parser *parser);     /* inserts the check behind the last token */
int fm_parser_function_body(fm_parser *parser, const fm_token *start, bool method) FM_CHECKED;
int fm_parser_expression(fm_parser *parser, fm_expression *out) FM_CHECKED;
int fm_parser_expression_list(fm_parser *parser) FM_CHECKED;
int fm_parser_suffixed(fm_parser *parser, fm_expression *out) FM_CHECKED;

/* syntax.c */
int fm_parser_fail(fm_parser *parser, const fm_token *at, const char *hint, const char *format, ...) FM_PRINTF(4, 5);
int fm_parser_take(fm_parser *parser) FM_CHECKED; /* moves to the next token */
void fm_parser_insert(fm_parser *parser, uint32_t offset, uint32_t skip, const char *text);
size_t fm_parser_mark(fm_parser *parser); /* where the current token begins in the new text */
void fm_parser_wrap(fm_parser *parser, size_t mark,
                    const char *opening); /* puts `opening` at the mark and ")" behind the last token */
int fm_parser_declare(fm_parser *parser, const fm_token *name, const char *handler, int parameter) FM_CHECKED;
int fm_parser_resolve(fm_parser *parser, const fm_token *name, fm_expression *out) FM_CHECKED;
int fm_parser_member(fm_parser *parser, const fm_expression *base, const fm_token *member) FM_CHECKED;
int fm_parser_check_write(fm_parser *parser, const fm_expression *target) FM_CHECKED;
void fm_parser_place(fm_parser *parser, const fm_token *at);

#endif
