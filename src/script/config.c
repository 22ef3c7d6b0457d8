/* script/config.c - the settings file as data.
 *
 * No names, no libraries, no text methods; interpreted, with a limit on instructions. */
#include "script/config.h"

#include "base/file.h"
#include "script/memory.h"

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSTRUCTIONS_MAX = 1000000, DEPTH_MAX = 4, NAME_MAX_SIZE = 128, VALUE_MAX_SIZE = 4096, ENTRIES_MAX = 1024 };
#define MEMORY_BYTES   (16u << 20)
#define FILE_BYTES_MAX (1u << 20)

typedef struct setting {
    char name[NAME_MAX_SIZE], *value;
} setting;

typedef struct reading {
    const char *path, *text;
    size_t size;
    fm_error *error;
    setting *setting;
    uint32_t count;
} reading;

static reading *reading_of(lua_State *lua)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.reading");
    reading *context = (reading *)lua_touserdata(lua, -1);
    lua_pop(lua, 1);
    return context;
}

static void too_long(lua_State *lua, lua_Debug *debug)
{
    lua_getinfo(lua, "l", debug);
    luaL_error(lua, "settings:%d: the file runs for more than a million instructions; it is data, not a program",
               debug->currentline);
}

static int refuse(lua_State *lua, const char *name, const char *why)
{
    return luaL_error(lua, "the setting \"%s\" %s", name[0] ? name : "(the whole file)", why);
}

/* The text of the number, boolean or string on top of the stack. */
static void put_value(lua_State *lua, const char *name, char *out, size_t size)
{
    int type = lua_type(lua, -1);
    double number = lua_tonumber(lua, -1);
    if (type == LUA_TBOOLEAN)
        snprintf(out, size, "%s", lua_toboolean(lua, -1) ? "true" : "false");
    else if (type == LUA_TNUMBER && number == floor(number) && fabs(number) < 1e15)
        snprintf(out, size, "%.0f", number);
    else if (type == LUA_TNUMBER)
        snprintf(out, size, "%.17g", number);
    else if (type != LUA_TSTRING)
        refuse(lua, name, "must be a number, text, a boolean or a list of them");
    else if (lua_objlen(lua, -1) >= size || strlen(lua_tostring(lua, -1)) != lua_objlen(lua, -1))
        refuse(lua, name, "is too long, or has a zero byte in it");
    else
        snprintf(out, size, "%s", lua_tostring(lua, -1));
}

static void add(lua_State *lua, const char *name, const char *value)
{
    reading *context = reading_of(lua);
    if (context->count == ENTRIES_MAX)
        refuse(lua, name, "is one too many");
    setting *entry = &context->setting[context->count];
    snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->value = strdup(value);
    if (!entry->value)
        luaL_error(lua, "memory is exhausted");
    context->count++;
}

/* A list such as {"a", "b"} is one setting: "a,b". */
static void add_list(lua_State *lua, const char *name)
{
    char list[VALUE_MAX_SIZE] = "";
    size_t size = 0;
    for (int i = 1; i <= (int)lua_objlen(lua, -1); i++) {
        lua_rawgeti(lua, -1, i);
        if (i > 1 && size + 1 < sizeof(list))
            list[size++] = ',';
        put_value(lua, name, list + size, sizeof(list) - size);
        size += strlen(list + size);
        lua_pop(lua, 1);
    }
    add(lua, name, list);
}

static void flatten(lua_State *lua, const char *name, int depth)
{
    if (depth > DEPTH_MAX)
        refuse(lua, name, "is nested too deeply");
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        char full[NAME_MAX_SIZE], value[VALUE_MAX_SIZE];
        if (lua_type(lua, -2) != LUA_TSTRING)
            refuse(lua, name, "has an entry without a name");
        int size = snprintf(full, sizeof(full), "%s%s%s", name, name[0] ? "." : "", lua_tostring(lua, -2));
        if (size >= (int)sizeof(full))
            refuse(lua, full, "has too long a name");
        if (!lua_istable(lua, -1)) {
            put_value(lua, full, value, sizeof(value));
            add(lua, full, value);
        } else if (lua_objlen(lua, -1) > 0) {
            add_list(lua, full);
        } else {
            flatten(lua, full, depth + 1);
        }
        lua_pop(lua, 1);
    }
}

