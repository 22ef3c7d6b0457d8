/* What the reader of Lua refuses, where it says so, and what it adds. */
#include "assert_near.h"
#include "script/library.h"
#include "script/syntax.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read(const char *text, fm_syntax *out, fm_error *error)
{
    memset(error, 0, sizeof(*error));
    return fm_syntax_read("t/x.lua", fm_slice_of(text), fm_rule_names, out, error);
}

static void refused(const char *text, int line, const char *message, const char *hint)
{
    fm_syntax syntax;
    fm_error error;
    if (read(text, &syntax, &error) != FM_ESYNTAX)
        fail_msg("taken: %s", text);
    if (!strstr(error.message, message) || (hint && !strstr(error.hint, hint)))
        fail_msg("%s\n  is refused with: %s (%s)", text, error.message, error.hint);
    assert_int_equal(error.line, line);
    assert_true(error.column > 0);
    assert_string_equal(error.file, "t/x.lua");
}

static void taken(const char *text)
{
    fm_syntax syntax;
    fm_error error;
    if (read(text, &syntax, &error) != 0)
        fail_msg("%s\n  is refused at %d:%d with: %s", text, error.line, error.column, error.message);
    fm_syntax_fini(&syntax);
}

static void state_that_outlives_a_call_is_refused(void **unused)
{
    (void)unused;
    refused("x = 1", 1, "cannot write the global \"x\"", "state = {");
    refused("local n = 0\nlocal f = function() n = n + 1 end", 2, "cannot write \"n\"", "s.name");
    refused("local t = {}\nlocal function f()\n t.x = 1\nend", 3, "cannot write into \"t\": tables are frozen", NULL);
    refused("local t = {}\nlocal function f()\n t[1], t[2] = 1, 2\nend", 3,
            "cannot write into \"t\": tables are frozen", NULL);
    refused("local t = {}\nlocal function f()\n function t.g() end\nend", 3, "cannot write into \"t\"", NULL);
    refused("function f() end", 1, "cannot write the global \"f\"", NULL);
    refused("math.abs = nil", 1, "cannot write into \"math\"", NULL);
    refused("math.new = nil", 1, "unknown name \"math.new\"", NULL);
    refused("math[1] = nil", 1, "cannot write into \"math\"", NULL);
    refused("local f = function() local n = 0 return function() n = 1 end end", 1, "cannot write \"n\"", NULL);
    refused("local a\nlocal f = function() local b b, a = 1, 2 end", 2, "cannot write \"a\"", NULL);
    taken("local t = {} t.x = 1 t.y = function() end function t.z() end");
    taken("local f = function(s) s.n = 1 local t = {} t.x = 1 local g = function() t.y = 2 end end");
    taken("local function f(x) x = x + 1 return x end");
}

static void names_that_do_not_exist_are_refused_with_the_nearest(void **unused)
{
    (void)unused;
    refused("local x = mth.abs(1)", 1, "unknown name \"mth\"", "did you mean math?");
    refused("local x = math.asb(1)", 1, "unknown name \"math.asb\"", "did you mean math.abs?");
    refused("local x = pcall(f)", 1, "unknown name \"pcall\"", NULL);
    refused("local x = load('x')", 1, "unknown name \"load\"", NULL);
    refused("local x = string.dump", 1, "unknown name \"string.dump\"", NULL);
    for (const char *const *name =
             (const char *const[]){"loadstring",   "dofile", "require", "getfenv",   "setfenv", "getmetatable",
                                   "setmetatable", "rawset", "rawget",  "coroutine", "debug",   "ffi",
                                   "jit",          "io",     "os",      "package",   "print",   "collectgarbage",
                                   "newproxy",     "xpcall", "_G",      "module",    "gcinfo",  NULL};
         *name; name++) {
        char text[64];
        snprintf(text, sizeof(text), "local x = %s", *name);
        refused(text, 1, "unknown name", NULL);
    }
    refused("local x = math.random()", 1, "unknown name \"math.random\"", NULL);
    refused("local x = math.sin(1)", 1, "unknown name \"math.sin\"", NULL);
    refused("local __fm_b = 1", 1, "names that begin with __fm_", NULL);
    refused("local function __fm_len() end", 1, "names that begin with __fm_", NULL);
}

