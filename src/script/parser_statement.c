/* script/parser_statement.c - the grammar of Lua 5.1 with goto: statements and blocks. */
#include "script/parser.h"

/* A block with variables of its own. */
static int scoped_block(fm_parser *parser)
{
    uint32_t variables = parser->variable_count;
    FM_TRY(fm_parser_block(parser));
    parser->variable_count = variables;
    return 0;
}

static int declare_all(fm_parser *parser, const fm_token *name, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        FM_TRY(fm_parser_declare(parser, &name[i], NULL, 0));
    return 0;
}

static int name_list(fm_parser *parser, fm_token *name, uint32_t limit, uint32_t *count)
{
    for (;;) {
        if (*count == limit)
            return fm_parser_fail(parser, &parser->token, "declare them in several statements",
                                  "more than %u names in one list", limit);
        FM_TRY(fm_parser_take_name(parser, &name[(*count)++]));
        if (!fm_parser_at(parser, ","))
            return 0;
        FM_TRY(fm_parser_take(parser));
    }
}

static int loop_body(fm_parser *parser, const fm_token *start)
{
    FM_TRY(fm_parser_take_symbol(parser, "do"));
    fm_parser_check_budget(parser);
    FM_TRY(scoped_block(parser));
    return fm_parser_take_closing(parser, "end", start);
}

static int for_statement(fm_parser *parser, const fm_token *start)
{
    uint32_t variables = parser->variable_count, count = 0;
    fm_token name[16];
    FM_TRY(name_list(parser, name, 16, &count));
    if (!(count == 1 && fm_parser_at(parser, "=")) && !fm_parser_at(parser, "in"))
        return fm_parser_expected(parser, count == 1 ? "= or in" : "in");
    FM_TRY(fm_parser_take(parser));
    FM_TRY(fm_parser_expression_list(parser));
    FM_TRY(declare_all(parser, name, count));
    FM_TRY(loop_body(parser, start));
    parser->variable_count = variables;
    return 0;
}

static int if_statement(fm_parser *parser, const fm_token *start)
{
    fm_expression condition;
    do {
        FM_TRY(fm_parser_expression(parser, &condition));
        FM_TRY(fm_parser_take_symbol(parser, "then"));
        FM_TRY(scoped_block(parser));
        if (fm_parser_at(parser, "else")) {
            FM_TRY(fm_parser_take(parser));
            FM_TRY(scoped_block(parser));
            break;
        }
        if (!fm_parser_at(parser, "elseif"))
            break;
        FM_TRY(fm_parser_take(parser));
    } while (true);
    return fm_parser_take_closing(parser, "end", start);
}

static int repeat_statement(fm_parser *parser, const fm_token *start)
{
    uint32_t variables = parser->variable_count;
    fm_expression condition;
    fm_parser_check_budget(parser);
    FM_TRY(fm_parser_block(parser));
    FM_TRY(fm_parser_take_closing(parser, "until", start));
    FM_TRY(fm_parser_expression(parser, &condition)); /* sees the variables of the body */
    parser->variable_count = variables;
    return 0;
}

static int function_statement(fm_parser *parser, const fm_token *start)
{
    fm_token name;
    fm_expression target;
    bool method = false;
    FM_TRY(fm_parser_take_name(parser, &name));
    FM_TRY(fm_parser_resolve(parser, &name, &target));
    while ((fm_parser_at(parser, ".") || fm_parser_at(parser, ":")) && !method) {
        method = fm_parser_at(parser, ":");
        FM_TRY(fm_parser_take(parser));
        FM_TRY(fm_parser_take_name(parser, &name));
        target.kind = FM_EXPRESSION_INDEX;
    }
    FM_TRY(fm_parser_check_write(parser, &target));
    return fm_parser_function_body(parser, start, method);
}

static int local_statement(fm_parser *parser)
{
    fm_token name[60], start = parser->token;
    uint32_t count = 0;
    if (fm_parser_at(parser, "function")) {
        FM_TRY(fm_parser_take(parser));
        FM_TRY(fm_parser_take_name(parser, name));
        FM_TRY(fm_parser_declare(parser, name, NULL, 0));
        return fm_parser_function_body(parser, &start, false);
    }
    FM_TRY(name_list(parser, name, 60, &count));
    if (fm_parser_at(parser, "=")) {
        FM_TRY(fm_parser_take(parser));
        FM_TRY(fm_parser_expression_list(parser));
    }
    return declare_all(parser, name, count);
}

