/* Rules that would take the server with them: each is stopped, told with file and line, and the others run on. */
#include "rules_fixture.h"

#include <stdio.h>

static const fm_host_config config = {
    .budget = 20000, .deadline_ns = 50 * FM_NS_PER_MS, .memory_bytes = 8u << 20, .jit = true};

static const char good[] = "rule \"good\" { " NEEDS "when = function(f) return f.a > 2 end }";

/* Runs `text` as rule t/x beside t/good for `rounds` batches; row 1 of t/x must fail with `code` at `line`, and t/good
 * must see everything. */
static void stopped(const char *text, int code, int line, const char *message)
{
    static fixture at;
    fm_error error;
    const char *files[] = {"t/x.lua", "t/good.lua"}, *texts[] = {text, good};
    if (fixture_load(&at, files, texts, 2, &config, &error) < 0)
        fail_msg("%s\n  was refused at load: %s:%d: %s", text, error.file, error.line, error.message);
    for (int round = 0; round < 3; round++) {
        fm_rule_call *call = fixture_call(&at, 1, 5);
        call->done = 0;
        int result = fixture_run(&at);
        if (result != code || !strstr(call->error.message, message)) {
            fail_msg("%s\n  ended with %d (%s): %s:%d: %s", text, result, fm_error_name(result), call->error.file,
                     call->error.line, call->error.message);
        }
        assert_string_equal(call->error.file, "t/x.lua");
        assert_int_equal(call->error.line, line);
        assert_int_equal(call->done, 0);
        assert_int_equal(call->emit_count, 0);
        fixture_call(&at, 0, 5);
        assert_int_equal(fixture_run(&at), 0);
        assert_int_equal(at.call.done, 5);
        assert_memory_equal(at.hit, "\0\0\0\1\1", 5);
        if (code == FM_EDEADLINE || code == FM_ERULE_MEMORY)
            break; /* not run again */
    }
    fixture_free(&at);
}

static void refused(const char *text, int line, const char *message)
{
    static fixture at;
    fm_error error;
    if (fixture_rule(&at, text, &config, &error) == 0)
        fail_msg("taken: %s", text);
    if (!strstr(error.message, message))
        fail_msg("%s\n  is refused with: %s:%d: %s", text, error.file, error.line, error.message);
    assert_string_equal(error.file, "t/x.lua");
    assert_int_equal(error.line, line);
    fixture_free(&at);
}

static void endless_loops_end_with_their_budget(void **unused)
{
    (void)unused;
    stopped(RULE_WHEN("while true do end"), FM_EBUDGET, 3, "budget");
    stopped(RULE_WHEN("\n\nrepeat until false"), FM_EBUDGET, 5, "budget");
    stopped(RULE_WHEN("for i = 1, 1/0 do end"), FM_EBUDGET, 3, "budget");
    stopped(RULE_WHEN("::again::\ngoto again"), FM_EBUDGET, 4, "budget");
    stopped(RULE_WHEN("local x = 1 while true do x = x * 1.0000001 + f.a end"), FM_EBUDGET, 3, "budget");
    stopped(RULE_WHEN("for k in pairs(f.a == 0 and {1}) do while 1 do end end"), FM_EBUDGET, 3, "budget");
    stopped("local function g(n) while true do n = n + 1 end end\n" RULE_WHEN("return g(1)"), FM_EBUDGET, 1, "budget");
    stopped(RULE_EVENT("while true do ctx.now() end"), FM_EBUDGET, 3, "budget");
}

static void deep_recursion_ends(void **unused)
{
    (void)unused;
    stopped(RULE_WHEN("local function g(n) return 1 + g(n + 1) end\nreturn g(1)"), FM_EBUDGET, 3, "budget");
    static const fm_host_config roomy = {
        .budget = 2000000000, .deadline_ns = 5 * FM_NS_PER_S, .memory_bytes = 64u << 20, .jit = true};
    static fixture at;
    fm_error error;
    static const char *const bodies[] = {
        RULE_WHEN("local function g(n) return 1 + g(n + 1) end\nreturn g(1)"),
        RULE_WHEN("local function g() return g() end\nreturn g()")}; /* no call is a tail call */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fixture_rule(&at, bodies[i], &roomy, &error), 0);
        fixture_call(&at, 0, 1);
        assert_int_equal(fixture_run(&at), FM_ERULE);
        assert_non_null(strstr(at.call.error.message, "stack overflow"));
        assert_true(at.call.error.line == 3 ||
                    at.call.error.line == 2); /* compiled code tells no line of it: the handler's stands */
        fixture_free(&at);
    }
}

