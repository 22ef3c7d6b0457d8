/* The pattern language is Lua's: what LuaJIT's own functions answer, ours answers, on patterns and texts of a seeded
 * generator. */
#include "assert_near.h"
#include "script/pattern.h"
#include "script/vm.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

static uint64_t seed = 7;

static uint32_t below(uint32_t bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % bound);
}

static void make(char *out, const char *const *pieces, uint32_t count, uint32_t length)
{
    out[0] = '\0';
    for (uint32_t i = 0; i < length; i++)
        strcat(out, pieces[below(count)]);
}

/* Pushes the results of function(arguments) as one text, or "error". */
static const char *answer(lua_State *lua, const char *function, const char *subject, const char *pattern,
                          const char *third)
{
    lua_getglobal(lua, "show");
    lua_getglobal(lua, function);
    lua_pushstring(lua, subject);
    lua_pushstring(lua, pattern);
    if (third)
        lua_pushstring(lua, third);
    if (lua_pcall(lua, third ? 4 : 3, 1, 0) != 0)
        return "error";
    return lua_tostring(lua, -1);
}

static void equal(lua_State *lua, const char *name, const char *subject, const char *pattern, const char *third)
{
    char ours[1000], theirs[1000], function[32];
    fm_vm_of(lua)->frame.budget = 1000000;
    snprintf(function, sizeof(function), "our_%s", name);
    snprintf(ours, sizeof(ours), "%s", answer(lua, function, subject, pattern, third));
    snprintf(function, sizeof(function), "their_%s", name);
    snprintf(theirs, sizeof(theirs), "%s", answer(lua, function, subject, pattern, third));
    lua_settop(lua, FM_VM_LOOPS);
    if (strcmp(ours, theirs) != 0)
        fail_msg("%s(\"%s\", \"%s\"): ours %s, Lua's %s", name, subject, pattern, ours, theirs);
}

static fm_vm *open_both(void)
{
    static const char setup[] =
        "local function show(f, ...) local ok = { pcall(f, ...) } for i = 1, #ok do ok[i] = tostring(ok[i]) end\n"
        "  if ok[1] == 'false' then return 'error' end return table.concat(ok, '|') end\n"
        "_G.show = show\n"
        "_G.their_find, _G.their_match, _G.their_gsub = string.find, string.match, string.gsub\n"
        "local function all(gmatch, s, p) local out = {} for a, b in gmatch(s, p) do out[#out + 1] = tostring(a) .. "
        "tostring(b) end\n"
        "  return table.concat(out, ',') end\n"
        "local theirs, ours = string.gmatch, ...\n"
        "function _G.their_gmatch(s, p) return all(theirs, s, p) end\n"
        "function _G.our_gmatch(s, p) return all(ours, s, p) end\n";
    fm_vm *vm;
    fm_error error;
    assert_int_equal(fm_vm_create(16u << 20, &vm, &error), 0);
    lua_State *lua = vm->lua;
    assert_int_equal(luaL_loadstring(lua, setup), 0);
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.globals");
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.host");
    lua_getfield(lua, -1, "environment");
    lua_getfield(lua, -1, "string");
    for (const char *const *name = (const char *const[]){"find", "match", "gsub", "gmatch", NULL}; *name; name++) {
        char global[32];
        snprintf(global, sizeof(global), "our_%s", *name);
        lua_getfield(lua, -1, *name);
        lua_setglobal(lua, global);
    }
    lua_pop(lua, 3);
    lua_pushvalue(lua, -1);
    lua_setfenv(lua, -3); /* the chunk sees LuaJIT's own functions */
    lua_pushvalue(lua, LUA_GLOBALSINDEX);
    lua_setfield(lua, -2, "_G");
    lua_pop(lua, 1);
    lua_getglobal(lua, "our_gmatch");
    if (lua_pcall(lua, 1, 0, 0) != 0)
        fail_msg("%s", lua_tostring(lua, -1));
    return vm;
}

static void our_patterns_answer_as_luas_own(void **unused)
{
    (void)unused;
    static const char *const pieces[] = {"a",  "b",  "c",     ".",    "%a",    "%d",     "%s",  "%w",   "%W",
                                         "%u", "%p", "[abc]", "[^a]", "[a-c]", "[%d%s]", "[]]", "(",    ")",
                                         "()", "*",  "+",     "-",    "?",     "^",      "$",   "%b()", "%f[%w]",
                                         "%1", "%.", "[",     "%",    "1",     " "};
    static const char *const texts[] = {"a", "b", "c", "1", " ", "(", ")", "A", ".", "]", "ab", "aa", "-"};
    fm_vm *vm = open_both();
    for (int i = 0; i < 30000; i++) {
        char pattern[128], subject[64];
        make(pattern, pieces, sizeof(pieces) / sizeof(*pieces), 1 + below(7));
        make(subject, texts, sizeof(texts) / sizeof(*texts), below(14));
        equal(vm->lua, "find", subject, pattern, NULL);
        equal(vm->lua, "match", subject, pattern, NULL);
        equal(vm->lua, "gsub", subject, pattern, below(2) ? "<%0>" : "%1x");
        if (pattern[0] != '^')
            equal(vm->lua, "gmatch", subject, pattern, NULL);
    }
    fm_vm_close(vm);
}

static void every_step_is_charged(void **unused)
{
    (void)unused;
    char subject[4001];
    memset(subject, 'a', 4000);
    subject[4000] = '\0';
    int32_t budget = 1000000;
    const char *pattern = "a*a*a*a*b";
    fm_pattern match = {
        .subject = subject, .subject_end = subject + 4000, .pattern_end = pattern + strlen(pattern), .budget = &budget};
    assert_null(fm_pattern_match(&match, subject, pattern));
    assert_string_equal(match.problem, "budget");
    assert_true(budget < 0 && budget > -10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_patterns_answer_as_luas_own),
        cmocka_unit_test(every_step_is_charged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
