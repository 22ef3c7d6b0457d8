/* engine/plan.h - what a rule generation makes the engine compute.
 *
 * The needs of all rules are merged: the same kernel with the same parameters on the same input is one node, stepped once for each
 * instrument. Each output that some rule reads has one column of the feature matrix, the same for every instrument. Which nodes
 * and rules an instrument has is its layout; instruments that the same rules match share one. */
#ifndef FM_ENGINE_PLAN_H
#define FM_ENGINE_PLAN_H

#include "engine/blocks.h"
#include "engine/partition.h"
#include "engine/rules.h"

#define FM_NODES_MAX   256
#define FM_COLUMNS_MAX 256
#define FM_MASK_WORDS  (FM_COLUMNS_MAX / 64)

typedef enum fm_input { /* where a kernel's input comes from */
    FM_INPUT_X, FM_INPUT_PRICE, FM_INPUT_SIZE, FM_INPUT_SIDE, FM_INPUT_BID, FM_INPUT_ASK, FM_INPUT_BID_SIZE, FM_INPUT_ASK_SIZE,
    FM_INPUT_MID, FM_INPUT_EVENT,
    FM_INPUT_OPEN, FM_INPUT_HIGH, FM_INPUT_LOW, FM_INPUT_CLOSE, FM_INPUT_VOLUME, /* only of bars */
    FM_INPUT_BID_DEPTH, FM_INPUT_ASK_DEPTH,                                      /* only at the end of a book's event */
    FM_INPUT_ACTION, FM_INPUT_ORDER_AGE, FM_INPUT_ORDER_SIZE,                    /* only of orders */
    FM_INPUT_SESSION_MINUTE, FM_INPUT_DAY_TYPE, FM_INPUT_MARKET, FM_INPUT_SECTOR_MEAN, FM_INPUT_SECTOR_SD, FM_INPUT_SECTOR_RANK, /* told from elsewhere */
    FM_INPUT_MISSING,                                                            /* NaN: what the node's records never carry */
    FM_INPUT_OF, /* and those behind it: other nodes' outputs */
    FM_INPUT_COUNT = FM_INPUT_OF + FM_NEED_SERIES_MAX
} fm_input;

/* What a record carries; a node's trigger. */
enum { FM_STEP_X = 1, FM_STEP_TRADE = 2, FM_STEP_QUOTE = 4, FM_STEP_ANY = 8, FM_STEP_BAR = 16, FM_STEP_DEPTH = 32, FM_STEP_ORDER = 64 };

typedef struct fm_mask {
    uint64_t word[FM_MASK_WORDS];
} fm_mask;

typedef struct fm_node {
    const fm_kernel *kernel;
    double    params[FM_KERNEL_PARAMS_MAX];
    uint8_t   input[FM_KERNEL_INPUTS_MAX]; /* fm_input */
    uint8_t   input_count, output_count;
    uint8_t   trigger;   /* FM_STEP_*; 0 with `of`: whenever one of those nodes stepped */
    uint8_t   of_count;
    int16_t   of_column[FM_NEED_SERIES_MAX];
    int16_t   of_node[FM_NEED_SERIES_MAX]; /* all below this one */
    int16_t   column[FM_KERNEL_OUTPUTS_MAX]; /* -1 = nobody reads it */
    uint64_t  readers[FM_RULES_MAX / 64];    /* rules that read one of its columns, a bit each */
    double    gate;
    uint32_t  state_size; /* with the count of a gate */
    fm_hash128 key;      /* of kernel, layout, parameters, inputs: state is carried over by it */
} fm_node;

typedef struct fm_plan_rule {
    fm_mask  needs;                            /* columns */
    uint16_t column[FM_RULE_NEEDS_MAX];        /* of each need that is not hidden */
    uint16_t need[FM_RULE_NEEDS_MAX];          /* its index in the rule's needs */
    uint32_t visible;                          /* how many */
    uint8_t  kinds;                            /* a bit for each fm_kind it looks at */
    uint32_t state_size;
} fm_plan_rule;

/* One node as the tick path steps it. Inputs are indices into the record's inputs by fm_input. It is plain when those follow each other
 * there, so that the kernel reads them where they are, none is another node's output, and one output of the kernel is all that is used. */
typedef struct fm_step {
    double   (*one)(void *state, int64_t ts_ns, const double *in); /* of a plain one: gives that output */
    const fm_kernel *kernel;
    uint32_t state;      /* offset in the block */
    uint32_t gate_run;   /* offset in the block of how many values were not learned from on end; of a gate */
    double   gate;       /* values whose p is below it are not learned from; 0 = all are */
    bool     plain;
    uint8_t  input_count, used_count, of_count;
    uint8_t  of_column[FM_NEED_SERIES_MAX]; /* what FM_INPUT_OF and those behind it are */
    uint8_t  input[FM_KERNEL_INPUTS_MAX];
    uint8_t  used[FM_KERNEL_OUTPUTS_MAX], column[FM_KERNEL_OUTPUTS_MAX]; /* outputs that have a column, and which */
} fm_step;

