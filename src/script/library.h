/* script/library.h - the C half of what rules may call: strings with bounds and a price, text without addresses, fmath.
 *
 * Every function whose time grows with its arguments charges the budget of the row that runs, so that no single call is
 * free. */
#ifndef FM_SCRIPT_LIBRARY_H
#define FM_SCRIPT_LIBRARY_H

#include <lua.h>
#include <stddef.h>

#define FM_LIBRARY_SUBJECT_MAX 65536 /* bytes of a text that is searched or made */
#define FM_LIBRARY_PATTERN_MAX 256

/* All of these add functions to the table on top of the stack; lua/fm/sandbox.lua hands them out. */
void fm_library_string(lua_State *lua);
void fm_library_native(lua_State *lua); /* tostring, nearest, charge, seal, fmath's addresses, alert, timer */

void fm_library_kernels(lua_State *lua); /* kernels = {feature = {name = …}, detector = …}: the descriptors that heads
                                            are checked against */

extern const char
    *const fm_rule_names[]; /* every global name of a rule file, "library.member" included; NULL ends it */
extern const char *const fm_test_names[]; /* of a test file */

/* Takes `cost` from the budget; raises when it is used up. */
void fm_library_charge(lua_State *lua, size_t cost);

/* Pushes a text for the value at `index` that shows no address. */
void fm_library_push_text(lua_State *lua, int index);

#endif
