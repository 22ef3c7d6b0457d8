/* script/rule_test.c - runs the tests beside a rule through the runner itself, one record a step.
 *
 * What the engine adds (cooldown, for, the rate cap) is left out: a test is about what the body says of given values.
 * What the engine would not do is refused: a rule is not asked while a need is NaN, and a timer step needs a timer that
 * was asked for and is due. */
#include "script/host_internal.h"
#include "script/rule_file.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMS_MAX = 32, DECIMALS = 6, DAY_S = 1704153600 /* 2024-01-02 */ };

static const char *const severity_name[] = {"info", "warning", "error", "critical"};

typedef struct test_step {
    double given[FM_RULE_NEEDS_MAX];
    fm_event event;
    fm_bar_rest bar_rest; /* of a bar, behind its line as in the log */
    double at_s;          /* since midnight; below 0 = when its timer is due */
    bool timer;
    int expect; /* fm_severity, -1 = silence */
    char message[256];
} test_step;

typedef struct test_param {
    char name[32];
    int type; /* of Lua */
    double number;
    char text[64];
} test_param;

typedef struct test_case {
    char name[160], symbol[FM_SYMBOL_MAX + 1];
    int line;
    test_param param[PARAMS_MAX];
    uint32_t param_count, step_count;
    test_step *step;
} test_case;

typedef struct test_suite {
    const fm_rule *rule;
    test_case *test;
    uint32_t count;
} test_suite;

/* ---- from Lua */

static double number_of(lua_State *lua, const char *name, double otherwise)
{
    lua_getfield(lua, -1, name);
    double number = lua_isnumber(lua, -1) ? lua_tonumber(lua, -1) : lua_toboolean(lua, -1) ? 1.0 : otherwise;
    lua_pop(lua, 1);
    return number;
}

static void text_of(lua_State *lua, const char *name, char *out, size_t size)
{
    lua_getfield(lua, -1, name);
    snprintf(out, size, "%s", lua_tostring(lua, -1) ? lua_tostring(lua, -1) : "");
    lua_pop(lua, 1);
}

static int64_t integer_of(lua_State *lua, const char *name)
{
    double number = number_of(lua, name, NAN);
    return isnan(number) ? FM_ABSENT : llround(number * 1e6);
}

static void read_bar(lua_State *lua, fm_event *event, fm_bar_rest *rest)
{
    double trades = number_of(lua, "trades", NAN);
    event->as.bar = (fm_bar){.open = integer_of(lua, "open"),
                             .high = integer_of(lua, "high"),
                             .low = integer_of(lua, "low"),
                             .close = integer_of(lua, "close")};
    *rest = (fm_bar_rest){.interval_ns = llround(number_of(lua, "interval", 60) * 1e9),
                          .volume = integer_of(lua, "volume"),
                          .buy_volume = integer_of(lua, "buy_volume"),
                          .trade_count = trades >= 0 ? (uint64_t)trades : FM_SEQ_ABSENT};
}

static uint64_t count_of(lua_State *lua, const char *name)
{
    double number = number_of(lua, name, 0);
    return number > 0 ? (uint64_t)number : 0;
}

/* A level or an order. */
static void read_level(lua_State *lua, fm_event *event)
{
    uint8_t action = (uint8_t)count_of(lua, "action");
    event->flags |= number_of(lua, "more", 0) != 0 ? FM_FLAG_MORE : 0;
    event->flags |= number_of(lua, "snapshot", 0) != 0 ? FM_FLAG_SNAPSHOT : 0;
    if (event->kind == FM_BOOK)
        event->as.book = (fm_book){.price = integer_of(lua, "price"),
                                   .size = integer_of(lua, "size"),
                                   .order_count = (uint32_t)count_of(lua, "orders"),
                                   .action = action};
    else
        event->as.order = (fm_order){.price = integer_of(lua, "price"),
                                     .size = integer_of(lua, "size"),
                                     .order_id = count_of(lua, "order"),
                                     .account = (uint32_t)count_of(lua, "account"),
                                     .action = action};
}

