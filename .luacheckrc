-- luacheck: rules see only what the sandbox gives them; the host's own Lua sees what C exports.
std = "luajit"
max_line_length = 132
codes = true
unused_args = false

local rule_globals = { "rule", "test", "feature", "detector" }

-- The sandbox's world (script/host): what is not listed does not exist in a rule.
files["rules"] = {
  std = { read_globals = {
    "rule", "test", "feature", "detector", "params", "alert",
    "assert", "error", "ipairs", "next", "pairs", "pcall", "select", "tonumber", "tostring", "type", "unpack",
    bit = { fields = { "band", "bor", "bxor", "bnot", "lshift", "rshift", "arshift", "rol", "ror", "tobit", "tohex" } },
    math = { fields = { "abs", "ceil", "floor", "fmod", "huge", "max", "min", "modf", "pi", "sqrt", "exp", "log", "log2", "pow" } },
    string = { fields = { "byte", "char", "find", "format", "len", "lower", "match", "rep", "reverse", "sub", "upper", "gsub" } },
    table = { fields = { "concat", "insert", "remove", "sort" } },
  } },
}
files["tests"] = { read_globals = rule_globals }
files["deploy"] = { std = "min" }
