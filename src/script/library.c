/* script/library.c - what the host's Lua gets from C. */
#include "script/library.h"

#include "base/fmath.h"
#include "script/syntax.h"
#include "script/vm.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#define COMMON_NAMES                                                                                                   \
    "assert", "error", "ipairs", "next", "pairs", "select", "tonumber", "tostring", "type", "unpack", "math",          \
        "math.abs", "math.ceil", "math.exp", "math.exp2", "math.floor", "math.fmod", "math.huge", "math.log",          \
        "math.log10", "math.log2", "math.max", "math.min", "math.modf", "math.pi", "math.pow", "math.sqrt", "string",  \
        "string.byte", "string.char", "string.find", "string.format", "string.gmatch", "string.gsub", "string.len",    \
        "string.lower", "string.match", "string.rep", "string.reverse", "string.sub", "string.upper", "table",         \
        "table.concat", "table.insert", "table.remove", "table.sort", "bit", "bit.arshift", "bit.band", "bit.bnot",    \
        "bit.bor", "bit.bxor", "bit.lshift", "bit.rol", "bit.ror", "bit.rshift", "bit.tobit"

const char *const fm_rule_names[] = {COMMON_NAMES, "rule", "feature", "detector", NULL};
const char *const fm_test_names[] = {COMMON_NAMES, "test", NULL};

void fm_library_charge(lua_State *lua, size_t cost)
{
    int32_t *budget = &fm_vm_of(lua)->frame.budget;
    *budget -= cost < INT32_MAX / 2 ? (int32_t)cost : INT32_MAX / 2;
    if (*budget < 0)
        luaL_error(lua, "budget");
}

static int charge(lua_State *lua)
{
    lua_Number cost = luaL_checknumber(lua, 1);
    fm_library_charge(lua, cost > 0 ? (size_t)cost : 0);
    return 0;
}

void fm_library_push_text(lua_State *lua, int index)
{
    switch (lua_type(lua, index)) {
    case LUA_TSTRING:
        lua_pushvalue(lua, index);
        break;
    case LUA_TNUMBER: /* LuaJIT's own form of a number, without touching the value itself */
        lua_pushvalue(lua, index);
        lua_tolstring(lua, -1, NULL);
        break;
    case LUA_TBOOLEAN:
        lua_pushstring(lua, lua_toboolean(lua, index) ? "true" : "false");
        break;
    default:
        lua_pushstring(lua, lua_type(lua, index) > LUA_TTHREAD ? "record" : luaL_typename(lua, index));
    }
}

static int text(lua_State *lua)
{
    luaL_checkany(lua, 1);
    fm_library_push_text(lua, 1);
    return 1;
}

/* The line of the innermost function that comes from a file, or 0. */
static int line(lua_State *lua)
{
    lua_Debug debug;
    int found = 0;
    for (int level = 1; found == 0 && lua_getstack(lua, level, &debug); level++)
        if (lua_getinfo(lua, "Sl", &debug) && debug.source[0] == '@')
            found = debug.currentline;
    lua_pushinteger(lua, found);
    return 1;
}

static int nearest(lua_State *lua) /* (name, list) -> name or nil */
{
    enum { CANDIDATES_MAX = 256 };
    const char *candidate[CANDIDATES_MAX + 1];
    size_t count = 0;
    for (size_t i = 1; i <= lua_objlen(lua, 2) && count < CANDIDATES_MAX; i++) {
        lua_rawgeti(lua, 2, (int)i);
        if (lua_type(lua, -1) == LUA_TSTRING)
            candidate[count++] = lua_tostring(lua, -1); /* kept alive by the list */
        lua_pop(lua, 1);
    }
    candidate[count] = NULL;
    const char *found = fm_nearest(luaL_checkstring(lua, 1), candidate);
    if (!found)
        return 0;
    lua_pushstring(lua, found);
    return 1;
}

/* (function, seal): each upvalue v of the function becomes seal(v). */
static int seal_upvalues(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TFUNCTION);
    if (lua_iscfunction(lua, 1))
        return 0;
    for (int i = 1; lua_getupvalue(lua, 1, i); i++) {
        lua_pushvalue(lua, 2);
        lua_insert(lua, -2);
        lua_call(lua, 1, 1);
        lua_setupvalue(lua, 1, i);
    }
    return 0;
}

static int ctx_timer(lua_State *lua) /* ctx.timer(seconds) */
{
    lua_Number seconds = luaL_checknumber(lua, 1);
    fm_frame *frame = &fm_vm_of(lua)->frame;
    fm_rule_call *call = frame->call;
    if (!(seconds > 0 && seconds <= 366.0 * 86400))
        return luaL_error(lua, "a timer needs a number of seconds above 0 and below a year");
    uint32_t row = (uint32_t)frame->done;
    if (call->timer_count > 0 && call->timer_ask[call->timer_count - 1].row == row)
        call->timer_count--; /* the last one of a row stands */
    if (call->timer_count >= call->timer_max) {
        frame->full = 1;
        return luaL_error(lua, "no room for another timer");
    }
    call->timer_ask[call->timer_count++] = (fm_timer_ask){row, call->event[row]->ts_ns + (int64_t)(seconds * 1e9)};
    return 0;
}

