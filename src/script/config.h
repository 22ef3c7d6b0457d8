/* script/config.h - reads deploy/fmads.lua.
 *
 * It is data, not a program: empty environment, text only, JIT off, instruction limit.
 * The file returns a table of sections; `visit` is called for each leaf with "section.key" and its value as text
 * ("8080", "true", "10ms"), in sorted order. */
#ifndef FM_SCRIPT_CONFIG_H
#define FM_SCRIPT_CONFIG_H

#include "base/error.h"

typedef int (*fm_config_visit)(void *context, const char *name, const char *value, fm_error *error);

int fm_config_read(const char *path, fm_config_visit visit, void *context, fm_error *error) FM_CHECKED;

#endif
