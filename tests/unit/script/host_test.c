/* What a rule's call does and leaves: hits, alerts, timers, state; and what a failed row leaves: nothing. */
#include "rules_fixture.h"

#include <pthread.h>
#include <stdio.h>

static const fm_host_config config = {
    .budget = 100000, .deadline_ns = 200 * FM_NS_PER_MS, .memory_bytes = 16u << 20, .jit = true};

static void opened(fixture *at, const char *text)
{
    fm_error error;
    if (fixture_rule(at, text, &config, &error) < 0)
        fail_msg("%s\n %s:%d: %s", text, error.file, error.line, error.message);
}

static void ran(fixture *at, uint32_t count)
{
    fixture_call(at, 0, count);
    if (fixture_run(at) < 0)
        fail_msg("line %d: %s", at->call.error.line, at->call.error.message);
    assert_int_equal(at->call.done, count);
}

static void when_sees_its_needs_by_name_through_row_and_column(void **unused)
{
    (void)unused;
    static fixture at;
    opened(&at, "rule \"x\" { " NEEDS "params = { least = 2.5, on = true, name = 'n' },"
                "when = function(f, p) return f.b - f.a == 0.25 and f.d - f.c == 0.25 and f.a > p.least and p.on and "
                "p.name == 'n' end }");
    assert_string_equal(at.load.set->rule[0].id, "t/x");
    assert_int_equal(at.load.set->rule[0].need_count, 4);
    ran(&at, 5);
    assert_memory_equal(at.hit, "\0\0\0\1\1", 5);
    for (uint32_t i = 0; i < 5; i++)
        at.row[i] = 4 - i; /* rows of the matrix in another order */
    ran(&at, 5);
    assert_memory_equal(at.hit, "\1\1\0\0\0", 5);
    uint16_t mixed[STRIDE] = {1, 0, 2, 3};
    memcpy(at.column, mixed, sizeof(mixed));
    ran(&at, 5);
    assert_memory_equal(at.hit, "\0\0\0\0\0", 5);
    fixture_free(&at);
}

static void a_call_goes_on_behind_the_row_that_failed(void **unused)
{
    (void)unused;
    static fixture at;
    opened(&at, RULE_WHEN("if f.a == 2 or f.a == 5 then error('no ' .. f.a) end return true"));
    fixture_call(&at, 0, 8);
    assert_int_equal(fixture_run(&at), FM_ERULE);
    assert_int_equal(at.call.done, 2);
    assert_string_equal(at.call.error.message, "no 2");
    at.call.done++;
    assert_int_equal(fixture_run(&at), FM_ERULE);
    assert_int_equal(at.call.done, 5);
    assert_string_equal(at.call.error.message, "no 5");
    at.call.done++;
    assert_int_equal(fixture_run(&at), 0);
    assert_int_equal(at.call.done, 8);
    assert_memory_equal(at.hit, "\1\1\0\1\1\0\1\1", 8);
    fixture_free(&at);
}

static void handlers_keep_their_state_in_slots(void **unused)
{
    (void)unused;
    static fixture at;
    opened(&at, "rule \"x\" { state = { last = -1, count = 0 }, on_event = function(ctx, e, f, s)\n"
                "s.count = s.count + 1 s.last = e.price if s.count % 3 == 0 then ctx.alert { score = s.last, key = 'k' "
                ".. s.count, severity = 'critical' } end\n"
                "end }");
    const fm_rule *rule = &at.load.set->rule[0];
    assert_int_equal(rule->slot_count, 2);
    assert_string_equal(rule->slot_name[0], "count");
    assert_near(rule->slot_preset[1], -1, 0);
    ran(&at, 7);
    assert_near(at.slot_of[0][0], 7, 0);
    assert_near(at.slot_of[0][1], 100.06, 1e-12);
    assert_int_equal(at.call.emit_count, 2);
    assert_int_equal(at.emit[1].row, 5);
    assert_int_equal(at.emit[1].severity, FM_CRITICAL);
    assert_near(at.emit[1].score, 100.05, 1e-12);
    assert_string_equal(at.emit[1].key, "k6");
    for (uint32_t i = 0; i < 4; i++)
        at.slots[i] = at.slot_of[1 + i % 2]; /* two instruments */
    ran(&at, 4);
    assert_near(at.slot_of[1][0], 2, 0);
    assert_near(at.slot_of[2][0], 2, 0);
    assert_near(at.slot_of[0][0], 7, 0);
    fixture_free(&at);
}

