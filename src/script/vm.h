/* script/vm.h - one Lua state: in memory of its own, under a cap, a budget and a deadline.
 *
 * fm_vm_call is the only way in. After FM_EDEADLINE the state is in pieces: only fm_vm_close may follow, which drops it
 * whole. */
#ifndef FM_SCRIPT_VM_H
#define FM_SCRIPT_VM_H

#include "base/slice.h"
#include "script/frame.h"
#include "script/memory.h"
#include "script/watch.h"

#include <lua.h>
#include <stdbool.h>

typedef struct fm_vm {
    fm_memory memory; /* first: an allocator's context leads back to the state */
    lua_State *lua;
    bool broken;     /* a deadline left it in pieces */
    fm_watch *watch; /* NULL = no deadline */
    fm_frame frame;
    int (*body)(lua_State *lua, void *context); /* of the protected call that runs */
    void *context;
    fm_error *error;      /* to be described */
    char error_file[256]; /* where the error handler found a rule's line */
    int error_line;
} fm_vm;

enum {                     /* kept at the bottom of the stack */
       FM_VM_ON_ERROR = 1, /* the message handler of every call */
       FM_VM_RUN_BODY,     /* calls vm->body */
       FM_VM_DESCRIBE,     /* turns an error value into vm->error */
       FM_VM_LOOPS         /* by number: the loops that host.c made */
};

/* On the heap, because the state points back into it. Everything is interpreted until fm_vm_compile says otherwise. */
int fm_vm_create(size_t memory_bytes, fm_vm **out, fm_error *error) FM_CHECKED;
void fm_vm_compile(fm_vm *vm, bool on);
void fm_vm_close(fm_vm *vm); /* NULL is fine */

/* Calls what lies on the stack as lua_pcall does (function, arguments). On failure the stack is as before the function
 * was pushed, and error says what, file, line: FM_ERULE, FM_EBUDGET, FM_ERULE_MEMORY, FM_EDEADLINE. */
int fm_vm_call(fm_vm *vm, int argument_count, int result_count, int64_t deadline_ns, fm_error *error) FM_CHECKED;

/* body(lua, context) under the same protection: for C code that builds tables, which may run out of memory. Not nested.
 */
int fm_vm_protected(fm_vm *vm, int (*body)(lua_State *lua, void *context), void *context, int64_t deadline_ns,
                    fm_error *error) FM_CHECKED;

fm_vm *fm_vm_of(lua_State *lua);

#endif
