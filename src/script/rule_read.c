/* script/rule_read.c - runs a rule file's chunk and copies the checked head into an fm_rule. */
#include "script/rule_file.h"

#include "script/library.h"

#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FILE_BUDGET = 1000000 };
#define FILE_DEADLINE_NS (2 * FM_NS_PER_S)

static bool is_plain_name(const char *name, size_t size)
{
    bool plain = size > 0 && size < FM_RULE_ID_MAX && islower((unsigned char)name[0]);
    for (size_t i = 0; i < size; i++)
        plain = plain && (islower((unsigned char)name[i]) || isdigit((unsigned char)name[i]) || name[i] == '_');
    return plain;
}

int fm_rule_path_read(const char *file, fm_rule_path *out, fm_error *error)
{
    static const char test_end[] = "_test.lua", rule_end[] = ".lua";
    memset(out, 0, sizeof(*out));
    const char *slash = strchr(file, '/');
    size_t size = strlen(file);
    out->is_test = size > sizeof(test_end) - 1 && strcmp(file + size - (sizeof(test_end) - 1), test_end) == 0;
    size_t end = out->is_test ? sizeof(test_end) - 1 : sizeof(rule_end) - 1;
    bool fits = slash && size > end && strcmp(file + size - (sizeof(rule_end) - 1), rule_end) == 0 &&
                (size_t)(slash - file) < size - end;
    size_t pack = fits ? (size_t)(slash - file) : 0, name = fits ? size - end - pack - 1 : 0;
    if (!fits || !is_plain_name(file, pack) || !is_plain_name(slash + 1, name) || pack + 1 + name > FM_RULE_ID_MAX) {
        fm_fail(error, FM_EINVAL, "\"%.150s\" is no name of a rule's file", file);
        if (error) {
            snprintf(error->file, sizeof(error->file), "%s", file);
            snprintf(error->hint, sizeof(error->hint),
                     "rules are PACK/RULE.lua, of a-z, 0-9 and _, beginning with a letter");
        }
        return FM_EINVAL;
    }
    memcpy(out->pack, file, pack);
    memcpy(out->name, slash + 1, name);
    return 0;
}

/* ---- running a chunk */

typedef struct reading {
    const char *file;
    const fm_syntax *syntax;
    fm_rule_path path;
    fm_rule *rule; /* NULL for a test file */
    char id[FM_RULE_ID_MAX + 1];
} reading;

static void get_host(lua_State *lua, const char *name)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.host");
    lua_getfield(lua, -1, name);
    lua_remove(lua, -2);
}

static void push_places(lua_State *lua, const fm_syntax *syntax)
{
    lua_newtable(lua);
    for (uint32_t i = 0; i < syntax->place_count; i++) {
        const fm_syntax_place *place = &syntax->place[i];
        lua_createtable(lua, 2, 0);
        lua_pushnumber(lua, place->line);
        lua_rawseti(lua, -2, 1);
        lua_pushnumber(lua, place->column);
        lua_rawseti(lua, -2, 2);
        lua_setfield(lua, -2, place->path);
    }
}

static void set_number(lua_State *lua, const char *name, double value)
{
    lua_pushnumber(lua, value);
    lua_setfield(lua, -2, name);
}

static void push_accesses(lua_State *lua, const fm_syntax *syntax)
{
    lua_newtable(lua);
    for (uint32_t i = 0; i < syntax->access_count; i++) {
        const fm_syntax_access *access = &syntax->access[i];
        lua_newtable(lua);
        lua_pushstring(lua, access->handler);
        lua_setfield(lua, -2, "handler");
        lua_pushstring(lua, access->field);
        lua_setfield(lua, -2, "field");
        set_number(lua, "parameter", access->parameter);
        set_number(lua, "line", access->line);
        set_number(lua, "column", access->column);
        lua_rawseti(lua, -2, (int)i + 1);
    }
}

/* The checked text as LuaJIT takes it: in the sandbox's environment, its first line's three names given by the host. */
static void run_chunk(lua_State *lua, const reading *context)
{
    char chunk[200];
    snprintf(chunk, sizeof(chunk), "@%s", context->file);
    if (luaL_loadbufferx(lua, context->syntax->text.data, context->syntax->text.size, chunk, "t") != 0)
        lua_error(lua);
    get_host(lua, "environment");
    lua_setfenv(lua, -2);
    get_host(lua, "library");
    for (int i = 1; i <= 3; i++)
        lua_rawgeti(lua, -i, i);
    lua_remove(lua, -4);
    lua_call(lua, 3, 0);
}

