-- lua/fm/sandbox.lua - everything that a rule can see.
--
-- One environment for all files: they cannot write it (script/syntax.h), its libraries are sealed, and nothing in it tells a time, an address, an
-- order or a random number that the journal does not determine. `pairs` and `next` go in the order of sorted keys; exp, log and pow are
-- base/fmath's; `tostring` shows no address.
--
-- A sealed table is an empty proxy before the real one: it reads like it, has its length (the loader writes `#` as a call) and refuses writes.
-- Every table that a handler can reach beyond its own call is sealed, so nothing can be kept in one.

local host = ...
local native, ffi, frame = host.native, host.ffi, host.frame
local type, next, error, getmetatable, setmetatable, rawget = type, next, error, getmetatable, setmetatable, rawget
local floor, huge = math.floor, math.huge
local sandbox = {}

local own = setmetatable({}, { __mode = "k" }) -- the host's functions: their upvalues are not a rule's

-- ---- sealing

local function refuse_write()
  error("the table is frozen: what outlives a call is declared in state = { … }", 0)
end

local seal

local function seal_table(t, memo)
  local meta = getmetatable(t)
  if meta and meta.real then return t end
  if meta then error("a table with a metatable cannot be kept by a rule", 0) end
  local real, proxy = {}, {}
  memo[t] = setmetatable(proxy, { __index = real, __newindex = refuse_write, real = real })
  for key, value in next, t do
    if type(key) == "table" or type(key) == "function" then error("a table kept by a rule may have names, numbers and booleans as keys", 0) end
    real[key] = seal(value, memo)
  end
  return proxy
end

function seal(value, memo)
  if type(value) == "table" then return memo[value] or seal_table(value, memo) end
  if type(value) == "function" and not own[value] and not memo[value] then
    memo[value] = value
    native.seal_upvalues(value, function(upvalue) return seal(upvalue, memo) end)
  end
  return value
end

function sandbox.seal(value)
  return seal(value, {})
end

local function real_of(t)
  local meta = type(t) == "table" and getmetatable(t)
  return meta and meta.real or t
end

local function writable(t, what)
  if type(t) ~= "table" then error(what .. " needs a table, not a " .. type(t), 0) end
  if getmetatable(t) then refuse_write() end
  return t
end

local function readable(t, what)
  if type(t) ~= "table" then error(what .. " needs a table, not a " .. type(t), 0) end
  return real_of(t)
end

-- ---- the three that the loader writes into every chunk

local function check()
  local left = frame.budget - 1
  frame.budget = left
  if left < 0 then error("budget", 0) end
end

local function length(value)
  if type(value) == "table" then
    local meta = getmetatable(value)
    if meta then return #meta.real end
  end
  return #value
end

local function pass(...)
  return ...
end

-- ---- basic functions

local f = {} -- by the names of the list that the checker knows

local rank = { number = 1, string = 2, boolean = 3 }
local function before(a, b)
  local kind_a, kind_b = rank[type(a)], rank[type(b)]
  if kind_a ~= kind_b then return kind_a < kind_b end
  if kind_a == 3 then return not a and b end
  return a < b
end

local sort, concat, unpack = table.sort, table.concat, unpack

local function sorted_keys(t)
  local keys, count = {}, 0
  for key in next, t do
    if not rank[type(key)] then error("keys that are not text, numbers or booleans have no order", 0) end
    count = count + 1
    keys[count] = key
  end
  frame.budget = frame.budget - count
  sort(keys, before)
  return keys
end

f["pairs"] = function(t)
  t = readable(t, "pairs")
  local keys, i = sorted_keys(t), 0
  return function()
    while true do
      i = i + 1
      local key = keys[i]
      if key == nil then return nil end
      local value = t[key]
      if value ~= nil then return key, value end
    end
  end
end

f["next"] = function(t, last)
  t = readable(t, "next")
  if last == nil and next(t) == nil then return nil end
  local keys = sorted_keys(t)
  for i = 1, #keys do
    if last == nil or before(last, keys[i]) then return keys[i], t[keys[i]] end
  end
  return nil
end

local function inext(t, i)
  i = i + 1
  local value = t[i]
  if value ~= nil then return i, value end
end
own[inext] = true

f["ipairs"] = function(t)
  return inext, readable(t, "ipairs"), 0
end

f["error"] = function(message)
  error(native.tostring(message), 0)
end

f["assert"] = function(value, message, ...)
  if value then return value, message, ... end
  error(message == nil and "assertion failed" or native.tostring(message), 0)
end

