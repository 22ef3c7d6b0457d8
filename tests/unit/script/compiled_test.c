/* Hot rules are compiled: each loop has a trace, and nothing in the rules in the box falls back to the interpreter. And
 * reloads leave nothing behind. */
#include "rules_fixture.h"

#include <lauxlib.h>
#include <stdio.h>
#include <unistd.h>

static const fm_host_config config = {
    .budget = 100000, .deadline_ns = 500 * FM_NS_PER_MS, .memory_bytes = 64u << 20, .jit = true};

/* Counts what LuaJIT tells of its traces from here on: starts, stops, and aborts with the reason of the last one.
 * Reason 8 is left out: the batch ended while its loop was being recorded, so LuaJIT waits for the next one. */
static void watch_traces(fm_vm *vm)
{
    static const char text[] = "local jit, out = ... jit.attach(function(what, trace, _, _, why)\n"
                               "if why == 8 then return end out[what] = (out[what] or 0) + 1 if what == 'abort' then "
                               "out.why = why end end, 'trace')";
    lua_State *lua = vm->lua;
    assert_int_equal(luaL_loadstring(lua, text), 0);
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.globals");
    lua_getfield(lua, -1, "jit");
    lua_remove(lua, -2);
    lua_newtable(lua);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, LUA_REGISTRYINDEX, "test.traces");
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.globals");
    lua_setfenv(lua, -4);
    if (lua_pcall(lua, 2, 0, 0) != 0)
        fail_msg("%s", lua_tostring(lua, -1));
}

static double traces(fm_vm *vm, const char *what)
{
    lua_getfield(vm->lua, LUA_REGISTRYINDEX, "test.traces");
    lua_getfield(vm->lua, -1, what);
    double count = lua_tonumber(vm->lua, -1);
    lua_pop(vm->lua, 2);
    return count;
}

static double random_normal(uint64_t *seed)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(*seed >> 11) / 9007199254740992.0;
    }
    return sum;
}

static void every_rule_in_the_box_is_compiled(void **unused)
{
    (void)unused;
    static fixture at;
    fm_error error;
    memset(&at, 0, sizeof(at));
    if (fm_rules_load(FMADS_SOURCE_DIR "/rules", &at.load, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(fm_host_create(&config, &at.host, &error), 0);
    at.runner = fm_host_runner(at.host);
    assert_int_equal(fm_host_sources(at.host, at.load.set, at.load.source, at.load.source_size), 0);
    assert_int_equal(at.runner->load(at.runner->self, at.load.set, &error), 0);
    uint64_t seed = 5;
    for (uint32_t i = 0; i < ROWS_MAX; i++) {
        at.row[i] = i;
        at.event_at[i] = (fm_event){.ts_ns = (int64_t)(1700000000 + i) * FM_NS_PER_S,
                                    .kind = i % 3 ? FM_QUOTE : FM_TRADE,
                                    .seq = FM_SEQ_ABSENT};
        at.event[i] = &at.event_at[i];
        at.slots[i] = at.slot_of[0];
        for (uint32_t c = 0; c < STRIDE; c++)
            at.matrix[i * STRIDE + c] = random_normal(&seed) * 3;
    }
    for (uint16_t c = 0; c < STRIDE; c++)
        at.column[c] = c;
    fm_vm *vm = fm_host_vm(at.host);
    for (uint32_t r = 0; r < at.load.set->count; r++) {
        watch_traces(vm);
        for (int round = 0; round < 20; round++) {
            fixture_call(&at, r, ROWS_MAX);
            if (fixture_run(&at) < 0)
                fail_msg("%s: %s", at.load.set->rule[r].id, at.call.error.message);
        }
        lua_getfield(vm->lua, LUA_REGISTRYINDEX, "test.traces");
        lua_getfield(vm->lua, -1, "why");
        if (traces(vm, "stop") < 1 || traces(vm, "abort") > 0)
            fail_msg("%s: %.0f traces, %.0f aborts (%s)", at.load.set->rule[r].id, traces(vm, "stop"),
                     traces(vm, "abort"), lua_isnil(vm->lua, -1) ? "" : lua_tostring(vm->lua, -1));
        lua_pop(vm->lua, 2);
        for (int round = 0; round < 20;
             round++) { /* warm at last: nothing is compiled any more, and `when` allocates nothing */
            fixture_call(&at, r, ROWS_MAX);
            double before = traces(vm, "start");
            size_t live = vm->memory.live;
            assert_int_equal(fixture_run(&at), 0);
            if (round < 10)
                continue;
            assert_true(traces(vm, "start") == before);
            if (at.load.set->rule[r].has_when)
                assert_int_equal(vm->memory.live, live);
        }
    }
    fixture_free(&at);
}

static long resident_pages(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size, resident = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident;
}

static void two_thousand_reloads_leave_nothing_behind(void **unused)
{
    (void)unused;
    static fixture at;
    fm_error error;
    char text[2][400];
    fm_rule_load load[2];
    for (int i = 0; i < 2; i++) {
        snprintf(text[i], sizeof(text[i]), RULE_WHEN("return f.a > %d"), i);
        assert_int_equal(
            fm_rules_load_texts((const char *const[]){"t/x.lua"}, (const char *const[]){text[i]}, 1, &load[i], &error),
            0);
    }
    assert_int_equal(fixture_rule(&at, text[0], &config, &error), 0);
    long before = 0;
    for (int i = 0; i < 2000; i++) {
        const fm_rule_load *next = &load[i % 2];
        assert_int_equal(fm_host_sources(at.host, next->set, next->source, next->source_size), 0);
        assert_int_equal(at.runner->load(at.runner->self, next->set, &error), 0);
        fixture_call(&at, 0, 200);
        assert_int_equal(fixture_run(&at), 0);
        assert_int_equal(at.hit[1], i % 2 == 0);
        if (i == 200)
            before = resident_pages();
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their own bookkeeping grows */
    assert_true(resident_pages() - before < 256);
#endif
    assert_true(before > 0);
    fixture_free(&at);
    for (int i = 0; i < 2; i++)
        fm_rules_load_free(&load[i]);
}

static void kills_leave_little_behind_and_the_thread_goes_on(void **unused)
{
    (void)unused;
    static const fm_host_config strict = {
        .budget = 2000000000, .deadline_ns = 2 * FM_NS_PER_MS, .memory_bytes = 16u << 20, .jit = true};
    long before = 0;
    for (int i = 0; i < 30; i++) {
        static fixture at;
        fm_error error;
        assert_int_equal(fixture_rule(&at, RULE_WHEN("while true do end"), &strict, &error), 0);
        fixture_call(&at, 0, 10);
        assert_int_equal(fixture_run(&at), FM_EDEADLINE);
        fixture_free(&at);
        if (i == 5)
            before = resident_pages();
    }
    assert_true(resident_pages() - before <
                25 * 32); /* at most the 64 KiB of machine code that LuaJIT maps by itself, and some */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_in_the_box_is_compiled),
        cmocka_unit_test(two_thousand_reloads_leave_nothing_behind),
        cmocka_unit_test(kills_leave_little_behind_and_the_thread_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