static int read_file(lua_State *lua)
{
    reading *context = (reading *)lua_touserdata(lua, 1);
    char chunk[300];
    lua_pushlightuserdata(lua, context);
    lua_setfield(lua, LUA_REGISTRYINDEX, "fm.reading");
    snprintf(chunk, sizeof(chunk), "@%s", context->path);
    if (luaL_loadbufferx(lua, context->text, context->size, chunk, "t") != 0)
        return lua_error(lua);
    lua_newtable(lua);
    lua_setfenv(lua, -2);
    lua_sethook(lua, too_long, LUA_MASKCOUNT, INSTRUCTIONS_MAX);
    lua_call(lua, 0, 1);
    lua_sethook(lua, NULL, 0, 0);
    if (!lua_istable(lua, -1))
        return luaL_error(lua, "the file must return a table: return { net = { … } }");
    flatten(lua, "", 1);
    return 0;
}

/* "path:12: message", as Lua says it, taken apart. LuaJIT shortens a long path, so the place is looked for by its form.
 */
static int fail(lua_State *lua, const reading *context)
{
    const char *message =
        lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "the file raised an error that is no text";
    int line = 0;
    for (const char *at = strchr(message, ':'); at; at = strchr(at + 1, ':')) {
        char *end;
        long number = strtol(at + 1, &end, 10);
        if (end > at + 1 && number > 0 && strncmp(end, ": ", 2) == 0) {
            line = (int)number;
            message = end + 2;
            break;
        }
    }
    int code = fm_fail(context->error, FM_ESYNTAX, "%s", message);
    if (context->error) {
        snprintf(context->error->file, sizeof(context->error->file), "%s", context->path);
        context->error->line = line;
    }
    return code;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const setting *)a)->name, ((const setting *)b)->name);
}

static int run(reading *context)
{
    fm_memory memory;
    if (fm_memory_init(&memory, MEMORY_BYTES) < 0)
        return fm_fail(context->error, FM_ENOMEM, "could not reserve memory to read \"%s\"", context->path);
    lua_State *lua = lua_newstate(fm_memory_allocate, &memory);
    int result =
        lua ? 0 : fm_fail(context->error, FM_ENOMEM, "could not open a Lua state to read \"%s\"", context->path);
    if (result == 0) {
        luaJIT_setmode(lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF); /* a compiled loop would not see the limit */
        if (lua_cpcall(lua, read_file, context) != 0)
            result = fail(lua, context);
        lua_close(lua);
    }
    fm_memory_fini(&memory);
    return result;
}

int fm_config_read(const char *path, fm_config_visit visit, void *context, fm_error *error)
{
    char *text = NULL;
    size_t size = 0;
    int result = fm_file_read_all(&fm_file_system, path, FILE_BYTES_MAX, &text, &size);
    if (result == FM_ELIMIT)
        return fm_fail(error, result, "could not read the settings \"%s\": the file is larger than 1 MiB", path);
    if (result < 0)
        return fm_fail_errno(error, result, "could not open the settings \"%s\"", path);
    reading settings = {
        .path = path, .text = text, .size = size, .error = error, .setting = calloc(ENTRIES_MAX, sizeof(setting))};
    result = settings.setting ? run(&settings) : fm_fail(error, FM_ENOMEM, "could not read the settings \"%s\"", path);
    if (result == 0)
        qsort(settings.setting, settings.count, sizeof(setting), by_name);
    for (uint32_t i = 0; i < settings.count && result == 0; i++)
        result = visit(context, settings.setting[i].name, settings.setting[i].value, error);
    for (uint32_t i = 0; i < settings.count; i++)
        free(settings.setting[i].value);
    free(settings.setting);
    free(text);
    return result;
}
