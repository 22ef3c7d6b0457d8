/* script/host.h - LuaJIT: reads rule files and configuration, runs rule bodies under budget, deadline and memory cap.
 *
 * Reading (any thread): fm_rules_load compiles every rules/<pack>/<rule>.lua in a sandbox, checks the head against the
 * kernels' tables, runs <rule>_test.lua, and gives an immutable fm_rule_set, or all the errors. Running: one fm_host a
 * shard, on its thread; it is the fm_rule_runner of engine/rules.h. */
#ifndef FM_SCRIPT_HOST_H
#define FM_SCRIPT_HOST_H

#include "base/error.h"
#include "base/text.h"
#include "engine/rules.h"

#include <stdbool.h>

/* One line of a load report: every file is listed. */
typedef struct fm_rule_report {
    char file[160];
    bool ok;
    uint32_t rules, tests, tests_failed;
    fm_error error; /* the first of this file; code 0 when ok */
} fm_rule_report;

typedef struct fm_rule_load {
    fm_rule_set *set; /* NULL unless every file is ok */
    fm_rule_report *report;
    uint32_t report_count;
    char **source; /* text of each rule's file, by rule index: content-addressed beside the journal by main.c */
    size_t *source_size;
} fm_rule_load;

/* 0 when all is well; FM_ERULE when a file was refused (the report says which and why); FM_EIO when the folder cannot
 * be read. *out is filled in either case and freed with fm_rules_load_free (the set with it, unless taken with
 * fm_rules_load_take). */
int fm_rules_load(const char *directory, fm_rule_load *out, fm_error *error) FM_CHECKED;
/* The same from texts (recovery of a generation, tests): file names and texts. */
int fm_rules_load_texts(const char *const *files, const char *const *texts, uint32_t count, fm_rule_load *out,
                        fm_error *error) FM_CHECKED;
void fm_rules_load_free(fm_rule_load *load);

typedef struct fm_host fm_host;

typedef struct fm_host_config {
    uint32_t budget;       /* checks (loop turns and calls) for one record; preset 100,000 */
    int64_t deadline_ns;   /* CPU time of the shard's thread for one run; preset 20 ms */
    uint64_t memory_bytes; /* of the shard's Lua state; preset 64 MiB */
    bool jit;              /* preset true */
} fm_host_config;

int fm_host_create(const fm_host_config *config, fm_host **out, fm_error *error) FM_CHECKED; /* any thread */
void fm_host_destroy(fm_host *host);
fm_rule_runner *fm_host_runner(fm_host *host); /* used from one thread only after the first load */
/* The sources that `set`'s rules come from must be known before `load` of the runner: any thread; texts are copied. */
int fm_host_sources(fm_host *host, const fm_rule_set *set, char *const *source, const size_t *size) FM_CHECKED;

#endif