static void the_power_operator_is_refused(void **unused)
{
    (void)unused;
    refused("local x = 2 ^ 3", 1, "the operator ^ is refused", "math.pow");
    refused("local x = function(a)\n return 1 + a.b[1] ^ -2 end", 2, "the operator ^ is refused", "math.pow");
    taken("local x = '2^3' -- 2^3");
}

static void what_two_readers_could_read_differently_is_refused(void **unused)
{
    (void)unused;
    refused("local x = 1LL", 1, "malformed number", NULL);
    refused("local x = 1i", 1, "malformed number", NULL);
    refused("local x = 0x1p4", 1, "malformed number", NULL);
    refused("local x = 1..2", 1, "malformed number", NULL);
    refused("local x = 1e", 1, "malformed number", NULL);
    refused("local \xC3\xA9 = 1", 1, "unexpected byte", "ASCII");
    refused("local goto = 1", 1, "expected a name near goto", NULL);
    refused("local x = \"\\z  a\"", 1, "\\z", NULL);
    refused("local x = 'abc", 1, "unfinished string", NULL);
    refused("local x = [[abc", 1, "unfinished string", NULL);
    refused("--[==[ abc ]]\n", 1, "unfinished comment", NULL);
    refused("\x1bLJ\x02", 1, "unexpected byte", NULL);
    refused("local x = 1 @", 1, "unexpected character", NULL);
    refused("local x = (1\n", 2, "expected ) (to close ( at line 1)", NULL);
    refused("if 1 then\nlocal x = 2", 2, "expected end (to close if at line 1)", NULL);
    refused("return 1 local x", 1, "after return", NULL);
    refused("local x <const> = 1", 1, "expected", NULL);
    refused("local a = 1; ; local b", 1, "unexpected ;", NULL);
    taken("\xEF\xBB\xBFlocal x = 'Gr\xC3\xBC\xC3\x9F' -- \xC3\xA9");
    taken("local x = 0xff + 1e-3 + .5 + 5. + 1E+10");
    taken("local x = 'a\\\nb' .. \"\\\"\" .. [==[ ]] ]=] ]==] --[[ a\n ]] .. [[\n]]");
}

static void nesting_is_bounded(void **unused)
{
    (void)unused;
    char text[4200];
    memset(text, '(', sizeof(text));
    memcpy(text, "local x = ", 10);
    text[sizeof(text) - 1] = '\0';
    refused(text, 1, "nests deeper", NULL);
    for (size_t i = 10; i + 1 < sizeof(text); i++)
        text[i] = '{';
    refused(text, 1, "nests deeper", NULL);
    for (size_t i = 10; i + 4 < sizeof(text); i += 4)
        memcpy(text + i, "not ", 4);
    refused(text, 1, "nests deeper", NULL);
}

static void checks_are_written_into_loops_functions_and_gotos(void **unused)
{
    (void)unused;
    static const struct {
        const char *source, *rewritten;
    } cases[] = {
        {"while true do end", "while true do __fm_b(); end"},
        {"for i = 1, 2 do -- do\nend", "for i = 1, 2 do __fm_b(); -- do\nend"},
        {"for k in pairs({}) do end", "for k in pairs({}) do __fm_b(); end"},
        {"repeat local x until x", "repeat __fm_b(); local x until x"},
        {"local f = function(a, ...) return 1 end", "local f = function(a, ...) __fm_b(); return 1 end"},
        {"local function f() end", "local function f() __fm_b(); end"},
        {"local f = function(g) return g(1), 2 end", "local f = function(g) __fm_b(); return g(1), 2 end"},
        {"local f = function(g) return g.x:y{#g} end",
         "local f = function(g) __fm_b(); return __fm_r(g.x:y{ __fm_len(g)}) end"},
        {"return (type());", "return (type());"},
        {"::a:: goto a", "::a:: __fm_b();goto a"},
        {"do local x end", "do local x end"},
        {"local x = #'do repeat'", "local x =  __fm_len('do repeat')"},
        {"local x = {} local y = #x.a[1] + ##x", "local x = {} local y =  __fm_len(x.a[1]) +  __fm_len( __fm_len(x))"},
        {"local s = [[while true do]] -- while true do", "local s = [[while true do]] -- while true do"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        fm_syntax syntax;
        fm_error error;
        if (read(cases[i].source, &syntax, &error) != 0)
            fail_msg("%s: %s", cases[i].source, error.message);
        assert_string_equal(strchr(syntax.text.data, ';') + 1, cases[i].rewritten);
        fm_syntax_fini(&syntax);
    }
}

/* goto continue over a local is legal only when its label ends the block, so nothing may be put behind the label. */
static void the_rewritten_text_is_what_luajit_takes(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "for i = 1, 3 do if i == 2 then goto continue end local x = i ::continue:: end",
        "local f = function() return (function(...) return ... end)(1) end",
        "local t = { f = function() end, [1] = 2; 3, 'x', { a = 1 } } local n = t.f, #t",
        "local a = 1; (function() end)()",
        "local x if x then elseif not x then else end",
        "local function f(...) local a, b = ... return a, b; end",
        "local s = ('x'):rep(2):upper() .. tostring(1) .. 2",
        "repeat local done = true until done",
    };
    lua_State *lua = luaL_newstate();
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        fm_syntax syntax;
        fm_error error;
        if (read(texts[i], &syntax, &error) != 0)
            fail_msg("%s: %s", texts[i], error.message);
        if (luaL_loadbuffer(lua, syntax.text.data, syntax.text.size, "=t") != 0)
            fail_msg("%s: %s", texts[i], lua_tostring(lua, -1));
        lua_settop(lua, 0);
        fm_syntax_fini(&syntax);
    }
    lua_close(lua);
}

