/* script/parser.c - the grammar of Lua 5.1 with goto, by recursive descent: expressions and functions. */
#include "script/parser.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 180 };

bool fm_token_is(const fm_token *token, const char *symbol)
{
    return token->kind == FM_TOKEN_SYMBOL && token->text.size == strlen(symbol) &&
           memcmp(token->text.data, symbol, token->text.size) == 0;
}

bool fm_parser_at(const fm_parser *parser, const char *symbol)
{
    return fm_token_is(&parser->token, symbol);
}

int fm_parser_expected(fm_parser *parser, const char *what)
{
    if (parser->token.kind == FM_TOKEN_END)
        return fm_parser_fail(parser, &parser->token, NULL, "expected %s at the end of the file", what);
    int size = (int)(parser->token.text.size < 40 ? parser->token.text.size : 40);
    return fm_parser_fail(parser, &parser->token, NULL, "expected %s near %.*s", what, size, parser->token.text.data);
}

int fm_parser_take_symbol(fm_parser *parser, const char *symbol)
{
    if (!fm_parser_at(parser, symbol))
        return fm_parser_expected(parser, symbol);
    return fm_parser_take(parser);
}

/* The `end` of something that began at `start`. */
int fm_parser_take_closing(fm_parser *parser, const char *symbol, const fm_token *start)
{
    if (fm_parser_at(parser, symbol))
        return fm_parser_take(parser);
    char what[64];
    snprintf(what, sizeof(what), "%s (to close %.*s at line %d)", symbol, (int)start->text.size, start->text.data,
             start->line);
    return fm_parser_expected(parser, what);
}

int fm_parser_take_name(fm_parser *parser, fm_token *out)
{
    if (parser->token.kind != FM_TOKEN_NAME)
        return fm_parser_expected(parser, "a name");
    *out = parser->token;
    return fm_parser_take(parser);
}

int fm_parser_deeper(fm_parser *parser)
{
    if (++parser->depth > DEPTH_MAX)
        return fm_parser_fail(parser, &parser->token, "split it into functions", "the text nests deeper than %d levels",
                              DEPTH_MAX);
    return 0;
}

void fm_parser_check_budget(fm_parser *parser)
{
    fm_parser_insert(parser, parser->previous_end, 0, " __fm_b();");
}

static int parameters(fm_parser *parser, const char *handler)
{
    int index = 0;
    while (!fm_parser_at(parser, ")")) {
        if (fm_parser_at(parser, "...")) {
            FM_TRY(fm_parser_take(parser));
            break;
        }
        fm_token name;
        FM_TRY(fm_parser_take_name(parser, &name));
        FM_TRY(fm_parser_declare(parser, &name, handler, index++));
        if (!fm_parser_at(parser, ","))
            break;
        FM_TRY(fm_parser_take(parser));
        if (fm_parser_at(parser, ")"))
            return fm_parser_expected(parser, "a name");
    }
    return fm_parser_take_symbol(parser, ")");
}

int fm_parser_function_body(fm_parser *parser, const fm_token *start, bool method)
{
    uint32_t variables = parser->variable_count, outer = parser->function;
    const char *handler = parser->handler;
    parser->handler = NULL;
    parser->function = ++parser->function_count;
    FM_TRY(fm_parser_deeper(parser));
    if (method) {
        fm_token self = *start;
        self.text = FM_SLICE("self");
        FM_TRY(fm_parser_declare(parser, &self, NULL, 0));
    }
    FM_TRY(fm_parser_take_symbol(parser, "("));
    FM_TRY(parameters(parser, handler));
    fm_parser_check_budget(parser);
    FM_TRY(fm_parser_block(parser));
    FM_TRY(fm_parser_take_closing(parser, "end", start));
    parser->depth--;
    parser->variable_count = variables;
    parser->function = outer;
    return 0;
}

static const char *handler_of(fm_slice name)
{
    static const char *const handlers[] = {"when", "on_event", "on_timer"};
    for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++)
        if (fm_slice_equal(name, fm_slice_of(handlers[i])))
            return handlers[i];
    return NULL;
}