static bool at_block_end(const fm_parser *parser)
{
    return parser->token.kind == FM_TOKEN_END || fm_parser_at(parser, "end") || fm_parser_at(parser, "else") ||
           fm_parser_at(parser, "elseif") || fm_parser_at(parser, "until");
}

static int return_statement(fm_parser *parser)
{
    if (!at_block_end(parser) && !fm_parser_at(parser, ";")) {
        fm_expression value;
        size_t mark = fm_parser_mark(parser);
        FM_TRY(fm_parser_expression(parser, &value));
        if (fm_parser_at(parser, ",")) {
            FM_TRY(fm_parser_take(parser));
            FM_TRY(fm_parser_expression_list(parser));
        } else if (value.kind == FM_EXPRESSION_CALL) {
            fm_parser_wrap(parser, mark, "__fm_r("); /* no tail call: an error in it has this line */
        }
    }
    if (fm_parser_at(parser, ";"))
        FM_TRY(fm_parser_take(parser));
    return at_block_end(parser) ? 0 : fm_parser_expected(parser, "the end of the block after return");
}

static int assignment(fm_parser *parser)
{
    fm_expression target;
    FM_TRY(fm_parser_suffixed(parser, &target));
    if (target.kind == FM_EXPRESSION_CALL)
        return 0;
    for (;;) {
        if (target.kind != FM_EXPRESSION_NAME && target.kind != FM_EXPRESSION_INDEX)
            return fm_parser_expected(parser, "a statement");
        if (!fm_parser_at(parser, "=") && !fm_parser_at(parser, ",")) {
            FM_TRY(fm_parser_member(parser, &target, NULL)); /* an unknown name tells more than a missing = */
            return fm_parser_expected(parser, "=");
        }
        FM_TRY(fm_parser_check_write(parser, &target));
        if (fm_parser_at(parser, "="))
            break;
        FM_TRY(fm_parser_take(parser));
        FM_TRY(fm_parser_suffixed(parser, &target));
    }
    FM_TRY(fm_parser_take(parser));
    return fm_parser_expression_list(parser);
}

static int goto_or_label(fm_parser *parser, bool label)
{
    fm_token name;
    if (!label)
        fm_parser_insert(parser, parser->token.offset, 0, "__fm_b();");
    FM_TRY(fm_parser_take(parser));
    FM_TRY(fm_parser_take_name(parser, &name));
    return label ? fm_parser_take_symbol(parser, "::") : 0;
}

static int statement(fm_parser *parser)
{
    fm_token start = parser->token;
    fm_expression condition;
    if (fm_parser_at(parser, "goto") || fm_parser_at(parser, "::"))
        return goto_or_label(parser, fm_parser_at(parser, "::"));
    if (parser->token.kind != FM_TOKEN_SYMBOL || fm_parser_at(parser, "("))
        return assignment(parser);
    FM_TRY(fm_parser_take(parser));
    if (fm_token_is(&start, "if"))
        return if_statement(parser, &start);
    if (fm_token_is(&start, "while")) {
        FM_TRY(fm_parser_expression(parser, &condition));
        return loop_body(parser, &start);
    }
    if (fm_token_is(&start, "do")) {
        FM_TRY(scoped_block(parser));
        return fm_parser_take_closing(parser, "end", &start);
    }
    if (fm_token_is(&start, "for"))
        return for_statement(parser, &start);
    if (fm_token_is(&start, "repeat"))
        return repeat_statement(parser, &start);
    if (fm_token_is(&start, "function"))
        return function_statement(parser, &start);
    if (fm_token_is(&start, "local"))
        return local_statement(parser);
    if (fm_token_is(&start, "return"))
        return return_statement(parser);
    if (fm_token_is(&start, "break"))
        return 0;
    return fm_parser_fail(parser, &start, NULL, "unexpected %.*s", (int)start.text.size, start.text.data);
}

int fm_parser_block(fm_parser *parser)
{
    FM_TRY(fm_parser_deeper(parser));
    while (!at_block_end(parser)) {
        FM_TRY(statement(parser));
        if (fm_parser_at(parser, ";"))
            FM_TRY(fm_parser_take(parser));
    }
    parser->depth--;
    return 0;
}

int fm_parser_chunk(fm_parser *parser)
{
    FM_TRY(fm_lexer_next(&parser->lexer, &parser->token));
    FM_TRY(fm_parser_block(parser));
    return parser->token.kind == FM_TOKEN_END ? 0 : fm_parser_expected(parser, "the end of the file");
}
