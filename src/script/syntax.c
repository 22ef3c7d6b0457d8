/* script/syntax.c - what names mean, what may be written, and the text with the checks in it. */
#include "script/syntax.h"

#include "script/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "local __fm_b,__fm_len,__fm_r=...;";

/* Edits to make one of the other: insertions, deletions, replacements, swaps of neighbours. Names are short. */
static unsigned distance_of(const char *a, const char *b)
{
    enum { MAX = 48 };
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size >= MAX || b_size >= MAX)
        return MAX;
    unsigned row[3][MAX];
    for (size_t j = 0; j <= b_size; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            unsigned best = before[j - 1] + (a[i - 1] != b[j - 1]);
            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && earlier[j - 2] + 1 < best)
                best = earlier[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[a_size % 3][b_size];
}

const char *fm_nearest(const char *name, const char *const *candidates)
{
    const char *best = NULL;
    unsigned best_distance = (unsigned)strlen(name) / 3 + 2;
    for (; *candidates; candidates++) {
        unsigned distance = distance_of(name, *candidates);
        if (distance < best_distance) {
            best = *candidates;
            best_distance = distance;
        }
    }
    return best;
}

static void *grown(void *array, uint32_t *capacity, uint32_t count, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 32;
    void *larger = realloc(array, *capacity * size);
    if (!larger)
        abort();
    return larger;
}

int fm_parser_fail(fm_parser *parser, const fm_token *at, const char *hint, const char *format, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    return fm_lexer_fail(parser->error, parser->lexer.file, at->line, at->column, hint, "%s", message);
}

int fm_parser_take(fm_parser *parser)
{
    parser->previous_end = parser->token.offset + (uint32_t)parser->token.text.size;
    if (parser->has_ahead) {
        parser->token = parser->ahead;
        parser->has_ahead = false;
        return 0;
    }
    return fm_lexer_next(&parser->lexer, &parser->token);
}

void fm_parser_insert(fm_parser *parser, uint32_t offset, uint32_t skip, const char *text)
{
    fm_text_add(&parser->out->text, parser->lexer.source.data + parser->copied, offset - parser->copied);
    fm_text_put(&parser->out->text, text);
    parser->copied = offset + skip;
}

size_t fm_parser_mark(fm_parser *parser)
{
    fm_parser_insert(parser, parser->token.offset, 0, "");
    return parser->out->text.size;
}

void fm_parser_wrap(fm_parser *parser, size_t mark, const char *opening)
{
    fm_text *text = &parser->out->text;
    size_t size = strlen(opening);
    fm_parser_insert(parser, parser->previous_end, 0, ")");
    fm_text_put(text, opening); /* makes room */
    memmove(text->data + mark + size, text->data + mark, text->size - size - mark);
    memcpy(text->data + mark, opening, size);
}

int fm_parser_declare(fm_parser *parser, const fm_token *name, const char *handler, int parameter)
{
    if (name->text.size >= 5 && memcmp(name->text.data, "__fm_", 5) == 0)
        return fm_parser_fail(parser, name, "choose another name", "names that begin with __fm_ are the host's");
    parser->variable =
        grown(parser->variable, &parser->variable_capacity, parser->variable_count, sizeof(*parser->variable));
    parser->variable[parser->variable_count++] = (fm_variable){name->text, parser->function, handler, parameter};
    return 0;
}