static void pathological_patterns_end_with_their_budget(void **unused)
{
    (void)unused;
    stopped(RULE_WHEN("local s = string.rep('a', 4000)\nreturn string.find(s, 'a*a*a*a*a*a*b')"), FM_EBUDGET, 4,
            "budget");
    stopped(RULE_WHEN("local s = string.rep('a', 4000)\nreturn string.match(s, '(.-)(.-)(.-)(.-)b')"), FM_EBUDGET, 4,
            "budget");
    stopped(RULE_WHEN("local s = string.rep('a', 4000)\nreturn string.gsub(s, '.-.-.-b', 'x')"), FM_EBUDGET, 4,
            "budget");
    stopped(RULE_WHEN("local s = string.rep('a', 4000)\nfor x in string.gmatch(s, '.-.-.-b') do end"), FM_EBUDGET, 4,
            "budget");
    stopped(RULE_WHEN("local s = string.rep('(', 4000)\nreturn s:find(('%b()'):rep(8))"), FM_EBUDGET, 4, "budget");
    stopped(RULE_WHEN("return string.rep('x', 1e9)"), FM_ERULE, 3, "64 KiB");
    stopped(RULE_WHEN("return ('x'):rep(60000, 'y'):rep(100)"), FM_ERULE, 3, "64 KiB");
    stopped(RULE_WHEN("return string.find('x', ('%a'):rep(200))"), FM_ERULE, 3, "longer than 256");
    stopped(
        RULE_WHEN(
            "local t = {} for i = 1, 200 do t[i] = 'a?' end return string.find(string.rep('a', 50), table.concat(t))"),
        FM_ERULE, 3, "longer than 256");
    stopped(RULE_WHEN("return string.format('%p', {})"), FM_ERULE, 3, "%p");
    stopped(RULE_WHEN("return string.gsub('abc', '%w', function() while true do end end)"), FM_EBUDGET, 3, "budget");
    stopped(RULE_WHEN("local t = {3, 2, 1, 5, 4} table.sort(t, function(a, b) while true do end end)"), FM_EBUDGET, 3,
            "budget");
}

static void memory_without_end_is_the_guilty_rules_own(void **unused)
{
    (void)unused;
    static const fm_host_config roomy = {
        .budget = 2000000000, .deadline_ns = 5 * FM_NS_PER_S, .memory_bytes = 8u << 20, .jit = true};
    static const char *const bodies[] = {
        RULE_WHEN("local t = {}\nfor i = 1, 1e9 do t[i] = { i } end"),
        RULE_WHEN("local s = 'x'\nwhile true do s = s .. s end"),
        RULE_WHEN("local t = {}\nwhile true do table.insert(t, 'x' .. #t) end"),
        RULE_WHEN("local t = {}\nfor i = 1, 1e9 do t[i] = function() return i end end"),
        RULE_WHEN("local t = {}\nfor i = 1, 1e9 do t = { t } end"),
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        static fixture at;
        fm_error error;
        const char *files[] = {"t/x.lua", "t/good.lua"}, *texts[] = {bodies[i], good};
        assert_int_equal(fixture_load(&at, files, texts, 2, &roomy, &error), 0);
        fixture_call(&at, 1, 5);
        int result = fixture_run(&at);
        if (result != FM_ERULE_MEMORY)
            fail_msg("%s ended with %d: %s", bodies[i], result, at.call.error.message);
        assert_int_equal(at.call.done, 0);
        assert_string_equal(at.call.error.file, "t/x.lua");
        assert_true(at.call.error.line >= 2);
        fixture_call(&at, 0, 5);
        assert_int_equal(fixture_run(&at), 0);
        assert_memory_equal(at.hit, "\0\0\0\1\1", 5);
        fixture_free(&at);
    }
}