static_assert(FM_COLUMNS_MAX <= 256, "a column's index is a byte");

/* All that one kind of record sets off in an instrument, by what it carries: nodes to step, and the rules that look at the row: those
 * that read a column of such a node, and handlers, of this kind of record. */
typedef struct fm_program {
    uint64_t  rules[FM_RULES_MAX / 64]; /* that look at the row, a bit each */
    fm_step  *step, *plain_end, *end;   /* the plain ones first */
    uint16_t *reader;                   /* rules that read a column of these nodes, whatever kinds they look at */
    uint32_t  reader_count;
    bool      told; /* some step reads what is told from elsewhere */
} fm_program;

/* One for each kind of record with what it can carry. Behind FM_ON_BOOK, and each of FM_ON_ORDER, stand: depth (a venue's event ends), a quote
 * with it (the touch moved), the default series with both. Behind FM_ON_ORDER those four stand once more for orders of which the book tells what
 * they did. */
typedef enum fm_on {
    FM_ON_NOTHING, FM_ON_TRADE, FM_ON_TRADE_X, FM_ON_QUOTE, FM_ON_QUOTE_X, FM_ON_VALUE, FM_ON_VALUE_X, FM_ON_STATUS, FM_ON_BAR, FM_ON_BAR_X,
    FM_ON_BOOK, FM_ON_ORDER = FM_ON_BOOK + 4, FM_ON_ORDER_ACTED = FM_ON_ORDER + 4, FM_PROGRAMS = FM_ON_ORDER_ACTED + 4
} fm_on;

typedef struct fm_layout {
    uint16_t *node;  /* indices into the plan, in an order in which inputs come first */
    uint32_t *node_state; /* offset in the block of each */
    uint32_t  node_count;
    uint16_t *rule;
    uint32_t *rule_state;
    uint32_t  rule_count;
    int16_t  *rule_at;    /* by rule index of the set: its place in `rule`, or -1 */
    fm_program program[FM_PROGRAMS];
    uint32_t  outputs;    /* offset of the plan's column_count doubles */
    uint32_t  block_size;
    bool      has_timer;
    uint64_t  match[FM_RULES_MAX / 64];
} fm_layout;

typedef struct fm_plan {
    const fm_rule_set *set;
    fm_node      node[FM_NODES_MAX];
    uint32_t     node_count, column_count, mask_words, rule_words;
    fm_plan_rule rule[FM_RULES_MAX];
    int64_t      timer_min_ns; /* the smallest of the rules with timers; INT64_MAX = no timers */
    fm_layout  **layout;
    uint32_t     layout_count, layout_capacity;
    fm_blocks    blocks;       /* of the instruments that are under this plan */
    fm_hash128   signature;    /* two plans with the same one have the same blocks, byte for byte in meaning */
} fm_plan;

/* FM_ELIMIT when the set needs more nodes or columns than there is room for. */
int  fm_plan_create(const fm_rule_set *set, fm_plan **out, fm_error *error) FM_CHECKED;
void fm_plan_destroy(fm_plan *plan);

/* The layout of an instrument; made when it is the first of its kind. */
const fm_layout *fm_plan_layout(fm_plan *plan, fm_slice symbol, fm_slice venue, fm_slice class_);

/* A fresh block: kernels initialised, outputs NaN, rule states at their presets. */
void fm_block_init(const fm_plan *plan, const fm_layout *layout, char *block);

/* Carries state from an old block into a fresh one: nodes by key, rules by id, state_version and slot name. */
void fm_block_carry(const fm_plan *from_plan, const fm_layout *from, const char *from_block, const fm_plan *to_plan, const fm_layout *to,
                    char *to_block);

static_assert(FM_MASK_WORDS == sizeof(((fm_series *)0)->ready) / sizeof(uint64_t), "fm_series.ready is a mask");

static inline double *fm_block_outputs(const fm_layout *layout, char *block)
{
    return (double *)(block + layout->outputs);
}
static inline fm_rule_state *fm_block_rule(const fm_layout *layout, char *block, uint32_t at)
{
    return (fm_rule_state *)(block + layout->rule_state[at]);
}

/* The place of a rule in a layout, or -1. */
static inline int fm_layout_rule(const fm_layout *layout, uint32_t rule)
{
    return layout->rule_at[rule];
}

#endif