static void fields_and_what_handlers_read_are_placed(void **unused)
{
    (void)unused;
    const char *text = "local severity = { severity = 1 }\n"
                       "rule \"x\" {\n"
                       "  severity = 'warning',\n"
                       "  needs = { move = feature.ewma { half_life = 1 } },\n"
                       "  when = function(g, q)\n"
                       "    local h = function() return g.move end\n"
                       "    return g.mvoe > q.limit and h()\n"
                       "  end,\n"
                       "}";
    fm_syntax syntax;
    fm_error error;
    assert_int_equal(read(text, &syntax, &error), 0);
    assert_int_equal(syntax.place_count, 5);
    assert_string_equal(syntax.place[0].path, "severity");
    assert_int_equal(syntax.place[0].line, 3);
    assert_int_equal(syntax.place[0].column, 3);
    assert_string_equal(syntax.place[3].path, "needs.move.half_life");
    assert_int_equal(syntax.place[3].line, 4);
    assert_int_equal(syntax.access_count, 3);
    assert_string_equal(syntax.access[1].field, "mvoe");
    assert_string_equal(syntax.access[1].handler, "when");
    assert_int_equal(syntax.access[1].line, 7);
    assert_int_equal(syntax.access[1].parameter, 0);
    assert_string_equal(syntax.access[2].field, "limit");
    assert_int_equal(syntax.access[2].parameter, 1);
    fm_syntax_fini(&syntax);
}

static void any_text_is_answered_and_lines_are_kept(void **unused)
{
    (void)unused;
    static const char *const pieces[] = {"function", "end",   "do",    "while", "(",    ")",    "{",  "}",
                                         "x",        "=",     "\n",    "1",     "'s'",  "--",   "[[", "]]",
                                         "goto",     "::",    "local", "if",    "then", "rule", "#",  "..",
                                         "repeat",   "until", ",",     "\"",    "\\",   "math", ".",  "abs"};
    uint64_t seed = 20140502;
    for (int round = 0; round < 20000; round++) {
        char text[256] = "";
        for (int i = 0; i < 20; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            strcat(text, pieces[(seed >> 33) % (sizeof(pieces) / sizeof(*pieces))]);
            strcat(text, " ");
        }
        fm_syntax syntax;
        fm_error error;
        if (read(text, &syntax, &error) < 0) {
            assert_true(error.message[0] != '\0' && error.line > 0);
            continue;
        }
        int lines = 0;
        for (const char *at = text; *at; at++)
            lines += *at == '\n';
        for (const char *at = syntax.text.data; *at; at++)
            lines -= *at == '\n';
        assert_int_equal(lines, 0);
        fm_syntax_fini(&syntax);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_that_outlives_a_call_is_refused),
        cmocka_unit_test(names_that_do_not_exist_are_refused_with_the_nearest),
        cmocka_unit_test(the_power_operator_is_refused),
        cmocka_unit_test(what_two_readers_could_read_differently_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(checks_are_written_into_loops_functions_and_gotos),
        cmocka_unit_test(the_rewritten_text_is_what_luajit_takes),
        cmocka_unit_test(fields_and_what_handlers_read_are_placed),
        cmocka_unit_test(any_text_is_answered_and_lines_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
