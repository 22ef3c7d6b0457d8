/* Rule files: what is read from a head, what is refused with its place and a way out, and that the rules in the box
 * pass their tests. */
#include "rules_fixture.h"

#include <stdio.h>

static int load_one(const char *text, const char *tests, fm_rule_load *load, fm_error *error)
{
    const char *files[] = {"t/x.lua", "t/x_test.lua"}, *texts[] = {text, tests};
    memset(error, 0, sizeof(*error));
    return fm_rules_load_texts(files, texts, tests ? 2 : 1, load, error);
}

static void refused(const char *text, int line, int column, const char *message, const char *hint)
{
    fm_rule_load load;
    fm_error error;
    int result = load_one(text, NULL, &load, &error);
    if (result != FM_ERULE || !strstr(error.message, message) || !strstr(error.hint, hint))
        fail_msg("%s\n  gave %d: %d:%d: %s (%s)", text, result, error.line, error.column, error.message, error.hint);
    assert_null(load.set);
    assert_int_equal(load.report_count, 1);
    assert_false(load.report[0].ok);
    assert_string_equal(error.file, "t/x.lua");
    if (error.line != line || error.column != column)
        fail_msg("%s\n  is told at %d:%d, not %d:%d", text, error.line, error.column, line, column);
    fm_rules_load_free(&load);
}

static void a_head_is_read_in_full(void **unused)
{
    (void)unused;
    static const char text[] =
        "-- a rule\n"
        "rule \"x\" {\n"
        "  version = 3, state_version = 2, shadow = true, alerts_per_minute = 5, timer_min = '100ms',\n"
        "  match = { symbol = 'EUR*', class = 'fx', venue = 'XB?R', on = { 'trade', 'quote' } },\n"
        "  needs = {\n"
        "    z = detector.ewma_z { of = feature.log_return { of = 'mid' }, half_life = '1h30m', output = 'p' },\n"
        "    mid = feature.mid {},\n"
        "    a = feature.return_z { half_life = '500ms' },\n"
        "  },\n"
        "  state = { n = 1.5 },\n"
        "  on_event = function(ctx, e, f, s)\n"
        "    s.n = f.z\n"
        "  end,\n"
        "  on_timer = function() end,\n"
        "  severity = 'critical', message = '{symbol} {key} {z:+.1f} {mid:.2%}', cooldown = '5m', labels = { desk = "
        "'fx', team = 'a' },\n"
        "}\n";
    fm_rule_load load;
    fm_error error;
    if (load_one(text, NULL, &load, &error) < 0)
        fail_msg("%d: %s", error.line, error.message);
    const fm_rule *rule = &load.set->rule[0];
    assert_string_equal(rule->id, "t/x");
    assert_string_equal(rule->file, "t/x.lua");
    assert_int_equal(rule->version, 3);
    assert_int_equal(rule->state_version, 2);
    assert_int_equal(rule->line, 11);
    assert_true(rule->shadow && rule->has_on_event && rule->has_on_timer && !rule->has_when);
    assert_string_equal(rule->match.symbol, "EUR*");
    assert_string_equal(rule->match.class_, "fx");
    assert_string_equal(rule->match.venue, "XB?R");
    assert_true(rule->match.kinds == (1u << FM_TRADE | 1u << FM_QUOTE));
    assert_int_equal(rule->need_count, 4);
    assert_string_equal(rule->needs[0].name, "a");
    assert_near(rule->needs[0].params[0], 0.5, 1e-12);
    assert_int_equal(rule->needs[0].of_count, 0);
    assert_string_equal(rule->needs[1].name, "mid");
    assert_string_equal(rule->needs[2].name, "z.of");
    assert_true(rule->needs[2].hidden && rule->needs[2].of_count == 1 && rule->needs[2].of[0] == 1);
    assert_string_equal(rule->needs[3].name, "z");
    assert_int_equal(rule->needs[3].of[0], 2);
    assert_int_equal(rule->needs[3].output, fm_kernel_field_index(rule->needs[3].kernel->outputs, "p"));
    assert_near(rule->needs[3].params[fm_kernel_field_index(rule->needs[3].kernel->params, "half_life")], 5400, 1e-9);
    assert_int_equal(rule->slot_count, 1);
    assert_near(rule->slot_preset[0], 1.5, 0);
    assert_int_equal(rule->cooldown_ns, 300 * FM_NS_PER_S);
    assert_int_equal(rule->timer_min_ns, 100 * FM_NS_PER_MS);
    assert_int_equal(rule->alerts_per_minute, 5);
    assert_int_equal(rule->severity, FM_CRITICAL);
    assert_int_equal(rule->label_count, 2);
    assert_string_equal(rule->label_name[1], "team");
    assert_string_equal(rule->label_value[0], "fx");
    fm_hash128 hash = fm_hash128_of(text, strlen(text));
    assert_memory_equal(&rule->hash, &hash, sizeof(hash));
    assert_string_equal(load.source[0], text);
    fm_rules_load_free(&load);
}