/* The event table on top of the stack. */
static void read_event(lua_State *lua, fm_event *event, fm_bar_rest *rest)
{
    *event = (fm_event){.kind = (uint8_t)number_of(lua, "kind", FM_TRADE), .seq = FM_SEQ_ABSENT};
    event->flags = number_of(lua, "late", 0) != 0 ? FM_FLAG_LATE : 0;
    double side = number_of(lua, "side", 0);
    event->side = side > 0 ? FM_BUY : side < 0 ? FM_SELL : FM_SIDE_NONE;
    if (event->kind == FM_TRADE)
        event->as.trade = (fm_trade){.price = integer_of(lua, "price"), .size = integer_of(lua, "size")};
    else if (event->kind == FM_QUOTE)
        event->as.quote = (fm_quote){.bid = integer_of(lua, "bid"),
                                     .bid_size = integer_of(lua, "bid_size"),
                                     .ask = integer_of(lua, "ask"),
                                     .ask_size = integer_of(lua, "ask_size")};
    else if (event->kind == FM_VALUE)
        event->as.value.value = number_of(lua, "value", NAN);
    else if (event->kind == FM_BAR)
        read_bar(lua, event, rest);
    else if (event->kind == FM_BOOK || event->kind == FM_ORDER)
        read_level(lua, event);
}