/* ---- the head */

static void get_text(lua_State *lua, int table, const char *name, char *out, size_t size)
{
    lua_getfield(lua, table, name);
    const char *text = lua_tostring(lua, -1);
    snprintf(out, size, "%s", text ? text : "");
    lua_pop(lua, 1);
}

static double get_number(lua_State *lua, int table, const char *name)
{
    lua_getfield(lua, table, name);
    double number = lua_tonumber(lua, -1);
    lua_pop(lua, 1);
    return number;
}

static bool get_boolean(lua_State *lua, int table, const char *name)
{
    lua_getfield(lua, table, name);
    bool value = lua_toboolean(lua, -1);
    lua_pop(lua, 1);
    return value;
}

static bool has(lua_State *lua, int table, const char *name)
{
    lua_getfield(lua, table, name);
    bool value = !lua_isnil(lua, -1);
    lua_pop(lua, 1);
    return value;
}

static int64_t get_duration(lua_State *lua, int table, const char *name)
{
    return llround(get_number(lua, table, name) * 1e9);
}

static void read_match(lua_State *lua, int head, fm_match *match)
{
    lua_getfield(lua, head, "match");
    int table = lua_gettop(lua);
    get_text(lua, table, "symbol", match->symbol, sizeof(match->symbol));
    get_text(lua, table, "class", match->class_, sizeof(match->class_));
    get_text(lua, table, "venue", match->venue, sizeof(match->venue));
    static const uint8_t kinds[] = {FM_TRADE, FM_QUOTE, FM_VALUE, FM_BAR, FM_BOOK, FM_ORDER};
    for (size_t i = 0; i < sizeof(kinds); i++)
        match->kinds |= get_boolean(lua, table, fm_kind_name(kinds[i])) ? 1u << kinds[i] : 0;
    lua_pop(lua, 1);
}

