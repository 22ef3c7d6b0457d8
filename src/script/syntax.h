/* script/syntax.h - reads Lua text before LuaJIT does: refuses what a rule may not say, and adds the budget checks.
 *
 * A recursive-descent parser of Lua 5.1 (with goto) that resolves every name. It is stricter than LuaJIT wherever the
 * two could read a text differently (bytes beyond ASCII outside strings, 64-bit and imaginary literals, `goto` as a
 * name), so nothing that runs has gone unseen. It refuses
 *   - names that the sandbox does not have, with the nearest one that it has,
 *   - writes to globals and to variables outside the function (state that outlives a call is declared: `state`,
 * s.name),
 *   - writes into tables of the file's own variables from within a function (they are frozen once the file is read),
 *   - `^`, whose bits differ between interpreted and compiled code (math.pow has one result).
 * It adds, without moving a line: a budget check at the start of each function and loop body and before each goto, a
 * call for `#`, so that frozen tables have a length, and one around what `return f()` calls, so that it is no tail call
 * and an error in it has its line. */
#ifndef FM_SCRIPT_SYNTAX_H
#define FM_SCRIPT_SYNTAX_H

#include "base/error.h"
#include "base/slice.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define FM_SYNTAX_PATH_MAX  128
#define FM_SYNTAX_BYTES_MAX (256u << 10)

/* Where a field of a table constructor stands: "severity", "needs.move", "needs.move.half_life". The first of equal
 * paths counts. */
typedef struct fm_syntax_place {
    char path[FM_SYNTAX_PATH_MAX];
    int line, column;
} fm_syntax_place;

/* A field read or written through a parameter of a handler: when = function(f, p) … f.move … gives {"when", 0, "move"}.
 */
typedef struct fm_syntax_access {
    char handler[16];
    int parameter; /* from 0 */
    char field[64];
    int line, column;
} fm_syntax_access;

typedef struct fm_syntax {
    fm_text text; /* for LuaJIT; its first line begins with the declaration of the checks */
    fm_syntax_place *place;
    uint32_t place_count, place_capacity;
    fm_syntax_access *access;
    uint32_t access_count, access_capacity;
} fm_syntax;

/* `names`: the global names, and "library.member" for the members of libraries; NULL ends it. FM_ESYNTAX with line,
 * column and hint. */
int fm_syntax_read(const char *file, fm_slice source, const char *const *names, fm_syntax *out,
                   fm_error *error) FM_CHECKED;
void fm_syntax_fini(fm_syntax *syntax);

/* The candidate nearest to `name` by edits, or NULL when none is near enough to be meant. */
const char *fm_nearest(const char *name, const char *const *candidates);

#endif
