/* main/runtime.h - the whole server, joined: journal, engine, rules, router, store, sinks, HTTP. The one place where the layers meet. */
#ifndef FM_MAIN_RUNTIME_H
#define FM_MAIN_RUNTIME_H

#include "main/settings.h"

#include <stdint.h>

typedef struct fm_runtime fm_runtime;

/* Opens the data directory, recovers, starts every thread, and listens. */
int  fm_runtime_start(const fm_settings *settings, fm_runtime **out, fm_error *error) FM_CHECKED;
uint16_t fm_runtime_port(const fm_runtime *runtime);

/* Rule files changed? Loads them; a refused set leaves the old one and is told in the log. */
void fm_runtime_watch_rules(fm_runtime *runtime);
int  fm_runtime_reload_rules(fm_runtime *runtime, fm_error *error) FM_CHECKED;

void fm_runtime_ask_stop(fm_runtime *runtime); /* any thread; returns at once */
int  fm_runtime_stop(fm_runtime *runtime);     /* drains, snapshots, closes; frees */

/* What the journal records as the engine's build. */
extern const char fm_build_id[];

#endif