static void a_row_that_fails_has_no_effect(void **unused)
{
    (void)unused;
    static fixture at;
    opened(&at,
           RULE_EVENT(
               "s.n = s.n + 1 ctx.alert { score = s.n } ctx.timer(5)\nif f.a == 2 then s.n = 1000 local x x() end"));
    fixture_call(&at, 0, 4);
    assert_int_equal(fixture_run(&at), FM_ERULE);
    assert_int_equal(at.call.done, 2);
    assert_int_equal(at.call.emit_count, 2);
    assert_int_equal(at.call.timer_count, 2);
    assert_near(at.slot_of[0][1], 2, 0);
    at.call.done++;
    assert_int_equal(fixture_run(&at), 0);
    assert_int_equal(at.call.emit_count, 3);
    assert_near(at.emit[2].score, 3, 0);
    assert_int_equal(at.emit[2].row, 3);
    assert_near(at.slot_of[0][1], 3, 0);
    fixture_free(&at);
}

static void timers_call_on_timer_and_the_last_ask_of_a_row_stands(void **unused)
{
    (void)unused;
    static fixture at;
    opened(&at, "rule \"x\" { state = { events = 0, timers = 0 },\n"
                "on_event = function(ctx, e, f, s) s.events = s.events + 1 ctx.timer(1) ctx.timer(2.5) "
                "assert(ctx.now() == e.ts) ctx.log('x') end,\n"
                "on_timer = function(ctx, f, s) s.timers = s.timers + 1 ctx.alert() end }");
    at.timer[1] = true;
    at.event_at[1].kind = FM_CLOCK;
    ran(&at, 3);
    assert_near(at.slot_of[0][0], 2, 0);
    assert_near(at.slot_of[0][1], 1, 0);
    assert_int_equal(at.call.timer_count, 2);
    assert_int_equal(at.ask[0].due_ns, 1002500000000);
    assert_int_equal(at.ask[1].row, 2);
    assert_int_equal(at.call.emit_count, 1);
    assert_int_equal(at.emit[0].row, 1);
    assert_int_equal(at.emit[0].severity, UINT32_MAX);
    assert_true(isnan(at.emit[0].score));
    assert_string_equal(at.emit[0].key, "");
    fixture_free(&at);
}

static void the_event_shows_what_the_record_has_and_nan_for_the_rest(void **unused)
{
    (void)unused;
    static fixture at;
    opened(
        &at,
        "rule \"x\" { state = { row = 0 }, on_event = function(ctx, e, f, s)\n"
        "s.row = s.row + 1\n"
        "if s.row == 1 then assert(e.type == 'trade' and e.price == 100 and e.size == 100 and e.side == 1 and e.bid ~= "
        "e.bid and e.late == 1)\n"
        "elseif s.row == 2 then assert(e.type == 'quote' and e.bid == 0.99 and e.ask ~= e.ask and e.bid_size == 7 and "
        "e.price ~= e.price and e.side ~= e.side)\n"
        "elseif s.row == 3 then assert(e.type == 'value' and e.value == 1.5 and e.late == 0)\n"
        "elseif s.row == 4 then assert(e.type == 'status' and e.phase == 'halt')\n"
        "elseif s.row == 5 then assert(e.price ~= e.price and e.ts == 1004 and e.ts_us == 1004e6 and e.phase == nil)\n"
        "end end }");
    at.event_at[0].flags = FM_FLAG_LATE;
    at.event_at[1].kind = FM_QUOTE;
    at.event_at[1].as.quote = (fm_quote){.bid = 99, .bid_size = 7, .ask = FM_ABSENT, .ask_size = FM_ABSENT};
    at.event_at[2].kind = FM_VALUE;
    at.event_at[2].as.value.value = 1.5;
    at.event_at[3].kind = FM_STATUS;
    at.event_at[3].as.status.phase = FM_PHASE_HALT;
    at.event_at[4].as.trade.price = FM_ABSENT;
    ran(&at, 5);
    at.slot_of[0][0] = 4;
    at.event_at[0] = at.event_at[4];
    at.event_at[0].as.trade.price = 1;
    fixture_call(&at, 0, 1)->scale = NULL; /* scales unknown: no prices */
    assert_int_equal(fixture_run(&at), 0);
    fixture_free(&at);
}

