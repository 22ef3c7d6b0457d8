/* script/vm.c - opening, calling and dropping a Lua state. */
#include "script/vm.h"

#include "base/assert.h"
#include "script/embedded.h"
#include "script/library.h"

#include <lauxlib.h>
#include <luajit.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_ROOM = 1024 };
#define OPEN_DEADLINE_NS (2 * FM_NS_PER_S)

fm_vm *fm_vm_of(lua_State *lua)
{
    void *context;
    lua_getallocf(lua, &context);
    return context;
}

/* The line of the innermost function that comes from a file (its chunk name begins with '@'); host code is named "=…".
 */
static void find_line(lua_State *lua, fm_vm *vm)
{
    lua_Debug debug;
    for (int level = 0; lua_getstack(lua, level, &debug); level++) {
        if (!lua_getinfo(lua, "Sl", &debug) || debug.source[0] != '@' || debug.currentline <= 0)
            continue;
        snprintf(vm->error_file, sizeof(vm->error_file), "%s", debug.source + 1);
        vm->error_line = debug.currentline;
        return;
    }
}

static int on_error(lua_State *lua)
{
    fm_vm *vm = fm_vm_of(lua);
    if (vm->error_line == 0)
        find_line(lua, vm);
    return 1;
}

static int on_panic(lua_State *lua)
{
    (void)lua;
    fm_assert_failed("Lua raised an error outside a protected call", __FILE__, __LINE__);
}

/* Text field of the error table on top of the stack. */
static void get_text(lua_State *lua, const char *name, char *out, size_t size)
{
    lua_getfield(lua, -1, name);
    if (lua_type(lua, -1) == LUA_TSTRING)
        snprintf(out, size, "%s", lua_tostring(lua, -1));
    lua_pop(lua, 1);
}

static int get_number(lua_State *lua, const char *name, int otherwise)
{
    lua_getfield(lua, -1, name);
    int number = lua_type(lua, -1) == LUA_TNUMBER ? (int)lua_tonumber(lua, -1) : otherwise;
    lua_pop(lua, 1);
    return number;
}

/* LuaJIT puts "file:line: " before messages, its file name shortened; the file and line are known in full, so it goes.
 */
static const char *without_place(const char *message, int line)
{
    char mark[32];
    snprintf(mark, sizeof(mark), ":%d: ", line);
    const char *found = strstr(message, mark);
    if (line <= 0 || !found || found - message > LUA_IDSIZE + 8)
        return message;
    return found + strlen(mark);
}

static int describe(lua_State *lua) /* (error value) */
{
    fm_vm *vm = fm_vm_of(lua);
    fm_error *error = vm->error;
    if (lua_type(lua, 1) == LUA_TSTRING) {
        snprintf(error->message, sizeof(error->message), "%s", without_place(lua_tostring(lua, 1), error->line));
    } else if (lua_type(lua, 1) == LUA_TTABLE) {
        get_text(lua, "message", error->message, sizeof(error->message));
        get_text(lua, "hint", error->hint, sizeof(error->hint));
        get_text(lua, "file", error->file, sizeof(error->file));
        error->line = get_number(lua, "line", error->line);
        error->column = get_number(lua, "column", 0);
    }
    if (!error->message[0])
        snprintf(error->message, sizeof(error->message), "raised an error value that is no text (%s)",
                 luaL_typename(lua, 1));
    return 0;
}

/* The error value is on top of the stack and leaves it. Nothing here allocates outside a protected call: the state may
 * be full. */
static int fail(fm_vm *vm, int status, fm_error *error)
{
    fm_error own;
    error = error ? error : &own;
    memset(error, 0, sizeof(*error));
    snprintf(error->file, sizeof(error->file), "%s", vm->error_file);
    error->line = vm->error_line;
    error->code = FM_ERULE;
    if (vm->frame.budget < 0) {
        error->code = FM_EBUDGET;
        snprintf(error->message, sizeof(error->message), "used up its budget of %d steps for one record",
                 vm->frame.budget_preset);
        snprintf(error->hint, sizeof(error->hint), "bound the loop, the recursion or the pattern");
        lua_pop(vm->lua, 1);
    } else if (status == LUA_ERRMEM) {
        error->code = FM_ERULE_MEMORY;
        snprintf(error->message, sizeof(error->message), "used up its memory of %zu MiB", vm->memory.limit >> 20);
        lua_pop(vm->lua, 1);
    } else {
        vm->error = error;
        lua_pushvalue(vm->lua, FM_VM_DESCRIBE);
        lua_insert(vm->lua, -2);
        if (lua_pcall(vm->lua, 1, 0, 0) != 0) {
            lua_pop(vm->lua, 1);
            snprintf(error->message, sizeof(error->message), "raised an error whose text does not fit into its memory");
        }
    }
    return error->code;
}

int fm_vm_call(fm_vm *vm, int argument_count, int result_count, int64_t deadline_ns, fm_error *error)
{
    FM_ASSERT(!vm->broken);
    vm->error_line = 0;
    vm->error_file[0] = '\0';
    vm->memory.refused = false;
    vm->memory.peak = vm->memory.live;
    int status;
    if (!vm->watch) {
        status = lua_pcall(vm->lua, argument_count, result_count, FM_VM_ON_ERROR);
    } else if (sigsetjmp(vm->watch->jump, 0) == 0) {
        fm_watch_enter(vm->watch, deadline_ns);
        status = lua_pcall(vm->lua, argument_count, result_count, FM_VM_ON_ERROR);
        fm_watch_leave(vm->watch);
    } else {
        vm->broken = true;
        return fm_fail(error, FM_EDEADLINE, "ran longer than its deadline of %lld ms",
                       (long long)(deadline_ns / FM_NS_PER_MS));
    }
    return status == 0 ? 0 : fail(vm, status, error);
}