/* With a budget that does not end, only the deadline is left. */
static void a_rule_past_its_deadline_is_killed_and_the_others_run_on(void **unused)
{
    (void)unused;
    static const fm_host_config roomy = {
        .budget = 2000000000, .deadline_ns = 10 * FM_NS_PER_MS, .memory_bytes = 64u << 20, .jit = true};
    static const char *const bodies[] = {
        RULE_WHEN(
            "if f.a < 3 then return false end\nlocal x = 1 while true do x = x + 1 if x > 1e6 then x = 1 end end"),
        RULE_WHEN("if f.a < 3 then return false end\nlocal t = {} for i = 1, 1000 do t[i] = i % 7 end\nwhile true do "
                  "table.sort(t) end"),
        RULE_WHEN("if f.a < 3 then return false end\nwhile true do local s = string.rep('x', 60000) .. f.a end"),
        RULE_EVENT("if f.a < 3 then s.n = s.n + 1 ctx.alert{} return end\ns.n = 100 ctx.alert{} while true do s.last = "
                   "s.last + 1 end"),
    };
    for (int i = 0; i < 12; i++) {
        static fixture at;
        fm_error error;
        const char *files[] = {"t/x.lua", "t/good.lua"}, *texts[] = {bodies[i % 4], good};
        assert_int_equal(fixture_load(&at, files, texts, 2, &roomy, &error), 0);
        fixture_call(&at, 1, 10);
        int result = fixture_run(&at);
        if (result != FM_EDEADLINE)
            fail_msg("%s ended with %d: %s", bodies[i % 4], result, at.call.error.message);
        assert_int_equal(at.call.done, 3);
        assert_string_equal(at.call.error.file, "t/x.lua");
        assert_int_equal(at.call.error.line, 2);
        assert_non_null(strstr(at.call.error.message, "deadline of 10 ms"));
        if (i % 4 == 3) { /* the killed call had no effect, the three before it had */
            assert_near(at.slot_of[0][1], 3, 0);
            assert_near(at.slot_of[0][0], 0, 0);
            assert_int_equal(at.call.emit_count, 3);
        }
        for (int round = 0; round < 3; round++) {
            fixture_call(&at, 0, 5);
            assert_int_equal(fixture_run(&at), 0);
            assert_memory_equal(at.hit, "\0\0\0\1\1", 5);
        }
        fixture_free(&at);
    }
}

static void a_rule_that_errs_each_record_is_told_each_time(void **unused)
{
    (void)unused;
    stopped(RULE_WHEN("local x\nreturn x.y"), FM_ERULE, 4, "attempt to index local 'x'");
    stopped(RULE_WHEN("error('it is\\nwrong')"), FM_ERULE, 3, "it is");
    stopped(RULE_WHEN("error({ file = 'elsewhere', line = 7 })"), FM_ERULE, 3, "table");
    stopped(RULE_WHEN("error()"), FM_ERULE, 3, "nil");
    stopped(RULE_WHEN("assert(f.a > 100, 'too small')"), FM_ERULE, 3, "too small");
    stopped("local function g(x)\n return x.y end\n" RULE_WHEN("return g(nil)"), FM_ERULE, 2, "attempt to index");
    stopped(RULE_WHEN("return ('x').y.z"), FM_ERULE, 3, "attempt to index");
    stopped(RULE_WHEN("return f['mo' .. 've'] > 1"), FM_ERULE, 3, "needs has no field \"move\"");
    stopped(RULE_WHEN("return f[0]"), FM_ERULE, 3, "needs has no field");
    stopped(RULE_WHEN("return f[100000000]"), FM_ERULE, 3, "needs has no field");
    stopped(RULE_WHEN("return p['x']"), FM_ERULE, 3, "params has no field \"x\"");
    stopped(RULE_WHEN("f.a = 1"), FM_ERULE, 3, "constant");
    stopped(RULE_WHEN("p['x'] = 1"), FM_ERULE, 3, "params cannot be written");
    stopped(RULE_EVENT("s['x'] = 1"), FM_ERULE, 3, "state has no field \"x\"");
    stopped(RULE_EVENT("ctx['x'] = 1"), FM_ERULE, 3, "ctx cannot be written");
    stopped(RULE_EVENT("s.n = f"), FM_ERULE, 3, "cannot convert");
    stopped(RULE_EVENT("s.n = 'x'"), FM_ERULE, 3, "cannot convert");
    stopped(RULE_EVENT("ctx.alert { severty = 'info' }"), FM_ERULE, 3, "did you mean severity?");
    stopped(RULE_EVENT("ctx.alert { severity = 'loud' }"), FM_ERULE, 3, "severity is");
    stopped(RULE_EVENT("ctx.alert { key = string.rep('k', 64) }"), FM_ERULE, 3, "longer than 63");
    stopped(RULE_EVENT("ctx.alert { key = 'a b' }"), FM_ERULE, 3, "printable");
    stopped(RULE_EVENT("for i = 1, 9 do ctx.alert() end"), FM_ERULE, 3, "more than 8 alerts");
    stopped(RULE_EVENT("ctx.timer(0)"), FM_ERULE, 3, "number of seconds");
    stopped(RULE_EVENT("ctx.timer(0/0)"), FM_ERULE, 3, "number of seconds");
}

