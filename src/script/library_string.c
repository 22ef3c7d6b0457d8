/* script/library_string.c - string.find, match, gmatch, gsub, rep, format, upper, lower, reverse under bounds. */
#include "script/library.h"

#include "script/pattern.h"
#include "script/vm.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

static const char *subject_of(lua_State *lua, int index, size_t *size)
{
    const char *text = luaL_checklstring(lua, index, size);
    if (*size > FM_LIBRARY_SUBJECT_MAX)
        luaL_argerror(lua, index, "the text is longer than 64 KiB");
    fm_library_charge(lua, *size / 64);
    return text;
}

static const char *pattern_of(lua_State *lua, int index, size_t *size)
{
    const char *text = luaL_checklstring(lua, index, size);
    if (*size > FM_LIBRARY_PATTERN_MAX)
        luaL_argerror(lua, index, "the pattern is longer than 256 bytes");
    return text;
}

static void begin(lua_State *lua, fm_pattern *match, const char *subject, size_t subject_size, const char *pattern,
                  size_t pattern_size)
{
    memset(match, 0, sizeof(*match));
    match->subject = subject;
    match->subject_end = subject + subject_size;
    match->pattern_end = pattern + pattern_size;
    match->budget = &fm_vm_of(lua)->frame.budget;
}

static const char *match_at(lua_State *lua, fm_pattern *match, const char *at, const char *pattern)
{
    match->level = match->depth = 0;
    const char *end = fm_pattern_match(match, at, pattern);
    if (match->problem)
        luaL_error(lua, "%s", match->problem); /* "budget" is told by its counter */
    return end;
}

static void push_capture(lua_State *lua, const fm_pattern *match, int index, const char *start, const char *end)
{
    if (index >= match->level) {
        if (index != 0)
            luaL_error(lua, "invalid capture index");
        lua_pushlstring(lua, start, (size_t)(end - start));
        return;
    }
    ptrdiff_t size = match->capture[index].size;
    if (size == FM_CAPTURE_OPEN)
        luaL_error(lua, "unfinished capture");
    if (size == FM_CAPTURE_POSITION)
        lua_pushinteger(lua, match->capture[index].start - match->subject + 1);
    else
        lua_pushlstring(lua, match->capture[index].start, (size_t)size);
}

/* All captures, or the whole match when there are none and `whole`. */
static int push_captures(lua_State *lua, const fm_pattern *match, const char *start, const char *end, bool whole)
{
    int count = match->level == 0 && whole ? 1 : match->level;
    luaL_checkstack(lua, count, "too many captures");
    for (int i = 0; i < count; i++)
        push_capture(lua, match, i, start, end);
    return count;
}

static size_t start_of(lua_State *lua, int index, size_t size)
{
    lua_Number from = luaL_optnumber(lua, index, 1);
    if (from < 0)
        from += (lua_Number)size + 1;
    if (!(from >= 1))
        from = 1;
    return from > (lua_Number)size + 1 ? size + 1 : (size_t)from - 1;
}

static int find_plain(lua_State *lua, const char *subject, size_t size, const char *text, size_t text_size, size_t from)
{
    const char *found = memmem(subject + from, size - from, text, text_size);
    if (!found) {
        lua_pushnil(lua);
        return 1;
    }
    lua_pushinteger(lua, found - subject + 1);
    lua_pushinteger(lua, found - subject + (ptrdiff_t)text_size);
    return 2;
}

static int find_or_match(lua_State *lua, bool find)
{
    size_t size, pattern_size;
    const char *subject = subject_of(lua, 1, &size), *pattern = pattern_of(lua, 2, &pattern_size);
    size_t from = start_of(lua, 3, size);
    if (from > size)
        from = size;
    if (find && (lua_toboolean(lua, 4) || (!memchr(pattern, 0, pattern_size) && !strpbrk(pattern, "^$*+?.([%-"))))
        return find_plain(lua, subject, size, pattern, pattern_size, from);
    fm_pattern match;
    begin(lua, &match, subject, size, pattern, pattern_size);
    bool anchored = pattern_size > 0 && *pattern == '^';
    for (const char *at = subject + from; at <= match.subject_end; at++) {
        const char *end = match_at(lua, &match, at, pattern + anchored);
        if (end && find) {
            lua_pushinteger(lua, at - subject + 1);
            lua_pushinteger(lua, end - subject);
            return 2 + push_captures(lua, &match, at, end, false);
        }
        if (end)
            return push_captures(lua, &match, at, end, true);
        if (anchored)
            break;
    }
    lua_pushnil(lua);
    return 1;
}