static void alerts_wait_for_room_and_none_is_lost(void **unused)
{
    (void)unused;
    static fixture at;
    opened(&at, RULE_EVENT("s.n = s.n + 1 ctx.alert { score = s.n } ctx.alert { score = -s.n }"));
    fixture_call(&at, 0, 6);
    at.call.emit_max = 5;
    double next = 1;
    int rounds = 0, result;
    do {
        at.call.emit_count = 0;
        result = fixture_run(&at);
        assert_true(result == 0 || result == FM_EBUSY);
        for (uint32_t i = 0; i < at.call.emit_count; i += 2, next++)
            assert_near(at.emit[i].score, next, 0);
        rounds++;
    } while (result == FM_EBUSY);
    assert_near(next, 7, 0);
    assert_int_equal(rounds, 3);
    fixture_call(&at, 0, 1)->emit_max = 1; /* less than one row needs */
    assert_int_equal(fixture_run(&at), FM_ERULE);
    assert_non_null(strstr(at.call.error.message, "no room"));
    fixture_free(&at);
}

/* The budget is of one record: what rows before have used does not count, so a batch means nothing. */
static void the_budget_is_filled_up_for_each_row(void **unused)
{
    (void)unused;
    static const fm_host_config small = {
        .budget = 100, .deadline_ns = 200 * FM_NS_PER_MS, .memory_bytes = 16u << 20, .jit = true};
    static fixture at;
    fm_error error;
    assert_int_equal(fixture_rule(&at, RULE_WHEN("for i = 1, f.a do end return true"), &small, &error), 0);
    for (uint32_t i = 0; i < 1000; i++)
        at.matrix[i * STRIDE] = 95;
    at.matrix[700 * STRIDE] = 101;
    fixture_call(&at, 0, 1000);
    assert_int_equal(fixture_run(&at), FM_EBUDGET);
    assert_int_equal(at.call.done, 700);
    at.call.done++;
    assert_int_equal(fixture_run(&at), 0);
    fixture_free(&at);
}