static void frozen_tables_cannot_carry_state_by_any_way_round(void **unused)
{
    (void)unused;
    stopped("local t = {}\n" RULE_WHEN("local u = t u.x = 1"), FM_ERULE, 4, "frozen");
    stopped("local t = {}\n" RULE_WHEN("table.insert(t, 1)"), FM_ERULE, 4, "frozen");
    stopped("local t = {1}\n" RULE_WHEN("table.remove(t)"), FM_ERULE, 4, "frozen");
    stopped("local t = {2, 1}\n" RULE_WHEN("table.sort(t)"), FM_ERULE, 4, "frozen");
    stopped("local t = { a = { b = {} } }\n" RULE_WHEN("local u = t.a.b u[1] = 1"), FM_ERULE, 4, "frozen");
    stopped("local t = {}\nlocal function g() return t end\n" RULE_WHEN("local u = g() u.x = 1"), FM_ERULE, 5,
            "frozen");
    stopped("local t = {}\nlocal h = { g = function() return t end }\n" RULE_WHEN("local u = h.g() u.x = 1"), FM_ERULE,
            5, "frozen");
    stopped("local m = math\n" RULE_WHEN("local u = m u.abs = 1"), FM_ERULE, 4, "frozen");
    stopped(RULE_WHEN("local u = string u.x = 1"), FM_ERULE, 3, "frozen");
    stopped(RULE_WHEN("local u = ('').rep and '' u.x = 1"), FM_ERULE, 3, "attempt to index");
    stopped(RULE_WHEN("rule 'y' {}"), FM_ERULE, 3, "while a rule file is read");
    stopped(RULE_WHEN("return feature.ewma {}"), FM_ERULE, 3, "needs = {");
    refused("local n = 0\n" RULE_WHEN("n = n + 1"), 4, "cannot write \"n\"");
    refused(RULE_WHEN("n = 1"), 3, "cannot write the global");
    refused(RULE_WHEN("return 2 ^ f.a > 1"), 3, "operator ^");
    refused(RULE_WHEN("return pcall(function() end)"), 3, "unknown name \"pcall\"");
    refused(RULE_WHEN("return getmetatable('')"), 3, "unknown name \"getmetatable\"");
    refused("\x1bLJ\x02\x0a", 1, "unexpected byte");
    refused(RULE_WHEN("return f.mvoe > 1"), 3, "needs has no field \"mvoe\"");
    refused("while true do end", 1, "budget");
    refused("local s = 'x' while true do s = s .. s end", 0, "memory"); /* Lua tells no line when memory is gone */
    refused("local t = {} for i = 1, 2e6 do t[1] = i end " RULE_WHEN("return t"), 1, "budget");
}

static void text_shows_no_address_and_order_is_sorted(void **unused)
{
    (void)unused;
    static fixture at;
    fm_error error;
    const char *text =
        RULE_EVENT("local seen = {}\n"
                   "for k, v in pairs { b = 2, a = 1, [3] = 'x', [1] = 'y', [2] = 'z', c = 3, [0.5] = 0 } do "
                   "table.insert(seen, tostring(k)) end\n"
                   "assert(table.concat(seen, ' ') == '0.5 1 2 3 a b c', table.concat(seen, ' '))\n"
                   "local t, n = { z = 1, y = 2, x = 3 }, 0\n"
                   "local k = next(t) while k do n = n + 1 assert(k == ('xyz'):sub(n, n)) k = next(t, k) end\n"
                   "assert(next({}) == nil)\n"
                   "local all = tostring(f) .. tostring(e) .. tostring(s) .. tostring(ctx) .. tostring({}) .. "
                   "tostring(tostring) .. tostring(ctx.params)\n"
                   "assert(all == 'recordrecordrecordrecordtablefunctiontable', all)\n"
                   "local made = string.format('%s %s %5.1f %d %q', {}, nil, 1.26, 3, 'x')\n"
                   "assert(made == 'table nil   1.3 3 \"x\"', made)\n"
                   "assert(#ctx.params == 0)");
    assert_int_equal(fixture_rule(&at, text, &config, &error), 0);
    fixture_call(&at, 0, 1);
    if (fixture_run(&at) < 0)
        fail_msg("%d: %s", at.call.error.line, at.call.error.message);
    fixture_free(&at);
}

/* A failed call must not name another file or line than its own, whatever it raises. */
static void an_error_value_cannot_pretend_to_be_elsewhere(void **unused)
{
    (void)unused;
    stopped(RULE_WHEN("error('good.lua:99: it was another')"), FM_ERULE, 3, "it was another");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_loops_end_with_their_budget),
        cmocka_unit_test(deep_recursion_ends),
        cmocka_unit_test(pathological_patterns_end_with_their_budget),
        cmocka_unit_test(memory_without_end_is_the_guilty_rules_own),
        cmocka_unit_test(a_rule_past_its_deadline_is_killed_and_the_others_run_on),
        cmocka_unit_test(a_rule_that_errs_each_record_is_told_each_time),
        cmocka_unit_test(frozen_tables_cannot_carry_state_by_any_way_round),
        cmocka_unit_test(text_shows_no_address_and_order_is_sorted),
        cmocka_unit_test(an_error_value_cannot_pretend_to_be_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
