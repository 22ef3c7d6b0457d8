/* engine/fold.h - the one code path: live, replay, backtest and recovery apply log entries through this, and nothing else does.
 *
 * `apply` takes entries one by one: a control entry changes the state, a data entry steps the kernels of its instrument and becomes a row
 * of the batch. `run` closes the batch: each rule loops over its rows (rule-major), episodes step, alerts leave in the order (sequence,
 * time, rule, symbol, key). Where batches end has no influence on what comes out: `run` may be called after any entry. */
#ifndef FM_ENGINE_FOLD_H
#define FM_ENGINE_FOLD_H

#include "base/clock.h"
#include "base/counters.h"
#include "engine/admission.h"
#include "engine/alert.h"
#include "engine/plan.h"
#include "engine/reference.h"

#define FM_STRIKES_MAX 3 /* failed calls after which a rule is quarantined in a (partition, domain) */

typedef struct fm_fold fm_fold;

typedef struct fm_fold_config {
    fm_admission_limits limits;
    uint64_t        arena_bytes;    /* address space for the prices that venues quote: at most 4 KiB an instrument */
    uint32_t        batch_max;
    int64_t         stale_venue_ns;
    fm_book_limits  book;           /* of each venue's book; zeros are the presets */
    uint32_t        books_max;      /* of a partition; 0 is the preset */
    fm_clock        clock;          /* for detect_ns only */
    fm_rule_runner *runner;
    const fm_rule_set *(*generation_of)(void *context, const char *hash);
    /* The same for sets of reference data; NULL = there are none. */
    const fm_reference_set *(*reference_of)(void *context, const char *hash);
    void           *generation_context;
    void          (*emit)(void *context, const fm_alert *alert);
    /* A rule was stopped by deadline or memory: rows from here on do not see it. Kill records are to be appended. */
    void          (*killed)(void *context, const fm_rule *rule, const fm_error *error);
    /* A rule had its last strike, and had none of its last strikes in another partition of this fold yet; NULL = tell nobody. */
    void          (*quarantined)(void *context, const fm_rule *rule, const char *reason);
    /* A value for other partitions (engine/cross.h); NULL = nobody is told, as where a log is folded again. */
    void          (*cross)(void *context, const fm_cross *cross);
    void           *context;
    fm_counters    *counters;
} fm_fold_config;

int  fm_fold_create(const fm_fold_config *config, fm_fold **out, fm_error *error) FM_CHECKED;
void fm_fold_destroy(fm_fold *fold);

/* Puts a partition under this fold, with no rules, and takes it away again (its blocks go back to the pool). */
void fm_fold_adopt(fm_fold *fold, fm_partition *partition, uint32_t index);
void fm_fold_release(fm_fold *fold, fm_partition *partition);

/* Applies one entry; its bytes must stay valid until `run`. FM_ECORRUPT when the entry cannot follow those before. */
int fm_fold_apply(fm_fold *fold, fm_partition *partition, const fm_event *event, int64_t receive_ns, fm_error *error) FM_CHECKED;
/* The same for entries that follow each other in memory, all received at that time: the tick path. */
int fm_fold_apply_all(fm_fold *fold, fm_partition *partition, const char *bytes, uint32_t size, int64_t receive_ns,
                      fm_error *error) FM_CHECKED;
int fm_fold_run(fm_fold *fold, fm_error *error) FM_CHECKED;

/* For snapshots: the plan of a set (cached), a fresh series with its block, and the heap of timers made anew from the rule states. */
int        fm_fold_plan(fm_fold *fold, const fm_rule_set *set, fm_plan **out, fm_error *error) FM_CHECKED;
fm_series *fm_fold_series(fm_fold *fold, fm_partition *partition, uint32_t index);
void       fm_fold_timers(fm_fold *fold, fm_partition *partition);
void       fm_fold_domains(fm_fold *fold, fm_partition *partition, uint32_t count);
void       fm_fold_switch(fm_fold *fold, fm_partition *partition, fm_plan *plan);
/* Makes a set of reference data hold: instruments are looked up in it anew. */
void       fm_fold_reference(fm_fold *fold, fm_partition *partition, const fm_reference_set *set);

/* When the next timer of the domain is due; INT64_MAX = none. */
int64_t fm_fold_due(const fm_partition *partition, uint32_t domain);

#endif