static void presets_are_what_the_manual_says(void **unused)
{
    (void)unused;
    fm_rule_load load;
    fm_error error;
    assert_int_equal(
        load_one(
            "rule \"x\" { needs = { m = feature.move_z {} }, when = function(f) return f.m > 1 end, [\"for\"] = 2.5 }",
            NULL, &load, &error),
        0);
    const fm_rule *rule = &load.set->rule[0];
    assert_int_equal(rule->version, 1);
    assert_int_equal(rule->state_version, 1);
    assert_int_equal(rule->severity, FM_WARNING);
    assert_int_equal(rule->alerts_per_minute, 600);
    assert_int_equal(rule->for_ns, 2500 * FM_NS_PER_MS);
    assert_int_equal(rule->cooldown_ns, 0);
    assert_string_equal(rule->message, "{symbol}: x");
    for (int i = 0; i < fm_kernel_field_count(rule->needs[0].kernel->params); i++)
        assert_near(rule->needs[0].params[i], rule->needs[0].kernel->params[i].preset, 0);
    fm_rules_load_free(&load);
}

#define HEAD "rule \"x\" {\n"
#define BODY "needs = { m = feature.mid {} }, when = function(f) return f.m > 1 end,"

static void what_is_wrong_in_a_head_is_told_with_place_and_way_out(void **unused)
{
    (void)unused;
    refused(HEAD " needs = { m = feature.retrun_z {} } }", 2, 12, "there is no feature \"retrun_z\"",
            "did you mean return_z?");
    refused(HEAD " needs = {\n  m = detector.xyzzy {} } }", 3, 3, "there is no detector \"xyzzy\"", "auto, ");
    refused(HEAD " needs = {\n  m = detector.xyzzy {} } }", 3, 3, "there is no detector \"xyzzy\"", " more");
    refused(HEAD " needs = { m = feature.ewma { half_lfe = 1 } } }", 2, 31, "feature.ewma has no field \"half_lfe\"",
            "did you mean half_life?");
    refused(HEAD " needs = { m = feature.ewma { half_life = '30x' } } }", 2, 31, "half_life must be a duration", "30m");
    refused(HEAD " needs = { m = feature.ewma {\n half_life = 1e9 } } }", 3, 2,
            "half_life = 1000000000 lies outside 0.001 to 2678400 s", "age at which");
    refused(HEAD " needs = { m = feature.ewma { half_life = 0/0 } } }", 2, 31, "lies outside", "");
    refused(HEAD " needs = { m = feature.vpin { count = 50 } } }", 2, 12, "the parameter \"volume\" (size of a bucket", "");
    refused(HEAD " needs = { m = feature.ewma { output = 'zz' } } }", 2, 31, "feature.ewma has no output \"zz\"",
            "did you mean z?");
    refused(HEAD " needs = { m = feature.mid { of = 'n' } } }", 2, 30, "mid takes no series", "");
    refused(HEAD " needs = { m = feature.ewma { of = 'n' } } }", 2, 31, "names no need", "");
    refused(HEAD " needs = { m = detector.ewma_z { gate = 2 } } }", 2, 34, "gate must be a probability", "not learned from");
    refused(HEAD " needs = { m = feature.ewma { gate = 0.01 } } }", 2, 31, "gate", "");
    refused(HEAD " needs = { a = feature.ewma { of = 'b' }, b = feature.ewma { of = 'a' } } }", 2, 12,
            "is made of itself", "");
    refused(HEAD " needs = { m = 5 } }", 2, 12, "must be a feature or a detector", "feature.NAME");
    refused(HEAD " needs = { m = feature.mid } }", 2, 12, "must be a feature or a detector", "");
    refused(HEAD " needs = { float = feature.mid {} } }", 2, 12, "the word is reserved", "");
    refused(HEAD " needs = { Move = feature.mid {} } }", 2, 12, "a need's name must be", "");
    refused(HEAD " needs = { feature.mid {} } }", 2, 2, "a need's name must be", "");
    refused(HEAD BODY " severty = 'info' }", 2, 72, "a rule has no field \"severty\"", "did you mean severity?");
    refused(HEAD BODY "\n severity = 'loud' }", 3, 2, "severity cannot be \"loud\"", "critical");
    refused(HEAD BODY "\n severity = 3 }", 3, 2, "severity must be a string", "");
    refused(HEAD BODY "\n cooldown = '5 minutes' }", 3, 2, "cooldown must be a duration", "5m");
    refused(HEAD BODY "\n cooldown = -1 }", 3, 2, "cooldown must be a duration", "");
    refused(HEAD BODY "\n version = 1.5 }", 3, 2, "version must be a whole number", "");
    refused(HEAD BODY "\n alerts_per_minute = 0 }", 3, 2, "from 1 to 60000", "");
    refused(HEAD BODY "\n match = { on = 'trades' } }", 3, 12, "match.on has no \"trades\"", "\"trade\"");
    refused(HEAD BODY "\n match = { symbl = 'X' } }", 3, 12, "match has no field \"symbl\"", "did you mean symbol?");
    refused(HEAD BODY "\n match = { symbol = 'a b' } }", 3, 12, "match.symbol must be a name", "");
    refused(HEAD BODY "\n message = 'at {price}' }", 3, 2, "which is no need", "");
    refused(HEAD BODY "\n message = 'at {m' }", 3, 2, "a brace without its other half", "");
    refused(HEAD BODY "\n message = 'at {m:5d}' }", 3, 2, "whose format is not taken", "[+]");
    refused(HEAD BODY "\n message = 'at {symbol:.1f}' }", 3, 2, "is text and takes no format", "");
    refused(HEAD BODY "\n labels = { desk = 5 } }", 3, 13, "the label desk must be text", "");
    refused(HEAD BODY "\n state = { n = 0 } }", 3, 2, "when has no state", "on_event");
    refused(HEAD BODY "\n params = { p = {} } }", 3, 13, "params.p must be a number", "");
    refused(HEAD "on_event = function() end, state = { n = 'x' } }", 2, 38, "state.n must be a number", "");
    refused(HEAD "on_timer = function() end }", 2, 1, "on_timer alone is never called", "ctx.timer");
    refused(HEAD BODY "\n on_event = function() end }", 3, 2, "either when or handlers", "");
    refused(HEAD "when = 5 }", 2, 1, "when must be a function", "");
    refused(HEAD "when = function() end }", 2, 1, "when needs something to look at", "");
    refused(HEAD "severity = 'info' }", 0, 0, "the rule has no body", "");
    refused(HEAD BODY "\n for_ = 1, ['for'] = 2 }", 3, 2, "are one field", "");
    refused("rule \"y\" {" BODY "}", 0, 0, "the rule is named \"y\" but its file \"x\"", "");
    refused("local x = 1", 0, 0, "the file declares no rule", "rule \"x\"");
    refused("rule \"x\" {" BODY "}\nrule \"x\" {" BODY "}", 2, 0, "a file declares one rule", "");
    refused("rule(5)", 1, 0, "a rule has a name", "");
    refused("local x\nx()", 2, 0, "attempt to call local 'x'", "");
    refused("rule \"x\" {\n when = function(f)\n  return f.m >\n end }", 4, 2, "expected an expression near end", "");
}