f["tostring"] = native.tostring
f["tonumber"] = tonumber
f["type"] = type
f["select"] = select
f["unpack"] = function(t, i, j)
  t = readable(t, "unpack")
  return unpack(t, i or 1, j or #t)
end

-- ---- math

local function pure(name, kind)
  return ffi.cast(kind, ffi.cast("uintptr_t", native[name]))
end
local exp, exp2 = pure("exp", "double (*)(double)"), pure("exp2", "double (*)(double)")
local log, log2 = pure("log", "double (*)(double)"), pure("log2", "double (*)(double)")
local pow = pure("pow", "double (*)(double, double)")
local log_of_10 = log(10)

f["math.exp"] = function(x) return exp(x) end
f["math.exp2"] = function(x) return exp2(x) end
f["math.log2"] = function(x) return log2(x) end
f["math.log10"] = function(x) return log(x) / log_of_10 end
f["math.pow"] = function(x, y) return pow(x, y) end
f["math.log"] = function(x, base)
  if base == nil then return log(x) end
  return log(x) / log(base)
end
f["math.abs"], f["math.floor"], f["math.ceil"], f["math.sqrt"] = math.abs, math.floor, math.ceil, math.sqrt
f["math.fmod"], f["math.modf"] = math.fmod, math.modf
f["math.huge"], f["math.pi"] = huge, math.pi
-- Written out, because the machine's own minimum and maximum choose by operand order when one is NaN or -0.
f["math.min"] = function(x, y, ...)
  if y == nil then return x + 0 end
  if y < x or y ~= y then x = y end
  if select("#", ...) > 0 then return f["math.min"](x, ...) end
  return x
end
f["math.max"] = function(x, y, ...)
  if y == nil then return x + 0 end
  if y > x or y ~= y then x = y end
  if select("#", ...) > 0 then return f["math.max"](x, ...) end
  return x
end

-- ---- strings, tables, bits

for _, name in next, { "find", "match", "gmatch", "gsub", "rep", "format", "upper", "lower", "reverse" } do
  f["string." .. name] = native[name]
end
f["string.len"], f["string.sub"], f["string.byte"], f["string.char"] = string.len, string.sub, string.byte, string.char

f["table.concat"] = function(t, separator, i, j)
  t = readable(t, "table.concat")
  i, j = i or 1, j or #t
  if j > i then frame.budget = frame.budget - (j - i) end
  check()
  return concat(t, separator, i, j)
end
f["table.insert"] = function(t, position, value, ...)
  writable(t, "table.insert")
  local count = #t
  if value == nil and select("#", ...) == 0 then
    t[count + 1] = position
    return
  end
  if type(position) ~= "number" or position ~= floor(position) or position < 1 or position > count + 1 then
    error("table.insert needs a position from 1 to the length + 1", 0)
  end
  for i = count, position, -1 do
    check()
    t[i + 1] = t[i]
  end
  t[position] = value
end
f["table.remove"] = function(t, position)
  writable(t, "table.remove")
  local count = #t
  if count == 0 then return nil end
  position = position or count
  if type(position) ~= "number" or position ~= floor(position) or position < 1 or position > count then
    error("table.remove needs a position from 1 to the length", 0)
  end
  local value = t[position]
  for i = position, count - 1 do
    check()
    t[i] = t[i + 1]
  end
  t[count] = nil
  return value
end
f["table.sort"] = function(t, compare)
  writable(t, "table.sort")
  local count = #t
  native.charge(count * 8)
  if compare then return sort(t, compare) end
  return sort(t)
end
for _, name in next, { "band", "bor", "bxor", "bnot", "lshift", "rshift", "arshift", "rol", "ror", "tobit" } do
  f["bit." .. name] = bit[name]
end

-- ---- the environment, exactly as the checker's list says

local environment, libraries = {}, {}
for _, name in next, native.names do
  local library, member = string.match(name, "^(%w+)%.(%w+)$")
  if library then
    libraries[library] = libraries[library] or {}
    libraries[library][member] = assert(f[name], name)
    f[name] = rawget(f, name)
  elseif f[name] then
    environment[name] = f[name]
  end
end
for _, value in next, f do
  if type(value) == "function" then own[value] = true end
end
for name, members in next, libraries do environment[name] = sandbox.seal(members) end
local string_meta = getmetatable("")
for key in next, string_meta do string_meta[key] = nil end
string_meta.__index = getmetatable(environment.string).real
string_meta.__metatable = false

own[check], own[length], own[pass] = true, true, true
sandbox.environment = environment
sandbox.library = { check, length, pass }
sandbox.real_of = real_of
-- A function of the host that files may call: head.lua and tests.lua add theirs.
function sandbox.offer(name, value)
  environment[name] = value
end
function sandbox.own(value)
  own[value] = true
  return value
end

return sandbox
