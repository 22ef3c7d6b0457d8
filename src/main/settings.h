/* main/settings.h - all settings with their values: presets, then the file, then the environment, then --set. */
#ifndef FM_MAIN_SETTINGS_H
#define FM_MAIN_SETTINGS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct fm_settings {
#define TEXT(field, name, preset, help) char field[512];
#define INT(field, name, preset, low, high, help) int64_t field;
#define TIME(field, name, preset, low, high, help) int64_t field; /* ns */
#define BOOL(field, name, preset, help) bool field;
#include "main/config.def"
#undef TEXT
#undef INT
#undef TIME
#undef BOOL
} fm_settings;

void fm_settings_preset(fm_settings *settings);

/* One setting by its name; the error names the nearest known one. */
int fm_settings_set(fm_settings *settings, const char *name, const char *value, fm_error *error) FM_CHECKED;

/* Presets, `path` (NULL = deploy/fmads.lua if it is there), environment, then every "--set name=value", "--config FILE", "--listen A", "--data D"
 * in argv; what is not ours stays in argv (*argc shrinks). */
int fm_settings_read(fm_settings *settings, int *argc, char **argv, fm_error *error) FM_CHECKED;

/* "10ms" to ns; "16MiB" to bytes. FM_EINVAL. */
int fm_parse_time(const char *text, int64_t *ns) FM_CHECKED;
int fm_parse_count(const char *text, int64_t *out) FM_CHECKED;

#endif