/* alert(severity number or nil, score or nil, key or nil): what lua/fm/runner.lua made of ctx.alert{…}. */
static int ctx_alert(lua_State *lua)
{
    fm_frame *frame = &fm_vm_of(lua)->frame;
    fm_rule_call *call = frame->call;
    uint32_t row = (uint32_t)frame->done, in_row = 0;
    while (in_row < call->emit_count && call->emit[call->emit_count - 1 - in_row].row == row)
        in_row++;
    if (in_row >= FM_RULE_ROW_EMITS_MAX)
        return luaL_error(lua, "more than %d alerts on one record", FM_RULE_ROW_EMITS_MAX);
    if (call->emit_count >= call->emit_max) {
        frame->full = 1;
        return luaL_error(lua, "no room for another alert");
    }
    fm_rule_emit emit = {.row = row, .severity = UINT32_MAX, .score = NAN};
    if (!lua_isnoneornil(lua, 1))
        emit.severity = (uint32_t)lua_tonumber(lua, 1);
    if (!lua_isnoneornil(lua, 2))
        emit.score = lua_tonumber(lua, 2);
    size_t size = 0;
    const char *key = lua_isnoneornil(lua, 3) ? "" : lua_tolstring(lua, 3, &size);
    if (size >= sizeof(emit.key))
        return luaL_error(lua, "an alert's key is longer than %d bytes", (int)sizeof(emit.key) - 1);
    for (size_t i = 0; i < size; i++)
        if (key[i] < 33 || key[i] > 126)
            return luaL_error(lua, "an alert's key may only have printable ASCII characters without spaces");
    memcpy(emit.key, key, size);
    call->emit[call->emit_count++] = emit;
    return 0;
}

static void put_address(lua_State *lua, const char *name, const void *address)
{
    lua_pushnumber(lua, (lua_Number)(uintptr_t)address); /* user addresses have 47 bits; the host's Lua casts them */
    lua_setfield(lua, -2, name);
}

static void put_names(lua_State *lua)
{
    lua_newtable(lua);
    for (int i = 0; fm_rule_names[i]; i++) {
        lua_pushstring(lua, fm_rule_names[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, "names");
}

void fm_library_native(lua_State *lua)
{
    put_names(lua);
    static const luaL_Reg functions[] = {{"tostring", text},
                                         {"nearest", nearest},
                                         {"line", line},
                                         {"charge", charge},
                                         {"seal_upvalues", seal_upvalues},
                                         {"timer", ctx_timer},
                                         {"alert", ctx_alert},
                                         {NULL, NULL}};
    for (const luaL_Reg *entry = functions; entry->name; entry++) {
        lua_pushcfunction(lua, entry->func);
        lua_setfield(lua, -2, entry->name);
    }
    put_address(lua, "exp", (const void *)(uintptr_t)fm_exp);
    put_address(lua, "exp2", (const void *)(uintptr_t)fm_exp2);
    put_address(lua, "log", (const void *)(uintptr_t)fm_log);
    put_address(lua, "log2", (const void *)(uintptr_t)fm_log2);
    put_address(lua, "pow", (const void *)(uintptr_t)fm_pow);
    put_address(lua, "begin_row", (const void *)(uintptr_t)fm_frame_begin);
    put_address(lua, "end_row", (const void *)(uintptr_t)fm_frame_end);
    put_address(lua, "frame", &fm_vm_of(lua)->frame);
}

static void put_field(lua_State *lua, const fm_field *field)
{
    lua_newtable(lua);
    lua_pushstring(lua, field->name);
    lua_setfield(lua, -2, "name");
    lua_pushstring(lua, field->unit ? field->unit : "");
    lua_setfield(lua, -2, "unit");
    lua_pushstring(lua, field->help ? field->help : "");
    lua_setfield(lua, -2, "help");
    lua_pushnumber(lua, field->low);
    lua_setfield(lua, -2, "low");
    lua_pushnumber(lua, field->high);
    lua_setfield(lua, -2, "high");
    lua_pushnumber(lua, field->preset);
    lua_setfield(lua, -2, "preset");
}

/* How many series `of` may name: inputs "x", "x2" … */
static int series_taken(const fm_kernel *kernel)
{
    int count = fm_kernel_field_index(kernel->inputs, "x") >= 0;
    for (char name[] = "x2"; count > 0 && fm_kernel_field_index(kernel->inputs, name) >= 0; name[1]++)
        count++;
    return count;
}

static void put_kernel(lua_State *lua, const fm_kernel *kernel, int index)
{
    lua_newtable(lua);
    lua_pushstring(lua, kernel->name);
    lua_setfield(lua, -2, "name");
    lua_pushnumber(lua, index);
    lua_setfield(lua, -2, "index");
    lua_pushnumber(lua, series_taken(kernel));
    lua_setfield(lua, -2, "series");
    lua_newtable(lua);
    for (int i = 0; i < fm_kernel_field_count(kernel->params); i++) {
        put_field(lua, &kernel->params[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, "params");
    lua_newtable(lua);
    for (int i = 0; i < fm_kernel_field_count(kernel->outputs); i++) {
        lua_pushstring(lua, kernel->outputs[i].name);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, "outputs");
    lua_setfield(lua, -2, kernel->name);
}

void fm_library_kernels(lua_State *lua)
{
    lua_newtable(lua);
    for (int kind = FM_KERNEL_FEATURE; kind <= FM_KERNEL_DETECTOR; kind++) {
        lua_newtable(lua);
        for (int i = 0; fm_kernels[i]; i++)
            if (fm_kernels[i]->kind == (fm_kernel_kind)kind)
                put_kernel(lua, fm_kernels[i], i);
        lua_setfield(lua, -2, kind == FM_KERNEL_FEATURE ? "feature" : "detector");
    }
    lua_setfield(lua, -2, "kernels");
}