static double random_unit(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

static const char *const numeric_rule =
    "local function smooth(x, y) return x + (y - x) * 0.125 end\n"
    "local weights = { 0.5, 0.25, 0.125 }\n"
    "rule \"x\" { state = { mean = 0, high = 0, n = 0, bits = 0 }, " NEEDS "on_event = function(ctx, e, f, s)\n"
    "  s.mean = smooth(s.mean, math.log(1 + math.abs(f.a)) * math.exp(-f.b * 0.01) + math.pow(math.abs(f.c), 0.3))\n"
    "  s.high = math.max(s.high * 0.999, math.min(f.d, s.mean, 17))\n"
    "  local sum = 0 for i = 1, #weights do sum = sum + weights[i] * (f.a % (i + 0.5)) end\n"
    "  for k, v in pairs { z = f.a, y = f.b, [1] = f.c } do sum = (sum + v) * 0.5 end\n"
    "  s.bits = bit.band(bit.bxor(s.bits, f.a * 1000), 0xffff) s.n = s.n + sum / math.sqrt(1 + f.b * f.b) + "
    "math.floor(f.c) / 3\n"
    "  if s.mean > s.high then ctx.alert { score = sum, key = string.format('%.3f', s.mean) } end\n"
    "end }";

static bool is_compiling(lua_State *lua)
{
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.globals");
    lua_getfield(lua, -1, "jit");
    lua_getfield(lua, -1, "status");
    lua_call(lua, 0, 1);
    bool on = lua_toboolean(lua, -1);
    lua_pop(lua, 3);
    return on;
}

/* Compiled or interpreted, in one batch or in many: the same bits. */
static void results_are_the_same_to_the_bit_compiled_and_interpreted(void **unused)
{
    (void)unused;
    static fixture at[2];
    for (int j = 0; j < 2; j++) {
        fm_host_config own = config;
        own.jit = j == 0;
        fm_error error;
        if (fixture_load(&at[j], (const char *const[]){"t/x.lua"}, &numeric_rule, 1, &own, &error) < 0)
            fail_msg("%d: %s", error.line, error.message);
        assert_int_equal(is_compiling(fm_host_vm(at[j].host)->lua), own.jit);
        uint64_t seed = 42;
        for (uint32_t i = 0; i < ROWS_MAX * STRIDE; i++)
            at[j].matrix[i] = (random_unit(&seed) - 0.5) * 200;
    }
    uint32_t alerts = 0, row = 0;
    static const uint32_t sizes[] = {1, 7, 1000, 64, 3};
    for (int k = 0; row < ROWS_MAX - 1000; k++) {
        uint32_t count = sizes[k % 5];
        for (int j = 0; j < 2; j++) {
            for (uint32_t i = 0; i < count; i++)
                at[j].row[i] = row + i;
            fixture_call(&at[j], 0, count);
            int result;
            while ((result = fixture_run(&at[j])) == FM_EBUSY)
                at[j].call.emit_count = 0;
            if (result < 0)
                fail_msg("%d: %s", at[j].call.error.line, at[j].call.error.message);
        }
        assert_memory_equal(at[0].slot_of[0], at[1].slot_of[0], sizeof(at[0].slot_of[0]));
        assert_int_equal(at[0].call.emit_count, at[1].call.emit_count);
        assert_memory_equal(at[0].emit, at[1].emit, at[0].call.emit_count * sizeof(fm_rule_emit));
        alerts += at[0].call.emit_count;
        row += count;
    }
    assert_true(alerts > 20);
    fixture_free(&at[0]);
    fixture_free(&at[1]);
}

static void a_failed_load_leaves_the_old_generation_running(void **unused)
{
    (void)unused;
    static fixture at;
    opened(&at, RULE_WHEN("return f.a > 1"));
    fm_rule_load other;
    fm_error error;
    const char *files[] = {"t/x.lua"}, *texts[] = {RULE_WHEN("return f.a > 3")};
    assert_int_equal(fm_rules_load_texts(files, texts, 1, &other, &error), 0);
    assert_int_equal(at.runner->load(at.runner->self, other.set, &error),
                     FM_ENOTFOUND); /* its sources were not given */
    ran(&at, 3);
    assert_memory_equal(at.hit, "\0\0\1", 3);
    assert_int_equal(fm_host_sources(at.host, other.set, other.source, other.source_size), 0);
    assert_int_equal(at.runner->load(at.runner->self, other.set, &error), 0);
    ran(&at, 5);
    assert_memory_equal(at.hit, "\0\0\0\0\1", 5);
    fixture_free(&at);
    fm_rules_load_free(&other);
}

typedef struct worker {
    pthread_t thread;
    int index;
    fixture at;
    int result;
} worker;

static void *work(void *argument)
{
    worker *worker_at = argument;
    static const char bad[] = RULE_WHEN("while true do end"), good[] = RULE_WHEN("return f.a > 2");
    fm_host_config own = {
        .budget = 2000000000, .deadline_ns = 10 * FM_NS_PER_MS, .memory_bytes = 16u << 20, .jit = true};
    fm_error error;
    worker_at->result = -1;
    const char *text = worker_at->index % 2 ? bad : good;
    if (fixture_rule(&worker_at->at, text, &own, &error) < 0)
        return NULL;
    worker_at->result = 0;
    for (int i = 0; i < 200 && worker_at->result == 0; i++) {
        fixture_call(&worker_at->at, 0, 5);
        worker_at->result = fixture_run(&worker_at->at);
    }
    fixture_free(&worker_at->at);
    return NULL;
}

static void each_thread_has_its_own_deadline(void **unused)
{
    (void)unused;
    static worker workers[4];
    for (int i = 0; i < 4; i++) {
        workers[i].index = i;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].result, i % 2 ? FM_EDEADLINE : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_sees_its_needs_by_name_through_row_and_column),
        cmocka_unit_test(a_call_goes_on_behind_the_row_that_failed),
        cmocka_unit_test(handlers_keep_their_state_in_slots),
        cmocka_unit_test(a_row_that_fails_has_no_effect),
        cmocka_unit_test(timers_call_on_timer_and_the_last_ask_of_a_row_stands),
        cmocka_unit_test(the_event_shows_what_the_record_has_and_nan_for_the_rest),
        cmocka_unit_test(alerts_wait_for_room_and_none_is_lost),
        cmocka_unit_test(the_budget_is_filled_up_for_each_row),
        cmocka_unit_test(results_are_the_same_to_the_bit_compiled_and_interpreted),
        cmocka_unit_test(a_failed_load_leaves_the_old_generation_running),
        cmocka_unit_test(each_thread_has_its_own_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
