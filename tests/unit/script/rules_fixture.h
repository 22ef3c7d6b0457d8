/* tests/unit/script/rules_fixture.h - rules from texts in a runner, and batches of rows for them. */
#ifndef FM_TESTS_RULES_FIXTURE_H
#define FM_TESTS_RULES_FIXTURE_H

#include "assert_near.h"
#include "script/host.h"
#include "script/host_internal.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 4096, STRIDE = 4, EMIT_MAX = 256 };

typedef struct fixture {
    fm_rule_load load;
    fm_host *host;
    fm_rule_runner *runner;
    double matrix[ROWS_MAX * STRIDE];
    uint32_t row[ROWS_MAX];
    uint16_t column[STRIDE];
    fm_event event_at[ROWS_MAX];
    const fm_event *event[ROWS_MAX];
    int8_t scale[ROWS_MAX][2];
    bool timer[ROWS_MAX];
    double slot_of[ROWS_MAX][FM_RULE_SLOTS_MAX]; /* [0] serves all rows unless a test says otherwise */
    double *slots[ROWS_MAX];
    uint8_t hit[ROWS_MAX];
    fm_rule_emit emit[EMIT_MAX];
    fm_timer_ask ask[EMIT_MAX];
    fm_rule_call call;
} fixture;

/* Runs the loader over the texts; on failure the error is in *error and no host exists. */
static inline int fixture_load(fixture *fixture_at, const char *const *files, const char *const *texts, uint32_t count,
                               const fm_host_config *config, fm_error *error)
{
    memset(fixture_at, 0, sizeof(*fixture_at));
    memset(error, 0, sizeof(*error));
    int result = fm_rules_load_texts(files, texts, count, &fixture_at->load, error);
    if (result < 0)
        return result;
    assert_int_equal(fm_host_create(config, &fixture_at->host, error), 0);
    assert_int_equal(
        fm_host_sources(fixture_at->host, fixture_at->load.set, fixture_at->load.source, fixture_at->load.source_size),
        0);
    fixture_at->runner = fm_host_runner(fixture_at->host);
    result = fixture_at->runner->load(fixture_at->runner->self, fixture_at->load.set, error);
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        fixture_at->row[i] = i;
        fixture_at->event_at[i] = (fm_event){
            .ts_ns = (1000 + (int64_t)i) * FM_NS_PER_S, .kind = FM_TRADE, .side = FM_BUY, .seq = FM_SEQ_ABSENT};
        fixture_at->event_at[i].as.trade = (fm_trade){.price = 10000 + i, .size = 100};
        fixture_at->event[i] = &fixture_at->event_at[i];
        fixture_at->scale[i][0] = 2;
        fixture_at->slots[i] = fixture_at->slot_of[0];
        for (uint32_t c = 0; c < STRIDE; c++)
            fixture_at->matrix[i * STRIDE + c] = (double)i + 0.25 * c;
    }
    for (uint16_t c = 0; c < STRIDE; c++)
        fixture_at->column[c] = c;
    return result;
}

static inline void fixture_free(fixture *fixture_at)
{
    fm_host_destroy(fixture_at->host);
    fm_rules_load_free(&fixture_at->load);
}

/* A fresh call of rule `rule` over rows 0 … count-1. */
static inline fm_rule_call *fixture_call(fixture *fixture_at, uint32_t rule, uint32_t count)
{
    fixture_at->call = (fm_rule_call){.rule = rule,
                                      .count = count,
                                      .matrix = fixture_at->matrix,
                                      .stride = STRIDE,
                                      .row = fixture_at->row,
                                      .column = fixture_at->column,
                                      .event = fixture_at->event,
                                      .scale = (const int8_t(*)[2])fixture_at->scale,
                                      .timer = fixture_at->timer,
                                      .slots = fixture_at->slots,
                                      .hit = fixture_at->hit,
                                      .emit = fixture_at->emit,
                                      .emit_max = EMIT_MAX,
                                      .timer_ask = fixture_at->ask,
                                      .timer_max = EMIT_MAX};
    memset(fixture_at->hit, 0, sizeof(fixture_at->hit));
    return &fixture_at->call;
}

static inline int fixture_run(fixture *fixture_at)
{
    return fixture_at->runner->run(fixture_at->runner->self, &fixture_at->call);
}

/* One rule "t/x" whose `when` has needs a … d, or with the given body in place of when. */
static inline int fixture_rule(fixture *fixture_at, const char *text, const fm_host_config *config, fm_error *error)
{
    return fixture_load(fixture_at, (const char *const[]){"t/x.lua"}, &text, 1, config, error);
}

#define NEEDS                                                                                                          \
    "needs = { a = feature.ewma { half_life = 1 }, b = feature.ewma { half_life = 2 }, c = feature.ewma { half_life "  \
    "= 3 }, "                                                                                                          \
    "d = feature.ewma { half_life = 4 } }, "
#define RULE_WHEN(body) "rule \"x\" { " NEEDS "\nwhen = function(f, p)\n" body "\nend }"
#define RULE_EVENT(body)                                                                                               \
    "rule \"x\" { state = { n = 0, last = 0 }, " NEEDS "\non_event = function(ctx, e, f, s)\n" body "\nend }"

#endif
