/* engine/rules.h - what the engine knows of rules: their declarative heads, and how to run their bodies.
 *
 * script/ reads rule files and fills an fm_rule_set; the engine computes the features that the set needs, steps the episodes, and
 * calls back through an fm_rule_runner, once a batch and rule (docs/TOUR.md, "The way of a tick"). */
#ifndef FM_ENGINE_RULES_H
#define FM_ENGINE_RULES_H

#include "base/error.h"
#include "base/event.h"
#include "base/hash.h"
#include "kernels/kernel.h"

#include <stdbool.h>
#include <stdint.h>

#define FM_RULES_MAX        256 /* rules in a generation */
#define FM_RULE_NEEDS_MAX   16
#define FM_NEED_SERIES_MAX  8   /* needs that one need is made of: inputs "x", "x2" … "x8" */
#define FM_GATE_RUN         100 /* values on end that a gate keeps out; the next one teaches again: what lasts is the new normal */
#define FM_RULE_SLOTS_MAX   16  /* declared state fields */
#define FM_RULE_LABELS_MAX  16
#define FM_RULE_ID_MAX      64
#define FM_RULE_ROW_EMITS_MAX  8 /* alerts that one call of a handler may raise */
#define FM_RULE_ROW_TIMERS_MAX 1 /* timers that one call may ask for: the last ctx.timer stands */
#define FM_TIMER_MIN_NS     FM_NS_PER_S /* no timer is due earlier than this after it was asked for */

typedef enum fm_severity { FM_INFO, FM_WARNING, FM_ERROR_SEVERITY, FM_CRITICAL } fm_severity;

/* One entry of `needs`: a kernel with parameters, on the default input or on other needs (`of`). */
typedef struct fm_need {
    char             name[32];
    const fm_kernel *kernel;
    double           params[FM_KERNEL_PARAMS_MAX]; /* seconds are as the rule wrote them: in seconds */
    double           gate;   /* of a detector: values whose p is below it are not learned from; 0 = all are */
    int              output; /* index into kernel->outputs */
    int              of[FM_NEED_SERIES_MAX]; /* indices of the needs that are the inputs "x", "x2" … */
    uint32_t         of_count;               /* 0 = the default series is "x" */
    bool             hidden; /* made for `of =` only; not a field of f */
} fm_need;

/* `match`: every given field must hold. Globs. Empty = any. */
typedef struct fm_match {
    char symbol[FM_SYMBOL_MAX + 1];
    char class_[32]; /* reference data's class; instruments without reference data have class "" */
    char venue[32];  /* reserved: matched against the venue of the instrument's first record */
    uint32_t kinds;  /* that the rule looks at, a bit for each fm_kind: match.on = {"trade", "bar", …}; 0 = all */
} fm_match;

typedef struct fm_rule {
    char        id[FM_RULE_ID_MAX + 1]; /* pack/name */
    uint32_t    version;
    fm_hash128  hash;     /* of the file's text */
    char        file[128];/* relative to rules.dir */
    int         line;     /* of the rule's `when` or handler */
    fm_match    match;
    fm_need     needs[FM_RULE_NEEDS_MAX];
    uint32_t    need_count;
    char        slot_name[FM_RULE_SLOTS_MAX][32];
    double      slot_preset[FM_RULE_SLOTS_MAX];
    uint32_t    slot_count;
    uint32_t    state_version;
    bool        has_when, has_on_event, has_on_timer;
    bool        shadow;
    int64_t     cooldown_ns;      /* one alert an episode (`when` holds without a break); the next not within this event
                                   * time after the last one held. Handlers: after their last alert. 0 = none */
    int64_t     for_ns;           /* `when` must have held this long; 0 = at once */
    int64_t     timer_min_ns;     /* ctx.timer asks for less are raised to this; 0 = FM_TIMER_MIN_NS */
    uint32_t    alerts_per_minute;/* rate cap per partition, in event time; preset 600 */
    fm_severity severity;
    char        message[256];     /* template: {symbol}, {need}, {need:+.1f} */
    char        label_name[FM_RULE_LABELS_MAX][32];
    char        label_value[FM_RULE_LABELS_MAX][64];
    uint32_t    label_count;
} fm_rule;

/* A generation: immutable once made. `hash` is over the sorted (id, content hash) pairs and names the generation in the log. */
typedef struct fm_rule_set {
    fm_hash128 hash;
    uint32_t   count;
    fm_rule    rule[]; /* sorted by id */
} fm_rule_set;

/* An alert that a handler raised by ctx.alert. `when` rules raise theirs through `hit`. */
typedef struct fm_rule_emit {
    uint32_t   row;      /* index into fm_rule_call.rows */
    uint32_t   severity; /* fm_severity, or UINT32_MAX for the rule's own */
    double     score;    /* NaN when not given */
    char       key[64];  /* empty when the rule has no key */
} fm_rule_emit;

typedef struct fm_timer_ask { /* a handler asked to be called: ctx.timer(seconds) */
    uint32_t row;
    int64_t  due_ns;
} fm_timer_ask;

/* One rule over the rows of one batch that it looks at, in order. The runner fills hit, emits, timers and moves `done`. */
typedef struct fm_rule_call {
    uint32_t       rule;     /* index into the set */
    uint32_t       count;    /* rows */
    const double  *matrix;   /* features: value of need k in row r is matrix[row[r] * stride + column[k]] */
    uint32_t       stride;
    const uint32_t *row;     /* matrix row of each of the rule's rows */
    const uint16_t *column;  /* of each need that is not hidden, in the order of needs */
    const fm_event *const *event; /* the record of each of the rule's rows; timers: kind FM_CLOCK with ts_ns = due */
    const int8_t  (*scale)[2]; /* price and size scale of each row's series; NULL = prices and sizes of events are not shown to handlers */
    const bool     *timer;   /* NULL, or true where the row is a timer and on_timer is called instead */
    double *const  *slots;   /* state of (rule, series) of each row, slot_count doubles; NULL when the rule has none */
    /* results */
    uint8_t       *hit;      /* `when`: 1 where it held */
    fm_rule_emit  *emit;     /* room for emit_max */
    uint32_t       emit_count, emit_max;
    fm_timer_ask  *timer_ask;
    uint32_t       timer_count, timer_max;
    uint32_t       done;     /* in: the first row to run; out: rows whose effects stand. On failure, the row that failed */
    fm_error       error;    /* of the row that failed: message, file, line */
} fm_rule_call;

typedef struct fm_rule_runner {
    void *self;
    /* Makes `set` current for this runner (one runner a shard, on the shard's thread). */
    int (*load)(void *self, const fm_rule_set *set, fm_error *error);
    /* FM_EBUSY: row `done` was not run, because emit or timer_ask has no room for what one row may ask (FM_RULE_ROW_EMITS_MAX,
     * FM_RULE_ROW_TIMERS_MAX): take what is there, then call again from done.
     * 0: done == count. FM_ERULE, FM_EBUDGET: row `done` failed and had no effect (slots, emits and timers are as before it); the engine
     * counts a strike and calls again from done + 1. FM_EDEADLINE, FM_ERULE_MEMORY: not reproducible; the engine writes a kill record and
     * does not call the rule again; the runner has been rebuilt without it. */
    int (*run)(void *self, fm_rule_call *call);
} fm_rule_runner;

#endif