static int named_field(fm_parser *parser)
{
    fm_token name;
    FM_TRY(fm_parser_take_name(parser, &name));
    FM_TRY(fm_parser_take_symbol(parser, "="));
    size_t size = strlen(parser->path);
    bool top = size == 0;
    snprintf(parser->path + size, sizeof(parser->path) - size, "%s%.*s", top ? "" : ".",
             (int)(name.text.size < 64 ? name.text.size : 64), name.text.data);
    if (parser->in_rule)
        fm_parser_place(parser, &name);
    if (parser->in_rule && top && fm_parser_at(parser, "function"))
        parser->handler = handler_of(name.text);
    fm_expression value;
    FM_TRY(fm_parser_expression(parser, &value));
    parser->path[size] = '\0';
    return 0;
}

static int field(fm_parser *parser)
{
    fm_expression value;
    if (fm_parser_at(parser, "[")) {
        FM_TRY(fm_parser_take(parser));
        FM_TRY(fm_parser_expression(parser, &value));
        FM_TRY(fm_parser_take_symbol(parser, "]"));
        FM_TRY(fm_parser_take_symbol(parser, "="));
        return fm_parser_expression(parser, &value);
    }
    if (parser->token.kind == FM_TOKEN_NAME) {
        if (!parser->has_ahead) {
            FM_TRY(fm_lexer_next(&parser->lexer, &parser->ahead));
            parser->has_ahead = true;
        }
        if (fm_token_is(&parser->ahead, "="))
            return named_field(parser);
    }
    return fm_parser_expression(parser, &value);
}

static int table(fm_parser *parser)
{
    fm_token start = parser->token;
    FM_TRY(fm_parser_deeper(parser));
    FM_TRY(fm_parser_take_symbol(parser, "{"));
    while (!fm_parser_at(parser, "}")) {
        FM_TRY(field(parser));
        if (!fm_parser_at(parser, ",") && !fm_parser_at(parser, ";"))
            break;
        FM_TRY(fm_parser_take(parser));
    }
    parser->depth--;
    return fm_parser_take_closing(parser, "}", &start);
}

int fm_parser_expression_list(fm_parser *parser)
{
    fm_expression value;
    FM_TRY(fm_parser_expression(parser, &value));
    while (fm_parser_at(parser, ",")) {
        FM_TRY(fm_parser_take(parser));
        FM_TRY(fm_parser_expression(parser, &value));
    }
    return 0;
}

static int arguments(fm_parser *parser)
{
    if (parser->token.kind == FM_TOKEN_STRING)
        return fm_parser_take(parser);
    if (fm_parser_at(parser, "{"))
        return table(parser);
    fm_token start = parser->token;
    FM_TRY(fm_parser_take_symbol(parser, "("));
    if (!fm_parser_at(parser, ")"))
        FM_TRY(fm_parser_expression_list(parser));
    return fm_parser_take_closing(parser, ")", &start);
}

static bool begins_arguments(const fm_parser *parser)
{
    return parser->token.kind == FM_TOKEN_STRING || fm_parser_at(parser, "{") || fm_parser_at(parser, "(");
}

static int primary(fm_parser *parser, fm_expression *out)
{
    if (parser->token.kind == FM_TOKEN_NAME) {
        FM_TRY(fm_parser_resolve(parser, &parser->token, out));
        return fm_parser_take(parser);
    }
    fm_token start = parser->token;
    *out = (fm_expression){.name = start};
    FM_TRY(fm_parser_take_symbol(parser, "("));
    fm_expression inner;
    FM_TRY(fm_parser_expression(parser, &inner));
    return fm_parser_take_closing(parser, ")", &start);
}

static int call(fm_parser *parser, fm_expression *out)
{
    bool rule = out->scope == FM_SCOPE_GLOBAL && fm_slice_equal(out->name.text, FM_SLICE("rule"));
    FM_TRY(fm_parser_member(parser, out, NULL));
    parser->in_rule += rule;
    FM_TRY(arguments(parser));
    parser->in_rule -= rule;
    out->kind = FM_EXPRESSION_CALL;
    if (!rule) { /* what a call gives back is its own; rule "name" {…} is two calls */
        out->scope = FM_SCOPE_NONE;
        out->of_file = false;
        out->handler = NULL;
    }
    return 0;
}