static bool has_name(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static int unknown_name(fm_parser *parser, const fm_token *at, const char *name)
{
    const char *nearest = fm_nearest(name, parser->names);
    char hint[128] = "declare it with local";
    if (nearest)
        snprintf(hint, sizeof(hint), "did you mean %s?", nearest);
    return fm_parser_fail(parser, at, hint, "unknown name \"%s\"", name);
}

int fm_parser_resolve(fm_parser *parser, const fm_token *name, fm_expression *out)
{
    *out = (fm_expression){.kind = FM_EXPRESSION_NAME, .scope = FM_SCOPE_GLOBAL, .name = *name};
    for (uint32_t i = parser->variable_count; i-- > 0;) {
        const fm_variable *variable = &parser->variable[i];
        if (!fm_slice_equal(variable->name, name->text))
            continue;
        out->scope = variable->function == parser->function ? FM_SCOPE_LOCAL : FM_SCOPE_OUTSIDE;
        out->of_file = out->scope == FM_SCOPE_OUTSIDE && variable->function == 0;
        out->handler = variable->handler;
        out->parameter = variable->parameter;
        return 0;
    }
    return 0;
}

/* Called when the name turns out to be read (or called, or indexed) and not declared. */
static int check_global(fm_parser *parser, const fm_token *name)
{
    char text[64];
    if (!fm_slice_copy(name->text, text, sizeof(text)))
        return fm_parser_fail(parser, name, NULL, "a name is longer than 63 bytes");
    if (!has_name(parser->names, text))
        return unknown_name(parser, name, text);
    return 0;
}

int fm_parser_member(fm_parser *parser, const fm_expression *base, const fm_token *member)
{
    if (base->kind != FM_EXPRESSION_NAME)
        return 0;
    if (base->scope == FM_SCOPE_GLOBAL) {
        FM_TRY(check_global(parser, &base->name));
        if (!member)
            return 0;
        char library[64], full[160];
        fm_slice_copy(base->name.text, library, sizeof(library));
        size_t size = (size_t)snprintf(full, sizeof(full), "%s.", library);
        bool is_library = false;
        for (const char *const *name = parser->names; *name && !is_library; name++)
            is_library = strncmp(*name, full, size) == 0;
        snprintf(full + size, sizeof(full) - size, "%.*s", (int)(member->text.size < 64 ? member->text.size : 64),
                 member->text.data);
        return is_library && !has_name(parser->names, full) ? unknown_name(parser, member, full) : 0;
    }
    if (base->handler && member) {
        fm_syntax *out = parser->out;
        out->access = grown(out->access, &out->access_capacity, out->access_count, sizeof(*out->access));
        fm_syntax_access *access = &out->access[out->access_count++];
        *access = (fm_syntax_access){.parameter = base->parameter, .line = member->line, .column = member->column};
        snprintf(access->handler, sizeof(access->handler), "%s", base->handler);
        fm_slice_copy(member->text, access->field, sizeof(access->field));
    }
    return 0;
}

int fm_parser_check_write(fm_parser *parser, const fm_expression *target)
{
    const fm_token *name = &target->name;
    int size = (int)(name->text.size < 64 ? name->text.size : 64);
    if (target->kind == FM_EXPRESSION_NAME && target->scope == FM_SCOPE_GLOBAL)
        return fm_parser_fail(parser, name,
                              "write local before it; what must outlive a call is declared: state = { name = 0 }",
                              "cannot write the global \"%.*s\"", size, name->text.data);
    if (target->kind == FM_EXPRESSION_NAME && target->scope == FM_SCOPE_OUTSIDE)
        return fm_parser_fail(parser, name, "declare it: state = { name = 0 }, and write s.name",
                              "cannot write \"%.*s\": it is a variable outside this function", size, name->text.data);
    if (target->kind == FM_EXPRESSION_INDEX && (target->scope == FM_SCOPE_GLOBAL || target->of_file))
        return fm_parser_fail(parser, name, "build the table where the file is read, or keep numbers in state = { … }",
                              "cannot write into \"%.*s\": tables are frozen once the file is read", size,
                              name->text.data);
    return 0;
}

void fm_parser_place(fm_parser *parser, const fm_token *at)
{
    fm_syntax *out = parser->out;
    for (uint32_t i = 0; i < out->place_count; i++)
        if (strcmp(out->place[i].path, parser->path) == 0)
            return;
    out->place = grown(out->place, &out->place_capacity, out->place_count, sizeof(*out->place));
    fm_syntax_place *place = &out->place[out->place_count++];
    snprintf(place->path, sizeof(place->path), "%s", parser->path);
    place->line = at->line;
    place->column = at->column;
}

int fm_syntax_read(const char *file, fm_slice source, const char *const *names, fm_syntax *out, fm_error *error)
{
    *out = (fm_syntax){0};
    if (source.size > FM_SYNTAX_BYTES_MAX)
        return fm_lexer_fail(error, file, 0, 0, "split it", "the file is larger than %u KiB",
                             FM_SYNTAX_BYTES_MAX >> 10);
    fm_parser parser = {.names = names, .out = out, .error = error};
    fm_lexer_init(&parser.lexer, file, source, error);
    parser.copied = parser.lexer.at;
    fm_text_put(&out->text, prefix);
    int result = fm_parser_chunk(&parser);
    free(parser.variable);
    if (result < 0) {
        fm_syntax_fini(out);
        return result;
    }
    fm_parser_insert(&parser, (uint32_t)source.size, 0, "");
    return 0;
}

void fm_syntax_fini(fm_syntax *syntax)
{
    fm_text_fini(&syntax->text);
    free(syntax->place);
    free(syntax->access);
    *syntax = (fm_syntax){0};
}