static void fields_that_a_handler_misspells_are_told_at_once(void **unused)
{
    (void)unused;
    refused("rule \"x\" { needs = { move = feature.mid {} }, params = { limit = 5 },\nwhen = function(f, p) return "
            "f.mvoe > p.limit end }",
            2, 32, "needs has no field \"mvoe\"", "did you mean move?");
    refused("rule \"x\" { needs = { move = feature.mid {} }, params = { limit = 5 },\nwhen = function(f, p) return "
            "f.move > p.limt end }",
            2, 41, "params has no field \"limt\"", "did you mean limit?");
    refused("rule \"x\" { state = { last = 0 },\non_event = function(ctx, e, f, s) s.lsat = e.price end }", 2, 37,
            "state has no field \"lsat\"", "did you mean last?");
    refused("rule \"x\" { state = { last = 0 },\non_event = function(ctx, e, f, s) s.last = e.prize end }", 2, 46,
            "the event has no field \"prize\"", "did you mean price?");
    refused("rule \"x\" { on_event = function(c) c.alrt {} end }", 1, 37, "ctx has no field \"alrt\"",
            "did you mean alert?");
}

static void failing_test(const char *tests, const char *message, int line)
{
    static const char rule[] = "rule \"x\" { needs = { m = feature.mid {} }, params = { limit = 5 },\n"
                               "when = function(f, p) return f.m > p.limit end, message = '{symbol} at {m:.1f}' }";
    fm_rule_load load;
    fm_error error;
    int result = load_one(rule, tests, &load, &error);
    if (message ? result != FM_ERULE || !strstr(error.message, message) || error.line != line : result != 0)
        fail_msg("%s\n  gave %d, line %d: %s", tests, result, error.line, error.message);
    if (message) {
        assert_string_equal(error.file, "t/x_test.lua");
        assert_null(load.set);
    }
    fm_rules_load_free(&load);
}