static int string_find(lua_State *lua)
{
    return find_or_match(lua, true);
}

static int string_match(lua_State *lua)
{
    return find_or_match(lua, false);
}

static int gmatch_next(lua_State *lua)
{
    size_t size, pattern_size;
    const char *subject = lua_tolstring(lua, lua_upvalueindex(1), &size);
    const char *pattern = lua_tolstring(lua, lua_upvalueindex(2), &pattern_size);
    fm_pattern match;
    begin(lua, &match, subject, size, pattern, pattern_size);
    for (const char *at = subject + lua_tointeger(lua, lua_upvalueindex(3)); at <= match.subject_end; at++) {
        const char *end = match_at(lua, &match, at, pattern);
        if (!end)
            continue;
        lua_pushinteger(lua, end - subject + (end == at));
        lua_replace(lua, lua_upvalueindex(3));
        return push_captures(lua, &match, at, end, true);
    }
    return 0;
}

static int string_gmatch(lua_State *lua)
{
    size_t size;
    subject_of(lua, 1, &size);
    pattern_of(lua, 2, &size);
    lua_settop(lua, 2);
    lua_pushinteger(lua, 0);
    lua_pushcclosure(lua, gmatch_next, 3);
    return 1;
}

/* The replacement text of a match: %0, %1…, %%. */
static void add_template(lua_State *lua, luaL_Buffer *buffer, const fm_pattern *match, const char *start,
                         const char *end)
{
    size_t size;
    const char *text = lua_tolstring(lua, 3, &size);
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '%') {
            luaL_addchar(buffer, text[i]);
        } else if (++i < size && text[i] >= '0' && text[i] <= '9') {
            if (text[i] == '0')
                lua_pushlstring(lua, start, (size_t)(end - start));
            else
                push_capture(lua, match, text[i] - '1', start, end);
            luaL_addvalue(buffer);
        } else if (i < size && text[i] == '%') {
            luaL_addchar(buffer, '%');
        } else {
            luaL_error(lua, "invalid use of %% in a replacement");
        }
    }
}

static void add_replacement(lua_State *lua, luaL_Buffer *buffer, const fm_pattern *match, const char *start,
                            const char *end)
{
    if (lua_type(lua, 3) == LUA_TSTRING) {
        add_template(lua, buffer, match, start, end);
        return;
    }
    if (lua_type(lua, 3) == LUA_TTABLE) {
        push_capture(lua, match, 0, start, end);
        lua_gettable(lua, 3);
    } else {
        lua_pushvalue(lua, 3);
        lua_call(lua, push_captures(lua, match, start, end, true), 1);
    }
    if (!lua_toboolean(lua, -1)) {
        lua_pop(lua, 1);
        lua_pushlstring(lua, start, (size_t)(end - start));
    } else if (!lua_isstring(lua, -1)) {
        luaL_error(lua, "a replacement must be text, not a %s", luaL_typename(lua, -1));
    }
    luaL_addvalue(buffer);
}

