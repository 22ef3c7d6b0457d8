/* script/embedded.h - the files of lua/fm/, compiled into the program by cmake/embed_lua.cmake.
 *
 * The server reads no Lua of its own from disk, so it cannot meet another version of it. */
#ifndef FM_SCRIPT_EMBEDDED_H
#define FM_SCRIPT_EMBEDDED_H

#include <stddef.h>

typedef struct fm_embedded {
    const char *name; /* "host" for lua/fm/host.lua */
    const char *text;
    size_t size;
} fm_embedded;

extern const fm_embedded fm_embedded_lua[]; /* a row whose name is NULL ends it */

#endif