#define MANY HEAD " needs = { a = feature.mid {}, b = feature.spread {},\n  m = detector.half_space_trees "
#define WHEN " }, when = function(f) return f.m > 1 end }"

static void a_list_of_series_is_read_in_its_order(void **unused)
{
    (void)unused;
    static const char text[] = MANY "{ of = { 'b', 'a', feature.log_return {} } }" WHEN;
    fm_rule_load load;
    fm_error error;
    if (load_one(text, NULL, &load, &error) < 0)
        fail_msg("%d: %s", error.line, error.message);
    const fm_rule *rule = &load.set->rule[0];
    assert_int_equal(rule->need_count, 4);
    assert_string_equal(rule->needs[2].name, "m.of3");
    const fm_need *many = &rule->needs[3];
    assert_string_equal(many->name, "m");
    assert_int_equal(many->of_count, 3);
    assert_true(many->of[0] == 1 && many->of[1] == 0 && many->of[2] == 2);
    assert_near(many->params[fm_kernel_field_index(many->kernel->params, "dims")], 3, 0);
    fm_rules_load_free(&load);
    static const char *const alone[] = {"{ of = 'a' }", "{}", "{ of = { 'a' } }"};
    for (uint32_t i = 0; i < 3; i++) {
        char one[400];
        snprintf(one, sizeof(one), MANY "%s" WHEN, alone[i]);
        assert_int_equal(load_one(one, NULL, &load, &error), 0);
        const fm_need *need = &load.set->rule[0].needs[2];
        assert_int_equal(need->of_count, i != 1);
        assert_near(need->params[fm_kernel_field_index(need->kernel->params, "dims")], 1, 0);
        fm_rules_load_free(&load);
    }
}

static void what_is_wrong_with_a_list_of_series_is_told(void **unused)
{
    (void)unused;
    refused(MANY "{ of = {} }" WHEN, 3, 35, "of must be a need, or a list of needs", "");
    refused(MANY "{ of = { x = 'a' } }" WHEN, 3, 35, "of must be a need, or a list of needs", "");
    refused(MANY "{ of = { 'a', 'a' } }" WHEN, 3, 35, "of names \"a\" twice", "");
    refused(MANY "{ of = { 'a', 'c' } }" WHEN, 3, 35, "of = \"c\" names no need", "");
    refused(MANY "{ of = { 'a', 3 } }" WHEN, 3, 35, "of must be the name of another need, or a feature", "");
    refused(MANY "{ of = { 'a', 'm' } }" WHEN, 3, 3, "the need \"m\" is made of itself", "");
    refused(MANY "{ dims = 2 }" WHEN, 3, 35, "half_space_trees counts its dims itself", "as many as of");
    refused(HEAD " needs = { a = feature.mid {}, m = feature.ewma { of = { 'a', 'm' } }" WHEN, 2, 51,
            "ewma takes one series, not 2", "");
    refused(HEAD " needs = { m = feature.garman_klass { of = { 'm' } }" WHEN, 2, 39, "garman_klass takes no series",
            "");
    refused(MANY "{ of = { 'a', 'b', feature.mid {}, feature.mid {}, feature.mid {}, feature.mid {}, feature.mid {}, "
                 "feature.mid {},\n"
                 "feature.mid {} } }" WHEN,
            3, 35, "half_space_trees takes at most 8 series, not 9", "");
}