static void read_need(lua_State *lua, int table, fm_need *need)
{
    get_text(lua, table, "name", need->name, sizeof(need->name));
    need->kernel = fm_kernels[(int)get_number(lua, table, "kernel")];
    need->output = (int)get_number(lua, table, "output");
    need->gate = get_number(lua, table, "gate");
    need->hidden = get_boolean(lua, table, "hidden");
    lua_getfield(lua, table, "of_index");
    need->of_count = (uint32_t)lua_objlen(lua, -1);
    for (uint32_t i = 0; i < need->of_count; i++) {
        lua_rawgeti(lua, -1, (int)i + 1);
        need->of[i] = (int)lua_tonumber(lua, -1);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    lua_getfield(lua, table, "params");
    for (int i = 0; i < fm_kernel_field_count(need->kernel->params) && i < FM_KERNEL_PARAMS_MAX; i++) {
        lua_rawgeti(lua, -1, i + 1);
        need->params[i] = lua_tonumber(lua, -1);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

static void read_lists(lua_State *lua, int head, fm_rule *rule)
{
    lua_getfield(lua, head, "needs");
    rule->need_count = (uint32_t)lua_objlen(lua, -1);
    for (uint32_t i = 0; i < rule->need_count; i++) {
        lua_rawgeti(lua, -1, (int)i + 1);
        read_need(lua, lua_gettop(lua), &rule->needs[i]);
        lua_pop(lua, 1);
    }
    lua_getfield(lua, head, "slots");
    rule->slot_count = (uint32_t)lua_objlen(lua, -1);
    for (uint32_t i = 0; i < rule->slot_count; i++) {
        lua_rawgeti(lua, -1, (int)i + 1);
        get_text(lua, lua_gettop(lua), "name", rule->slot_name[i], sizeof(rule->slot_name[i]));
        rule->slot_preset[i] = get_number(lua, lua_gettop(lua), "preset");
        lua_pop(lua, 1);
    }
    lua_getfield(lua, head, "labels");
    rule->label_count = (uint32_t)lua_objlen(lua, -1);
    for (uint32_t i = 0; i < rule->label_count; i++) {
        lua_rawgeti(lua, -1, (int)i + 1);
        get_text(lua, lua_gettop(lua), "name", rule->label_name[i], sizeof(rule->label_name[i]));
        get_text(lua, lua_gettop(lua), "value", rule->label_value[i], sizeof(rule->label_value[i]));
        lua_pop(lua, 1);
    }
    lua_pop(lua, 3);
}

/* The line of the handler itself, as LuaJIT knows it. */
static int body_line(lua_State *lua, int head, const char *name)
{
    lua_Debug debug = {0};
    lua_getfield(lua, head, name);
    lua_getinfo(lua, ">S", &debug);
    return debug.linedefined > 0 ? debug.linedefined : 0;
}

static void read_head(lua_State *lua, int head, const reading *context, fm_rule *rule)
{
    memset(rule, 0, sizeof(*rule));
    memcpy(rule->id, context->id, sizeof(rule->id));
    snprintf(rule->file, sizeof(rule->file), "%s", context->file);
    rule->version = (uint32_t)get_number(lua, head, "version");
    rule->state_version = (uint32_t)get_number(lua, head, "state_version");
    rule->severity = (fm_severity)get_number(lua, head, "severity");
    rule->alerts_per_minute = (uint32_t)get_number(lua, head, "alerts_per_minute");
    rule->shadow = get_boolean(lua, head, "shadow");
    rule->cooldown_ns = get_duration(lua, head, "cooldown");
    rule->for_ns = get_duration(lua, head, "for_");
    rule->timer_min_ns = get_duration(lua, head, "timer_min");
    rule->has_when = has(lua, head, "when");
    rule->has_on_event = has(lua, head, "on_event");
    rule->has_on_timer = has(lua, head, "on_timer");
    rule->line = body_line(lua, head, rule->has_when ? "when" : "on_event");
    get_text(lua, head, "message", rule->message, sizeof(rule->message));
    read_match(lua, head, &rule->match);
    read_lists(lua, head, rule);
}

/* registry[table][id] = the value on top of the stack. */
static void keep(lua_State *lua, const char *table, const char *id)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, table);
    lua_insert(lua, -2);
    lua_setfield(lua, -2, id);
    lua_pop(lua, 1);
}

static int read_rule(lua_State *lua, void *argument)
{
    reading *context = argument;
    get_host(lua, "begin_file");
    lua_pushliteral(lua, "rule");
    push_places(lua, context->syntax);
    push_accesses(lua, context->syntax);
    lua_call(lua, 3, 0);
    run_chunk(lua, context);
    get_host(lua, "read_rule");
    lua_pushstring(lua, context->path.pack);
    lua_pushstring(lua, context->path.name);
    lua_call(lua, 2, 1);
    if (context->rule)
        read_head(lua, lua_gettop(lua), context, context->rule);
    keep(lua, "fm.heads", context->id);
    return 0;
}

static int read_tests(lua_State *lua, void *argument)
{
    reading *context = argument;
    get_host(lua, "begin_tests");
    lua_call(lua, 0, 0);
    run_chunk(lua, context);
    get_host(lua, "read_tests");
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.heads");
    lua_getfield(lua, -1, context->id);
    lua_remove(lua, -2);
    lua_call(lua, 1, 1);
    keep(lua, "fm.tests", context->id);
    return 0;
}

static int run_reading(fm_vm *vm, int (*body)(lua_State *lua, void *context), reading *context, fm_error *error)
{
    FM_TRY(fm_rule_path_read(context->file, &context->path, error));
    size_t pack = strlen(context->path.pack);
    memcpy(context->id, context->path.pack, pack);
    context->id[pack] = '/';
    strcpy(context->id + pack + 1, context->path.name); /* together they fit: fm_rule_path_read */
    vm->frame.budget = vm->frame.budget_preset = FILE_BUDGET;
    int result = fm_vm_protected(vm, body, context, FILE_DEADLINE_NS, error);
    if (result < 0 && error && !error->file[0])
        snprintf(error->file, sizeof(error->file), "%s", context->file);
    return result;
}

int fm_rule_file_read(fm_vm *vm, const char *file, const fm_syntax *syntax, fm_rule *rule, fm_error *error)
{
    reading context = {.file = file, .syntax = syntax, .rule = rule};
    return run_reading(vm, read_rule, &context, error);
}

int fm_test_file_read(fm_vm *vm, const char *file, const fm_syntax *syntax, fm_error *error)
{
    reading context = {.file = file, .syntax = syntax};
    return run_reading(vm, read_tests, &context, error);
}
