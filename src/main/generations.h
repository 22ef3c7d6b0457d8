/* main/generations.h - rule generations by their hash: the log names them, their texts are kept in <data>/generations/<hash>.
 *
 * A generation is written there before the log may name it. Recovery and verify ask for the ones that the log names. */
#ifndef FM_MAIN_GENERATIONS_H
#define FM_MAIN_GENERATIONS_H

#include "base/file.h"
#include "script/host.h"

typedef struct fm_generations fm_generations;

/* `hosts` are told the sources of each generation (host_count may be 0). */
int  fm_generations_open(const fm_file_layer *layer, const char *directory, fm_host **hosts, uint32_t host_count, fm_generations **out,
                         fm_error *error) FM_CHECKED;
void fm_generations_close(fm_generations *generations);

/* Loads the rule files of `rules_dir`, keeps their texts, and gives the set (owned here). FM_ERULE: a file was refused; *report tells (freed
 * with fm_rules_load_free); the set is then NULL. Any thread. */
int fm_generations_load(fm_generations *generations, const char *rules_dir, const fm_rule_set **out, fm_rule_load *report, fm_error *error) FM_CHECKED;

/* The set of a generation named in the log: known, or read from its file; NULL when it is lost or damaged. Any thread. */
const fm_rule_set *fm_generations_find(fm_generations *generations, const char *hash);

#endif