static void tests_send_bars_levels_and_orders(void **unused)
{
    (void)unused;
    static const char rule[] =
        "rule 'x' { match = { on = { 'bar', 'book', 'order' } }, on_event = function(ctx, e)\n"
        "if e.type == 'bar' and e.high - e.low > 5 and e.interval == 60 and e.trades ~= e.trades then ctx.alert {} "
        "end\n"
        "if e.type == 'book' and e.action == 'delete' and e.side == -1 and e.price == 2.5 then ctx.alert {} end\n"
        "if e.action == 'execute' and e.order == 7 and e.more == 1 and e.account == 3 then ctx.alert {} end\n"
        "end }";
    static const char tests[] =
        "test 'bar' { steps = { { event = { open = 10, high = 16, low = 10, close = 12, volume = 5 }, expect = "
        "'warning' },\n"
        " { event = { type = 'bar', open = 10, high = 11, low = 10, close = 10, interval = 60 } } } }\n"
        "test 'book' { event = { type = 'book', action = 'delete', side = -1, price = 2.5, size = 0 }, expect = "
        "'warning' }\n"
        "test 'set' { event = { type = 'book', side = -1, price = 2.5, size = 1, orders = 3, snapshot = true } }\n"
        "test 'order' { event = { type = 'order', action = 'execute', order = 7, size = 1, more = true, account = 3 }, "
        "expect = 'warning' }";
    fm_rule_load load;
    fm_error error;
    if (load_one(rule, tests, &load, &error) < 0)
        fail_msg("%d: %s", error.line, error.message);
    assert_int_equal(load.report[0].tests, 4);
    assert_int_equal(load.set->rule[0].match.kinds, 1u << FM_BAR | 1u << FM_BOOK | 1u << FM_ORDER);
    fm_rules_load_free(&load);
    failing_test("test 'typo' { event = { type = 'order', action = 'kill' } }", "event.action cannot be \"kill\"", 0);
    failing_test("test 'typo' { event = { type = 'bar', action = 'set' } }", "event.action belongs to books and orders",
                 0);
    failing_test("test 'typo' { event = { type = 'news' } }", "event.type cannot be \"news\"", 0);
}

static void tests_beside_a_rule_decide(void **unused)
{
    (void)unused;
    failing_test("test 'fires' { given = { m = 6 }, expect = 'warning', message = 'TEST at 6.0' }", NULL, 0);
    failing_test("test 'is quiet' { given = { m = 4 }, expect = nil }\ntest 'not warm' { given = {}, expect = nil }",
                 NULL, 0);
    failing_test("test 'params' { given = { m = 4 }, params = { limit = 3 }, expect = 'warning' }\n"
                 "test 'and back' { given = { m = 4 } }",
                 NULL, 0);
    failing_test("\ntest 'fires' { given = { m = 4 }, expect = 'warning' }",
                 "the test \"fires\" expected warning, but there was no alert", 2);
    failing_test("\n\ntest 'is quiet' { given = { m = 7 } }", "the test \"is quiet\" expected silence, warning", 3);
    failing_test("test 'fires' { given = { m = 7 }, expect = 'info' }", "expected info, warning", 1);
    failing_test("test 'says' { given = { m = 7 }, expect = 'warning', message = 'x' }",
                 "has another message: TEST at 7.0", 1);
    failing_test("local x = 1", "the file asserts nothing", 0);
    failing_test("test 'nothing' {}", "asserts nothing", 0);
    failing_test("test 'typo' { given = { mm = 4 } }", "given has no field \"mm\"", 0);
    failing_test("test 'typo' { given = { m = 4 }, params = { limt = 3 } }", "params has no field \"limt\"", 0);
    failing_test("test 'typo' { given = { m = 4 }, expect = 'loud' }", "expect cannot be \"loud\"", 0);
    failing_test("test 'typo' { give = { m = 4 } }", "has no field \"give\"", 0);
    failing_test("tst 'typo' { give = { m = 4 } }", "unknown name \"tst\"", 1);
    failing_test("while true do end", "budget", 1);
    failing_test("test 'steps' { steps = { { given = { m = 1 } }, { given = { m = 9 }, expect = 'warning' }, { given = "
                 "{ m = 9 } } } }",
                 "the test \"steps\", step 3 expected silence", 1);
}

