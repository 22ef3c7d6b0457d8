-- lua/fm/tests.lua - the tests beside a rule: test "name" { given = {…}, expect = "warning" } and test "name" { steps = {…} }.
--
-- Reading only: read_tests gives a flat list, and script/rule_test.c runs it through the same runner as the engine does.

local host = ...
local native, text, sandbox, fail = host.native, host.text, host.sandbox, host.fail
local format, match = string.format, string.match
local tests = {}

local declared

sandbox.offer("test", sandbox.own(function(name)
  if not declared then fail "test() may only be called while a test file is read" end
  if type(name) ~= "string" or name == "" then fail('a test has a name that claims something: test "fires on a jump" { … }') end
  local line = native.line()
  return sandbox.own(function(raw)
    if type(raw) ~= "table" then fail('a test is a table: test "name" { … }') end
    if not declared then fail "test() may only be called while a test file is read" end
    declared[#declared + 1] = { name = name, raw = raw, line = line }
  end)
end))

function tests.begin()
  declared = {}
end

local severities = { info = 0, warning = 1, error = 2, critical = 3 }

local function check_fields(t, known, what)
  for _, key in ipairs(text.sorted_keys(t)) do
    local found = false
    for i = 1, #known do found = found or known[i] == key end
    if not found then fail(format('%s has no field "%s"', what, native.tostring(key)), text.did_you_mean(key, known)) end
  end
end

local function names_of(list)
  local names = {}
  for _, entry in ipairs(list) do
    if not entry.hidden then names[#names + 1] = entry.name end
  end
  return names
end

-- "10:00:05", "10:00:05.250" or seconds since midnight.
local function time_of_day(at, what)
  if type(at) == "number" and at >= 0 and at < 366 * 86400 then return at end
  local hours, minutes, seconds = match(type(at) == "string" and at or "", "^(%d%d):(%d%d):(%d%d%.?%d*)$")
  if not hours then fail(what .. ': at must be "10:00:05" or a number of seconds', nil) end
  return tonumber(hours) * 3600 + tonumber(minutes) * 60 + tonumber(seconds)
end

local kinds = { trade = 1, quote = 2, value = 3, status = 4, bar = 5, book = 6, order = 7 }
local numbers = { "price", "size", "side", "bid", "bid_size", "ask", "ask_size", "value", "open", "high", "low", "close", "volume", "buy_volume",
  "trades", "interval", "order", "orders", "account" }
local flags = { "late", "snapshot", "more" }
local event_fields = { "type", "action" }
for _, name in ipairs(numbers) do event_fields[#event_fields + 1] = name end
for _, name in ipairs(flags) do event_fields[#event_fields + 1] = name end
local actions = {
  book = { set = 1, delete = 2, clear = 3 },
  order = { add = 1, modify = 2, cancel = 3, execute = 4, fill = 5, clear = 6 },
}

local function read_action(action, kind, what)
  local known = actions[kind]
  if action == nil then return 1 end
  if not known then fail(format("%s: event.action belongs to books and orders", what)) end
  if not known[action] then
    fail(format('%s: event.action cannot be "%s"', what, native.tostring(action)), text.did_you_mean(action, text.sorted_keys(known)))
  end
  return known[action]
end

local function read_event(raw, what)
  local event = { kind = 1, late = false }
  if raw == nil then return event end
  if type(raw) ~= "table" then fail(what .. ": event must be a table") end
  check_fields(raw, event_fields, what .. ": event")
  local kind = raw.type or (raw.bid or raw.ask) and "quote" or raw.value and "value" or raw.open and "bar" or "trade"
  event.kind = kinds[kind]
  if not event.kind then fail(format('%s: event.type cannot be "%s"', what, native.tostring(kind))) end
  for _, name in ipairs(numbers) do
    if raw[name] ~= nil and (type(raw[name]) ~= "number" or math.abs(raw[name]) > 1e9) then fail(format("%s: event.%s must be a number", what, name)) end
    event[name] = raw[name]
  end
  for _, name in ipairs(flags) do event[name] = raw[name] == true end
  event.action = read_action(raw.action, kind, what)
  return event
end

local function read_given(raw, rule, what)
  local given, names = {}, names_of(rule.needs)
  if raw == nil then return given end
  if type(raw) ~= "table" then fail(what .. ": given must be a table") end
  check_fields(raw, names, what .. ": given")
  for i, name in ipairs(names) do
    local value = raw[name]
    if value ~= nil and type(value) ~= "number" then fail(format("%s: given.%s must be a number", what, name)) end
    given[i] = value or 0 / 0
  end
  return given
end

local function read_step(raw, rule, what, clock)
  if type(raw) ~= "table" then fail(what .. " must be a table") end
  local step = { given = read_given(raw.given, rule, what), event = read_event(raw.event, what), timer = raw.timer == true }
  if raw.expect ~= nil and not severities[raw.expect] then
    fail(format('%s: expect cannot be "%s"', what, native.tostring(raw.expect)), "it is info, warning, error, critical, or nil for silence")
  end
  if raw.message ~= nil and (type(raw.message) ~= "string" or not raw.expect) then fail(what .. ": message is the text of an expected alert") end
  step.expect = raw.expect and severities[raw.expect] or -1
  step.message = raw.message or ""
  if raw.at ~= nil then
    step.at = time_of_day(raw.at, what)
  elseif step.timer then
    step.at = -1 -- when it was asked for
  else
    step.at = clock.now + 1
  end
  clock.now = step.at >= 0 and step.at or clock.now
  return step
end

local function read_params(raw, rule, what)
  if raw == nil then return nil end
  if type(raw) ~= "table" then fail(what .. ": params must be a table") end
  check_fields(raw, text.sorted_keys(rule.params), what .. ": params")
  local params = {}
  for name, value in next, rule.params do params[name] = value end
  for name, value in next, raw do
    if type(value) ~= type(params[name]) then fail(format("%s: params.%s must be a %s", what, name, type(params[name]))) end
    params[name] = value
  end
  return params
end

local function read_test(test, rule)
  local what = format('the test "%s"', test.name)
  local raw, clock = test.raw, { now = 10 * 3600 - 1 }
  check_fields(raw, { "given", "expect", "message", "params", "steps", "event", "symbol" }, what)
  local out = { name = test.name, line = test.line, params = read_params(raw.params, rule, what), steps = {}, symbol = raw.symbol or "TEST" }
  if type(out.symbol) ~= "string" then fail(what .. ": symbol must be text") end
  if raw.steps ~= nil then
    if type(raw.steps) ~= "table" or #raw.steps == 0 then fail(what .. ": steps must be a list") end
    if raw.given ~= nil or raw.expect ~= nil or raw.event ~= nil then fail(what .. " has either steps or given, not both") end
    for i, step in ipairs(raw.steps) do
      local where = format("%s, step %d", what, i)
      check_fields(step, { "given", "event", "timer", "at", "expect", "message" }, where)
      out.steps[i] = read_step(step, rule, where, clock)
    end
  elseif raw.given ~= nil or raw.event ~= nil then
    local step = { given = raw.given, event = raw.event, expect = raw.expect, message = raw.message }
    out.steps[1] = read_step(step, rule, what, clock)
  else
    fail(what .. " asserts nothing", "give it given = { … }, or steps = { … }")
  end
  return out
end

function tests.read_tests(rule)
  local list, found = {}, declared
  declared = nil
  if #found == 0 then fail("the file asserts nothing", 'write test "name" { given = { … }, expect = "warning" }') end
  for i, test in ipairs(found) do list[i] = read_test(test, rule) end
  return list
end

return tests