static void read_step(lua_State *lua, test_step *out)
{
    lua_getfield(lua, -1, "given");
    for (int i = 0; i < FM_RULE_NEEDS_MAX; i++) {
        lua_rawgeti(lua, -1, i + 1);
        out->given[i] = lua_isnumber(lua, -1) ? lua_tonumber(lua, -1) : NAN;
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    lua_getfield(lua, -1, "event");
    read_event(lua, &out->event, &out->bar_rest);
    lua_pop(lua, 1);
    out->at_s = number_of(lua, "at", -1);
    out->timer = number_of(lua, "timer", 0) != 0;
    out->expect = (int)number_of(lua, "expect", -1);
    text_of(lua, "message", out->message, sizeof(out->message));
}

static void read_params(lua_State *lua, test_case *out)
{
    lua_getfield(lua, -1, "params");
    if (lua_istable(lua, -1)) {
        lua_pushnil(lua);
        while (lua_next(lua, -2)) {
            if (out->param_count < PARAMS_MAX) {
                test_param *param = &out->param[out->param_count++];
                snprintf(param->name, sizeof(param->name), "%s", lua_tostring(lua, -2));
                param->type = lua_type(lua, -1);
                param->number = param->type == LUA_TBOOLEAN ? lua_toboolean(lua, -1) : lua_tonumber(lua, -1);
                if (param->type == LUA_TSTRING)
                    snprintf(param->text, sizeof(param->text), "%s", lua_tostring(lua, -1));
            }
            lua_pop(lua, 1);
        }
    }
    lua_pop(lua, 1);
}

static void read_test(lua_State *lua, test_case *out)
{
    text_of(lua, "name", out->name, sizeof(out->name));
    text_of(lua, "symbol", out->symbol, sizeof(out->symbol));
    out->line = (int)number_of(lua, "line", 0);
    read_params(lua, out);
    lua_getfield(lua, -1, "steps");
    uint32_t count = (uint32_t)lua_objlen(lua, -1);
    out->step = calloc(count, sizeof(*out->step));
    if (!out->step)
        luaL_error(lua, "memory is exhausted");
    for (out->step_count = 0; out->step_count < count; out->step_count++) {
        lua_rawgeti(lua, -1, (int)out->step_count + 1);
        read_step(lua, &out->step[out->step_count]);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
}

static int read_suite(lua_State *lua, void *argument)
{
    test_suite *suite = argument;
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.tests");
    lua_getfield(lua, -1, suite->rule->id);
    uint32_t count = (uint32_t)lua_objlen(lua, -1);
    suite->test = calloc(count, sizeof(*suite->test));
    if (!suite->test)
        luaL_error(lua, "memory is exhausted");
    for (suite->count = 0; suite->count < count; suite->count++) {
        lua_rawgeti(lua, -1, (int)suite->count + 1);
        read_test(lua, &suite->test[suite->count]);
        lua_pop(lua, 1);
    }
    return 0;
}

/* ---- into the runner's state, and messages */

typedef struct overriding {
    const char *id;
    const test_case *test; /* NULL = the rule's own parameters again */
} overriding;

static int set_params(lua_State *lua, void *argument)
{
    const overriding *context = argument;
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.host");
    lua_getfield(lua, -1, "set_params");
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.heads");
    lua_getfield(lua, -1, context->id);
    lua_remove(lua, -2);
    if (!context->test) {
        lua_call(lua, 1, 0);
        return 0;
    }
    lua_newtable(lua);
    for (uint32_t i = 0; i < context->test->param_count; i++) {
        const test_param *param = &context->test->param[i];
        if (param->type == LUA_TSTRING)
            lua_pushstring(lua, param->text);
        else if (param->type == LUA_TBOOLEAN)
            lua_pushboolean(lua, param->number != 0);
        else
            lua_pushnumber(lua, param->number);
        lua_setfield(lua, -2, param->name);
    }
    lua_call(lua, 2, 0);
    return 0;
}

typedef struct rendering {
    const fm_rule *rule;
    const test_case *test;
    const test_step *step;
    const char *key;
    char text[512];
} rendering;

static int render(lua_State *lua, void *argument)
{
    rendering *context = argument;
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.host");
    lua_getfield(lua, -1, "render");
    lua_pushstring(lua, context->rule->message);
    lua_newtable(lua);
    for (uint32_t i = 0, visible = 0; i < context->rule->need_count; i++) {
        if (context->rule->needs[i].hidden)
            continue;
        lua_pushnumber(lua, context->step->given[visible++]);
        lua_setfield(lua, -2, context->rule->needs[i].name);
    }
    lua_pushstring(lua, context->test->symbol);
    lua_setfield(lua, -2, "symbol");
    lua_pushstring(lua, context->key);
    lua_setfield(lua, -2, "key");
    lua_call(lua, 2, 1);
    snprintf(context->text, sizeof(context->text), "%s", lua_tostring(lua, -1));
    return 0;
}

/* ---- running */

typedef struct running {
    fm_vm *vm;
    fm_rule_runner *runner;
    const fm_rule *rule;
    uint32_t index;
    const test_case *test;
    double slots[FM_RULE_SLOTS_MAX];
    int64_t due_ns; /* of the pending timer; 0 = none */
} running;

static int fail_test(const running *at, uint32_t step_index, fm_error *error, const char *what, const char *why)
{
    char step_text[32] = "";
    if (at->test->step_count > 1)
        snprintf(step_text, sizeof(step_text), ", step %u", step_index + 1);
    fm_fail(error, FM_ERULE, "the test \"%s\"%s %s%s", at->test->name, step_text, what, why);
    error->line = at->test->line;
    return FM_ERULE;
}

static bool is_ready(const running *at, const test_step *step)
{
    bool ready = true;
    for (uint32_t i = 0, visible = 0; i < at->rule->need_count; i++)
        if (!at->rule->needs[i].hidden)
            ready = !isnan(step->given[visible++]) && ready;
    return ready;
}

/* When the step takes place, and whether it may. */
static int time_of_step(running *at, uint32_t index, fm_event *event, fm_error *error)
{
    const test_step *step = &at->test->step[index];
    int64_t at_ns = step->at_s >= 0 ? DAY_S * FM_NS_PER_S + llround(step->at_s * 1e9) : at->due_ns;
    if (step->timer && !at->rule->has_on_timer)
        return fail_test(at, index, error, "cannot be run: ", "the rule has no on_timer");
    if (step->timer && at->due_ns == 0)
        return fail_test(at, index, error, "expected a timer, ", "but none was asked for");
    if (step->timer && at_ns < at->due_ns)
        return fail_test(at, index, error, "has a timer step ", "before the timer is due");
    if (!step->timer && at->due_ns > 0 && at_ns >= at->due_ns)
        return fail_test(at, index, error, "is past the time of a timer: ", "put { timer = true } before this step");
    event->ts_ns = at_ns;
    if (step->timer)
        at->due_ns = 0;
    return 0;
}

static void note_timer(running *at, const fm_rule_call *call, int64_t now_ns)
{
    if (call->timer_count == 0)
        return;
    int64_t least = at->rule->timer_min_ns > 0 ? at->rule->timer_min_ns : FM_TIMER_MIN_NS;
    int64_t due = call->timer_ask[call->timer_count - 1].due_ns;
    at->due_ns = due < now_ns + least ? now_ns + least : due;
}

static int check_message(const running *at, uint32_t index, const char *key, fm_error *error)
{
    const test_step *step = &at->test->step[index];
    if (!step->message[0])
        return 0;
    rendering context = {.rule = at->rule, .test = at->test, .step = step, .key = key};
    FM_TRY(fm_vm_protected(at->vm, render, &context, FM_NS_PER_S, error));
    return strcmp(context.text, step->message) == 0
               ? 0
               : fail_test(at, index, error, "has another message: ", context.text);
}

static int run_step(running *at, uint32_t index, fm_error *error)
{
    static const int8_t scale[1][2] = {{DECIMALS, DECIMALS}};
    const test_step *step = &at->test->step[index];
    uint16_t column[FM_RULE_NEEDS_MAX];
    for (uint16_t i = 0; i < FM_RULE_NEEDS_MAX; i++)
        column[i] = i;
    struct {
        fm_event event;
        fm_bar_rest bar_rest;
    } lines = {step->event, step->bar_rest};
    FM_TRY(time_of_step(at, index, &lines.event, error));
    const fm_event *events[1] = {&lines.event};
    double *slots[1] = {at->slots};
    uint8_t hit[1] = {0};
    fm_rule_emit emit[FM_RULE_ROW_EMITS_MAX];
    fm_timer_ask ask[FM_RULE_ROW_TIMERS_MAX];
    fm_rule_call call = {.rule = at->index,
                         .count = 1,
                         .matrix = step->given,
                         .stride = FM_RULE_NEEDS_MAX,
                         .row = (const uint32_t[1]){0},
                         .column = column,
                         .event = events,
                         .scale = scale,
                         .timer = &step->timer,
                         .slots = slots,
                         .hit = hit,
                         .emit = emit,
                         .emit_max = FM_RULE_ROW_EMITS_MAX,
                         .timer_ask = ask,
                         .timer_max = FM_RULE_ROW_TIMERS_MAX};
    if (step->timer || is_ready(at, step)) {
        int result = at->runner->run(at->runner->self, &call);
        if (result < 0) {
            *error = call.error;
            return result;
        }
    }
    note_timer(at, &call, lines.event.ts_ns);
    bool raised = hit[0] || call.emit_count > 0;
    uint32_t severity = call.emit_count > 0 && emit[0].severity != UINT32_MAX ? emit[0].severity : at->rule->severity;
    char what[64];
    snprintf(what, sizeof(what), "expected %s, ", step->expect < 0 ? "silence" : severity_name[step->expect]);
    if (!raised)
        return step->expect < 0 ? 0 : fail_test(at, index, error, what, "but there was no alert");
    if (step->expect != (int)severity)
        return fail_test(at, index, error, what, severity_name[severity]);
    return check_message(at, index, call.emit_count > 0 ? emit[0].key : "", error);
}

static int run_test(running *at, fm_host *host, fm_error *error)
{
    overriding context = {at->rule->id, at->test->param_count ? at->test : NULL};
    FM_TRY(fm_vm_protected(fm_host_vm(host), set_params, &context, FM_NS_PER_S, error));
    memcpy(at->slots, at->rule->slot_preset, sizeof(at->slots));
    at->due_ns = 0;
    for (uint32_t i = 0; i < at->test->step_count; i++)
        FM_TRY(run_step(at, i, error));
    return 0;
}

int fm_rule_test_run(fm_vm *vm, fm_host *host, const fm_rule_set *set, uint32_t index, uint32_t *tests,
                     uint32_t *failed, fm_error *error)
{
    test_suite suite = {.rule = &set->rule[index]};
    int result = fm_vm_protected(vm, read_suite, &suite, FM_NS_PER_S, error);
    for (uint32_t i = 0; i < suite.count && result != FM_EDEADLINE && result != FM_ERULE_MEMORY; i++) {
        running at = {
            .vm = vm, .runner = fm_host_runner(host), .rule = suite.rule, .index = index, .test = &suite.test[i]};
        fm_error own = {0};
        int outcome = run_test(&at, host, &own);
        (*tests)++;
        *failed += outcome < 0;
        if (outcome < 0 && result == 0) {
            result = outcome;
            *error = own;
        }
    }
    for (uint32_t i = 0; i < suite.count; i++)
        free(suite.test[i].step);
    free(suite.test);
    return result;
}