static void the_report_lists_every_file_and_the_set_is_all_or_none(void **unused)
{
    (void)unused;
    static const char good[] = "rule \"a\" {" BODY "}", bad[] = "rule \"b\" {", lost[] = "test 'x' { given = {} }";
    const char *files[] = {"p/b.lua", "p/a.lua", "q/c_test.lua", "p/a_test.lua", "Bad/x.lua"};
    const char *texts[] = {bad, good, lost, "test 'x' { given = { m = 2 }, expect = 'warning' }", good};
    fm_rule_load load;
    fm_error error;
    assert_int_equal(fm_rules_load_texts(files, texts, 5, &load, &error), FM_ERULE);
    assert_non_null(strstr(error.message, "3 of 4 rule files refused"));
    assert_null(load.set);
    assert_int_equal(load.report_count, 4);
    assert_string_equal(load.report[0].file, "Bad/x.lua");
    assert_false(load.report[0].ok);
    assert_string_equal(load.report[1].file, "p/a.lua");
    assert_true(load.report[1].ok && load.report[1].rules == 1 && load.report[1].tests == 1 &&
                load.report[1].tests_failed == 0);
    assert_string_equal(load.report[2].file, "p/b.lua");
    assert_int_equal(load.report[2].error.line, 1);
    assert_string_equal(load.report[3].file, "q/c_test.lua");
    assert_non_null(strstr(load.report[3].error.message, "no rule \"q/c\""));
    fm_rules_load_free(&load);
}

static void the_sets_hash_is_of_ids_and_texts_in_whatever_order(void **unused)
{
    (void)unused;
    static const char a[] = "rule \"a\" {" BODY "}", b[] = "rule \"b\" {" BODY "}", b2[] = "rule \"b\" { " BODY "}";
    fm_rule_load load[3];
    fm_error error;
    assert_int_equal(fm_rules_load_texts((const char *const[]){"p/a.lua", "p/b.lua"}, (const char *const[]){a, b}, 2,
                                         &load[0], &error),
                     0);
    assert_int_equal(fm_rules_load_texts((const char *const[]){"p/b.lua", "p/a.lua"}, (const char *const[]){b, a}, 2,
                                         &load[1], &error),
                     0);
    assert_int_equal(fm_rules_load_texts((const char *const[]){"p/b.lua", "p/a.lua"}, (const char *const[]){b2, a}, 2,
                                         &load[2], &error),
                     0);
    assert_memory_equal(&load[0].set->hash, &load[1].set->hash, sizeof(fm_hash128));
    assert_memory_not_equal(&load[0].set->hash, &load[2].set->hash, sizeof(fm_hash128));
    assert_string_equal(load[1].set->rule[0].id, "p/a");
    for (int i = 0; i < 3; i++)
        fm_rules_load_free(&load[i]);
}

static void no_rules_are_a_set_too(void **unused)
{
    (void)unused;
    fm_rule_load load;
    fm_error error;
    assert_int_equal(fm_rules_load_texts(NULL, NULL, 0, &load, &error), 0);
    assert_int_equal(load.set->count, 0);
    fm_rules_load_free(&load);
    assert_int_equal(fm_rules_load("/there/is/no/such/folder", &load, &error), FM_EIO);
    fm_rules_load_free(&load);
}

static void the_rules_in_the_box_pass_their_tests(void **unused)
{
    (void)unused;
    fm_rule_load load;
    fm_error error;
    if (fm_rules_load(FMADS_SOURCE_DIR "/rules", &load, &error) < 0)
        fail_msg("%s:%d: %s", error.file, error.line, error.message);
    assert_true(load.set->count >= 5);
    for (uint32_t i = 0; i < load.report_count; i++) {
        if (load.report[i].tests == 0)
            fail_msg("%s has no tests", load.report[i].file);
        assert_int_equal(load.report[i].tests_failed, 0);
    }
    fm_rules_load_free(&load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_read_in_full),
        cmocka_unit_test(presets_are_what_the_manual_says),
        cmocka_unit_test(what_is_wrong_in_a_head_is_told_with_place_and_way_out),
        cmocka_unit_test(fields_that_a_handler_misspells_are_told_at_once),
        cmocka_unit_test(a_list_of_series_is_read_in_its_order),
        cmocka_unit_test(what_is_wrong_with_a_list_of_series_is_told),
        cmocka_unit_test(tests_send_bars_levels_and_orders),
        cmocka_unit_test(tests_beside_a_rule_decide),
        cmocka_unit_test(the_report_lists_every_file_and_the_set_is_all_or_none),
        cmocka_unit_test(the_sets_hash_is_of_ids_and_texts_in_whatever_order),
        cmocka_unit_test(no_rules_are_a_set_too),
        cmocka_unit_test(the_rules_in_the_box_pass_their_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
