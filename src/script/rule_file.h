/* script/rule_file.h - one rule file from text to what the engine knows (fm_rule) and what the runner calls. */
#ifndef FM_SCRIPT_RULE_FILE_H
#define FM_SCRIPT_RULE_FILE_H

#include "script/host.h"
#include "script/syntax.h"
#include "script/vm.h"

/* "market/price_spike.lua" taken apart. FM_EINVAL when it is no rule's file name. */
typedef struct fm_rule_path {
    char pack[FM_RULE_ID_MAX + 1], name[FM_RULE_ID_MAX + 1];
    bool is_test; /* market/price_spike_test.lua: name is price_spike */
} fm_rule_path;
int fm_rule_path_read(const char *file, fm_rule_path *out, fm_error *error) FM_CHECKED;

/* Runs the file's chunk in the state, reads the rule that it declares, and keeps its head under the rule's id (registry
 * "fm.heads"). `rule` (may be NULL) is filled but for `hash`. The error has the file, and the line where one is known.
 */
int fm_rule_file_read(fm_vm *vm, const char *file, const fm_syntax *syntax, fm_rule *rule, fm_error *error) FM_CHECKED;

/* Runs the test file of a rule that was read before; its tests are kept under the rule's id (registry "fm.tests"). */
int fm_test_file_read(fm_vm *vm, const char *file, const fm_syntax *syntax, fm_error *error) FM_CHECKED;

/* rule_test.c: runs the tests that `vm` keeps for rule `index` of `set` on `host`, which has the set loaded. *tests and
 * *failed are counted; the first failure is in *error (FM_ERULE), with file and line. */
int fm_rule_test_run(fm_vm *vm, fm_host *host, const fm_rule_set *set, uint32_t index, uint32_t *tests,
                     uint32_t *failed, fm_error *error) FM_CHECKED;

#endif
