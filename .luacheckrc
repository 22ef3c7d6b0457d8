-- What `luacheck .` knows of our Lua: rules and their tests see only the sandbox; lua/fm is the host's own.
std = "luajit"
max_line_length = 160
codes = true
unused_args = false
include_files = { "rules/**/*.lua", "lua/**/*.lua", "deploy/*.lua", "tests/**/*.lua", ".luacheckrc" }

local sandbox = {
  "assert", "error", "ipairs", "next", "pairs", "select", "tonumber", "tostring", "type", "unpack",
  math = { fields = { "abs", "ceil", "exp", "exp2", "floor", "fmod", "huge", "log", "log10", "log2", "max", "min", "modf", "pi", "pow", "sqrt" } },
  string = { fields = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper" } },
  table = { fields = { "concat", "insert", "remove", "sort" } },
  bit = { fields = { "arshift", "band", "bnot", "bor", "bxor", "lshift", "rol", "ror", "rshift", "tobit" } },
}

local function globals_of_rules()
  local globals = {}
  for key, value in pairs(sandbox) do globals[key] = value end
  globals.feature = { other_fields = true }
  globals.detector = { other_fields = true }
  table.insert(globals, "rule")
  return globals
end

local function globals_of_tests()
  local globals = {}
  for key, value in pairs(sandbox) do globals[key] = value end
  table.insert(globals, "test")
  return globals
end

stds.rules = { read_globals = globals_of_rules() }
stds.rule_tests = { read_globals = globals_of_tests() }
files["rules/**/*.lua"] = { std = "rules" }
files["rules/**/*_test.lua"] = { std = "rule_tests" }
files["tests"] = { read_globals = { "rule", "test", "feature", "detector" } }
files["deploy"] = { std = "min" }
