/* engine/fold_internal.h - what the files of the fold share: fold.c (entries), market.h and market_rare.c (prices, books), rows.c (kernels), episodes.c
 * (rules), alert_body.c (JSON). */
#ifndef FM_ENGINE_FOLD_INTERNAL_H
#define FM_ENGINE_FOLD_INTERNAL_H

#include "base/text.h"
#include "engine/fold.h"

typedef struct fm_row {
    const fm_event *event;
    fm_series      *series;
    fm_partition   *partition;
    uint64_t        sequence; /* of the entry that made it */
    uint32_t        timers;   /* that had fired before that entry when the row was made */
    bool            timer;
    uint64_t        position; /* data records up to it */
    int64_t         receive_ns;
    int64_t         now_ns;   /* event time of the domain */
    int8_t          price_scale, size_scale; /* of this record: a later one of the batch may raise its series' */
} fm_row;

typedef struct fm_pending_alert {
    uint32_t   row, rule, order;
    uint32_t   severity;
    uint32_t   ordinal;
    int64_t    start_ns;
    uint64_t   start_position;
    double     score;
    fm_hash128 id;
    char       key[64];
} fm_pending_alert;

struct fm_fold {
    fm_fold_config config;
    fm_arena       arena;        /* prices of venues */
    fm_plan      **plan;
    uint32_t       plan_count, plan_capacity;
    fm_plan       *current;      /* of the rows in the batch; the runner has its set loaded */
    fm_partition  *partition[FM_PARTITION_COUNT];
    /* the batch */
    fm_row        *row;
    uint32_t       row_count;
    double        *matrix;       /* row_count * column_count */
    uint64_t       matrix_size;
    uint32_t      *rule_row;     /* batch_max of each rule */
    uint32_t     **rule_end;     /* behind the last row of each */
    uint32_t      *rule_pending; /* series whose `when` holds, of each rule: lets rows without a hit be skipped */
    bool           pending_stale;/* rule_pending is to be counted anew */
    uint32_t       rule_capacity;
    fm_event      *timer_event;  /* events of timer rows */
    /* one rule's call */
    const fm_event **call_event;
    bool          *call_timer;
    int8_t       (*call_scale)[2];
    double       **call_slots;
    uint8_t       *call_hit;
    fm_rule_emit  *call_emit;
    fm_timer_ask  *call_ask;
    /* results */
    fm_pending_alert *alert;
    uint32_t       alert_count, alert_capacity;
    fm_text        body, message;
    struct {
        uint64_t sequence;
        uint32_t ordinal;
    } emitted[FM_PARTITION_COUNT]; /* ordinals go on over batches within one sequence */
};

/* rows.c: data entries step the kernels and make rows, up to one that is no data of this partition, or until there is no room: returns how
 * many bytes of them it took. The plan is in use, and no timer is due before the last of them. */
uint32_t fm_rows_add(fm_fold *fold, fm_partition *partition, const char *bytes, uint32_t size, int64_t receive_ns);
void fm_rows_add_timer(fm_fold *fold, fm_partition *partition, fm_series *series, uint32_t rule, int64_t due_ns, int64_t receive_ns);
void fm_series_derive(const fm_plan *plan, fm_series *series); /* masks from its block, units from its scales: after these were replaced */
void fm_domain_derive(const fm_plan *plan, fm_fold_domain *domain);

/* series_due.c: the record is not between the series' basis_ns and due_ns. Does what is due: actions of reference data. False: the record came
 * too late, it is from before an action that is done, and its prices and sizes mean something else. */
bool fm_series_due(fm_fold *fold, fm_partition *partition, fm_series *series, int64_t ts_ns);
void fm_series_refer(fm_partition *partition, fm_series *series); /* looks it up in the set that holds */
const fm_layout *fm_series_layout(fm_plan *plan, const fm_series *series);

/* market_rare.c */
fm_order_book *fm_market_make_book(const fm_fold_config *config, fm_partition *partition, fm_series *series, uint32_t venue); /* empty; after those there are */
void fm_market_rescale_books(fm_series *series, int price_power, int size_power);
void fm_market_forget_books(fm_partition *partition, fm_series *series);

/* episodes.c: runs the rules over the batch. */
void fm_rows_run(fm_fold *fold);

/* timers.c */
void fm_timer_ask_for(fm_partition *partition, fm_series *series, uint32_t rule, int64_t due_ns);
bool fm_timer_top(fm_partition *partition, uint32_t domain, fm_timer *out); /* the next one that is really due */
void fm_timer_pop(fm_partition *partition, uint32_t domain);

/* alert_body.c: the canonical body of a pending alert into fold->body. */
void fm_alert_body(fm_fold *fold, const fm_pending_alert *pending);

#endif