/* One of .name [expression] :name arguments, arguments; or nothing (`*more` is then false). */
static int suffix(fm_parser *parser, fm_expression *out, bool *more)
{
    fm_expression inner;
    fm_token member;
    if (fm_parser_at(parser, ".")) {
        FM_TRY(fm_parser_take(parser));
        FM_TRY(fm_parser_take_name(parser, &member));
        FM_TRY(fm_parser_member(parser, out, &member));
        out->kind = FM_EXPRESSION_INDEX;
    } else if (fm_parser_at(parser, "[")) {
        FM_TRY(fm_parser_member(parser, out, NULL));
        FM_TRY(fm_parser_take(parser));
        FM_TRY(fm_parser_expression(parser, &inner));
        FM_TRY(fm_parser_take_symbol(parser, "]"));
        out->kind = FM_EXPRESSION_INDEX;
    } else if (fm_parser_at(parser, ":")) {
        FM_TRY(fm_parser_take(parser));
        FM_TRY(fm_parser_take_name(parser, &member));
        FM_TRY(fm_parser_member(parser, out, &member));
        if (!begins_arguments(parser))
            return fm_parser_expected(parser, "arguments");
        FM_TRY(call(parser, out));
    } else if (begins_arguments(parser)) {
        FM_TRY(call(parser, out));
    } else {
        *more = false;
    }
    return 0;
}

int fm_parser_suffixed(fm_parser *parser, fm_expression *out)
{
    FM_TRY(fm_parser_deeper(parser));
    FM_TRY(primary(parser, out));
    for (bool more = true; more;)
        FM_TRY(suffix(parser, out, &more));
    parser->depth--;
    return 0;
}

static int simple(fm_parser *parser, fm_expression *out)
{
    *out = (fm_expression){.name = parser->token};
    if (parser->token.kind == FM_TOKEN_NUMBER || parser->token.kind == FM_TOKEN_STRING || fm_parser_at(parser, "nil") ||
        fm_parser_at(parser, "true") || fm_parser_at(parser, "false") || fm_parser_at(parser, "..."))
        return fm_parser_take(parser);
    if (fm_parser_at(parser, "{"))
        return table(parser);
    if (fm_parser_at(parser, "function")) {
        fm_token start = parser->token;
        FM_TRY(fm_parser_take(parser));
        return fm_parser_function_body(parser, &start, false);
    }
    if (parser->token.kind != FM_TOKEN_NAME && !fm_parser_at(parser, "("))
        return fm_parser_expected(parser, "an expression");
    FM_TRY(fm_parser_suffixed(parser, out));
    return fm_parser_member(parser, out, NULL);
}

static int unary(fm_parser *parser, fm_expression *out)
{
    FM_TRY(fm_parser_deeper(parser));
    if (fm_parser_at(parser, "#")) {
        fm_parser_insert(parser, parser->token.offset, 1, " __fm_len(");
        FM_TRY(fm_parser_take(parser));
        FM_TRY(unary(parser, out));
        fm_parser_insert(parser, parser->previous_end, 0, ")");
        *out = (fm_expression){.name = parser->token};
    } else if (fm_parser_at(parser, "-") || fm_parser_at(parser, "not")) {
        FM_TRY(fm_parser_take(parser));
        FM_TRY(unary(parser, out));
        *out = (fm_expression){.name = parser->token};
    } else {
        FM_TRY(simple(parser, out));
    }
    parser->depth--;
    return 0;
}

static bool at_binary(const fm_parser *parser)
{
    static const char *const operators[] = {
        "+", "-", "*", "/", "%", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or"};
    for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
        if (fm_parser_at(parser, operators[i]))
            return true;
    return false;
}

/* Which operator binds closer changes no check here, so a chain is read from left to right. */
int fm_parser_expression(fm_parser *parser, fm_expression *out)
{
    FM_TRY(fm_parser_deeper(parser));
    parser->handler = fm_parser_at(parser, "function") ? parser->handler : NULL;
    FM_TRY(unary(parser, out));
    while (at_binary(parser)) {
        FM_TRY(fm_parser_take(parser));
        FM_TRY(unary(parser, out));
        *out = (fm_expression){.name = parser->token};
    }
    if (fm_parser_at(parser, "^"))
        return fm_parser_fail(parser, &parser->token, "write math.pow(x, y), or x * x",
                              "the operator ^ is refused: compiled and interpreted its last bits differ");
    parser->depth--;
    return 0;
}