/* Pieces are put together in a buffer on the Lua stack; its length is bounded by bounding what goes in. */
static int string_gsub(lua_State *lua)
{
    size_t size, pattern_size, replacement_size = 0;
    const char *subject = subject_of(lua, 1, &size), *pattern = pattern_of(lua, 2, &pattern_size);
    int type = lua_type(lua, 3);
    if (type == LUA_TNUMBER || type == LUA_TSTRING)
        luaL_checklstring(lua, 3, &replacement_size);
    else if (type != LUA_TTABLE && type != LUA_TFUNCTION)
        luaL_argerror(lua, 3, "text, a table or a function is needed");
    if (replacement_size > FM_LIBRARY_PATTERN_MAX)
        luaL_argerror(lua, 3, "the replacement is longer than 256 bytes");
    lua_Number limit = luaL_optnumber(lua, 4, (lua_Number)size + 1), count = 0;
    bool anchored = pattern_size > 0 && *pattern == '^';
    fm_pattern match;
    begin(lua, &match, subject, size, pattern, pattern_size);
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    const char *at = subject;
    while (count < limit) {
        const char *end = match_at(lua, &match, at, pattern + anchored);
        if (end) {
            count++;
            fm_library_charge(lua, 1 + replacement_size / 16);
            add_replacement(lua, &buffer, &match, at, end);
        }
        if (end && end > at)
            at = end;
        else if (at < match.subject_end)
            luaL_addchar(&buffer, *at++);
        else
            break;
        if (anchored)
            break;
    }
    luaL_addlstring(&buffer, at, (size_t)(match.subject_end - at));
    luaL_pushresult(&buffer);
    lua_pushnumber(lua, count);
    return 2;
}

static int string_rep(lua_State *lua)
{
    size_t size;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_Number count = luaL_checknumber(lua, 2);
    if (!(count > 0) || size == 0) {
        lua_pushliteral(lua, "");
        return 1;
    }
    if (count * (lua_Number)size > FM_LIBRARY_SUBJECT_MAX)
        return luaL_argerror(lua, 2, "the result would be longer than 64 KiB");
    fm_library_charge(lua, (size_t)count * size / 64);
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    for (lua_Number i = 1; i <= count; i++)
        luaL_addlstring(&buffer, text, size);
    luaL_pushresult(&buffer);
    return 1;
}

/* upper, lower, reverse: upvalue 1 is LuaJIT's own. */
static int string_whole(lua_State *lua)
{
    size_t size;
    subject_of(lua, 1, &size);
    lua_settop(lua, 1);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, 1, 1);
    return 1;
}

/* LuaJIT's format (upvalue 1), without %p, and with texts for tables and functions that show no address. */
static int string_format(lua_State *lua)
{
    size_t size;
    const char *format = pattern_of(lua, 1, &size);
    int argument = 1, count = lua_gettop(lua);
    for (size_t i = 0; i + 1 < size; i++) {
        if (format[i] != '%')
            continue;
        i++;
        if (format[i] == '%')
            continue;
        i += strspn(format + i, "-+ #0123456789.");
        argument++;
        if (format[i] == 'p')
            return luaL_error(lua, "%%p is not taken in string.format");
        if (format[i] != 's' || argument > count)
            continue;
        size_t text_size;
        fm_library_push_text(lua, argument);
        lua_tolstring(lua, -1, &text_size);
        if (text_size > FM_LIBRARY_SUBJECT_MAX / 16)
            return luaL_argerror(lua, argument, "the text is longer than 4 KiB");
        lua_replace(lua, argument);
    }
    fm_library_charge(lua, size / 16);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, count, 1);
    return 1;
}

static void wrap(lua_State *lua, const char *name, lua_CFunction function)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.globals");
    lua_getfield(lua, -1, "string");
    lua_getfield(lua, -1, name);
    lua_pushcclosure(lua, function, 1);
    lua_setfield(lua, -4, name);
    lua_pop(lua, 2);
}

void fm_library_string(lua_State *lua)
{
    static const luaL_Reg functions[] = {{"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch},
                                         {"gsub", string_gsub}, {"rep", string_rep},     {NULL, NULL}};
    for (const luaL_Reg *entry = functions; entry->name; entry++) {
        lua_pushcfunction(lua, entry->func);
        lua_setfield(lua, -2, entry->name);
    }
    wrap(lua, "upper", string_whole);
    wrap(lua, "lower", string_whole);
    wrap(lua, "reverse", string_whole);
    wrap(lua, "format", string_format);
}