static int run_body(lua_State *lua)
{
    fm_vm *vm = fm_vm_of(lua);
    return vm->body(lua, vm->context);
}

int fm_vm_protected(fm_vm *vm, int (*body)(lua_State *lua, void *context), void *context, int64_t deadline_ns,
                    fm_error *error)
{
    vm->body = body;
    vm->context = context;
    lua_pushvalue(vm->lua, FM_VM_RUN_BODY);
    return fm_vm_call(vm, 0, 0, deadline_ns, error);
}

static int load_module(lua_State *lua, const char *name)
{
    for (const fm_embedded *file = fm_embedded_lua; file->name; file++) {
        if (strcmp(file->name, name) != 0)
            continue;
        char chunk[64];
        snprintf(chunk, sizeof(chunk), "=fm.%s", name);
        if (luaL_loadbufferx(lua, file->text, file->size, chunk, "t") != 0)
            return lua_error(lua);
        lua_getfield(lua, LUA_REGISTRYINDEX, "fm.globals");
        lua_setfenv(lua, -2);
        return 1;
    }
    return luaL_error(lua, "the host has no Lua file \"%s\"", name);
}

static int load_embedded(lua_State *lua) /* (name) -> chunk */
{
    return load_module(lua, luaL_checkstring(lua, 1));
}

/* The host's own files see LuaJIT's globals in a table of their own; nothing stays in the one that a chunk gets by
 * itself. */
static void move_globals(lua_State *lua)
{
    lua_newtable(lua);
    lua_pushvalue(lua, LUA_GLOBALSINDEX);
    lua_pushnil(lua);
    while (lua_next(lua, -2)) {
        lua_pushvalue(lua, -2);
        lua_insert(lua, -2);
        lua_rawset(lua, -5);
        lua_pushvalue(lua, -1);
        lua_pushnil(lua);
        lua_rawset(lua, -4);
    }
    lua_pop(lua, 1);
    lua_setfield(lua, LUA_REGISTRYINDEX, "fm.globals");
}

/* Opens the libraries, then runs lua/fm/host.lua(native), which returns the host's table and leaves nothing global
 * behind. */
static int open_host(lua_State *lua, void *unused)
{
    (void)unused;
    luaL_openlibs(lua); /* which also turns the compiler on */
    fm_vm_compile(fm_vm_of(lua), false);
    move_globals(lua);
    load_module(lua, "host");
    lua_newtable(lua);
    fm_library_string(lua);
    fm_library_native(lua);
    fm_library_kernels(lua);
    lua_pushcfunction(lua, load_embedded);
    lua_setfield(lua, -2, "load");
    lua_pushstring(lua, fm_frame_cdef);
    lua_setfield(lua, -2, "cdef");
    lua_pushnumber(lua, sizeof(fm_frame));
    lua_setfield(lua, -2, "frame_size");
    lua_pushnumber(lua, sizeof(fm_event_view));
    lua_setfield(lua, -2, "event_size");
    lua_call(lua, 1, 1);
    lua_setfield(lua, LUA_REGISTRYINDEX, "fm.host");
    lua_newtable(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, "fm.heads");
    lua_newtable(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, "fm.tests");
    lua_createtable(lua, FM_RULES_MAX, 0);
    lua_setfield(lua, LUA_REGISTRYINDEX, "fm.loops");
    return 0;
}

void fm_vm_compile(fm_vm *vm, bool on)
{
    luaJIT_setmode(vm->lua, 0, LUAJIT_MODE_ENGINE | (on ? LUAJIT_MODE_ON : LUAJIT_MODE_OFF));
}

int fm_vm_create(size_t memory_bytes, fm_vm **out, fm_error *error)
{
    fm_vm *vm = calloc(1, sizeof(*vm));
    if (!vm || fm_memory_init(&vm->memory, memory_bytes) < 0) {
        free(vm);
        return fm_fail(error, FM_ENOMEM, "could not reserve memory for a Lua state");
    }
    vm->lua = lua_newstate(fm_memory_allocate, vm);
    if (!vm->lua) {
        fm_vm_close(vm);
        return fm_fail(error, FM_ENOMEM, "could not open a Lua state in %zu bytes", memory_bytes);
    }
    lua_atpanic(vm->lua, on_panic);
    vm->frame.budget_preset = vm->frame.budget = INT32_MAX;
    if (!lua_checkstack(vm->lua, STACK_ROOM)) {
        fm_vm_close(vm);
        return fm_fail(error, FM_ENOMEM, "could not open a Lua state in %zu bytes", memory_bytes);
    }
    lua_pushcfunction(vm->lua, on_error);
    lua_pushcfunction(vm->lua, run_body);
    lua_pushcfunction(vm->lua, describe);
    int result = fm_vm_protected(vm, open_host, NULL, OPEN_DEADLINE_NS, error);
    if (result < 0) {
        fm_vm_close(vm);
        return result;
    }
    lua_getfield(vm->lua, LUA_REGISTRYINDEX, "fm.loops");
    FM_ASSERT(lua_gettop(vm->lua) == FM_VM_LOOPS);
    *out = vm;
    return 0;
}

void fm_vm_close(fm_vm *vm)
{
    if (!vm)
        return;
    if (vm->lua && !vm->broken)
        lua_close(vm->lua);
    fm_memory_fini(&vm->memory);
    free(vm);
}
