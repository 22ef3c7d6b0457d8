-- lua/fm/head.lua - the declarative head of a rule: `rule "name" { … }` checked against the kernels' tables.
--
-- The file's chunk only records what it says; everything is checked afterwards, where the place of each field is known (script/syntax.h).
-- What read_rule returns is flat and complete: script/rule_read.c copies it into an fm_rule.

local host = ...
local native, text, sandbox, fail = host.native, host.text, host.sandbox, host.fail
local format, find = string.format, string.find
local head = {}

local kind_of_file, places, accesses, declared

local function place(path)
  local found = places[path]
  while not found and find(path, ".", 1, true) do
    path = string.match(path, "^(.*)%.[^.]*$")
    found = places[path]
  end
  return found
end

-- ---- what a file may call while it is read

local needs = setmetatable({}, { __mode = "k" }) -- the tables that feature.name{…} gave

local function constructor(kind)
  return setmetatable({}, {
    real = {},
    __newindex = function() fail(kind .. " cannot be written") end,
    __index = function(_, kernel)
      return sandbox.own(function(options)
        if kind_of_file ~= "rule" then fail(format("%s.%s{…} stands in needs = {…} of a rule", kind, native.tostring(kernel))) end
        if options ~= nil and type(options) ~= "table" then fail(format("%s.%s takes a table: %s.%s { … }", kind, kernel, kind, kernel)) end
        local need = { kind = kind, kernel = kernel, options = options or {} }
        needs[need] = true
        return need
      end)
    end,
  })
end

sandbox.offer("feature", constructor "feature")
sandbox.offer("detector", constructor "detector")
sandbox.offer("rule", sandbox.own(function(name)
  if kind_of_file ~= "rule" then fail "rule() may only be called while a rule file is read" end
  if type(name) ~= "string" then fail('a rule has a name: rule "name" { … }') end
  return sandbox.own(function(raw)
    if type(raw) ~= "table" then fail('a rule is a table: rule "name" { … }') end
    if kind_of_file ~= "rule" then fail "rule() may only be called while a rule file is read" end
    if declared then fail("a file declares one rule", "move the second one to a file of its own") end
    declared = { name = name, raw = raw }
  end)
end))

function head.begin_file(kind, file_places, file_accesses)
  kind_of_file, places, accesses, declared = kind, file_places, file_accesses, nil
end

-- ---- fields

local function check_fields(t, known, what, path)
  for _, key in ipairs(text.sorted_keys(t)) do
    local at = place(path == "" and native.tostring(key) or path .. "." .. native.tostring(key))
    if type(key) ~= "string" then fail(what .. " takes named fields only", nil, at) end
    local found = false
    for i = 1, #known do found = found or known[i] == key end
    if not found then fail(format('%s has no field "%s"', what, key), text.did_you_mean(key, known), at) end
  end
end

local function optional(raw, name, kind, otherwise)
  local value = raw[name]
  if value == nil then return otherwise end
  if type(value) ~= kind then fail(format("%s must be a %s, not a %s", name, kind, type(value)), nil, place(name)) end
  return value
end

local function duration(raw, name, low)
  local value = raw[name]
  if value == nil then return 0 end
  local seconds = text.seconds(value)
  if not seconds or not (seconds >= (low or 0) and seconds <= 366 * 86400) then
    fail(format("%s must be a duration of at most a year", name), 'write "5m", "500ms" or a number of seconds', place(name))
  end
  return seconds
end

local function whole(raw, name, otherwise, low, high)
  local value = optional(raw, name, "number", otherwise)
  if value ~= math.floor(value) or value < low or value > high then
    fail(format("%s must be a whole number from %d to %d", name, low, high), nil, place(name))
  end
  return value
end

local function short_text(value, limit, what, at)
  if type(value) ~= "string" then fail(format("%s must be text, not a %s", what, type(value)), nil, at) end
  if #value > limit then fail(format("%s is longer than %d bytes", what, limit), nil, at) end
  if find(value, "%c") then fail(what .. " has a control character", nil, at) end
  return value
end

-- ---- match

local function read_match(raw)
  local match = optional(raw, "match", "table", {})
  check_fields(match, { "symbol", "class", "venue", "on" }, "match", "match")
  local out = { symbol = "", class = "", venue = "", trade = false, quote = false, value = false, bar = false, book = false, order = false }
  for name, limit in next, { symbol = 64, class = 31, venue = 31 } do
    if match[name] ~= nil then
      local at = place("match." .. name)
      out[name] = short_text(match[name], limit, "match." .. name, at)
      if not text.is_glob(out[name]) then fail(format("match.%s must be a name or a pattern with * and ?", name), nil, at) end
    end
  end
  local on = match.on
  if type(on) == "string" then on = { on } end
  if on ~= nil and type(on) ~= "table" then fail('match.on must be a list such as {"trade", "quote"}', nil, place "match.on") end
  for _, kind in ipairs(on or {}) do
    if out[kind] ~= true and out[kind] ~= false then
      fail(format('match.on has no "%s"', native.tostring(kind)), 'there is "trade", "quote", "value", "bar", "book", "order"', place "match.on")
    end
    out[kind] = true
  end
  return out
end

-- ---- needs

local read_need

local function read_parameter(kernel, field, options, path)
  local value = options[field.name]
  if field.name == "dims" and kernel.series > 1 then
    if value ~= nil then
      fail(format("%s counts its dims itself", kernel.name), 'they are as many as of = { "a", "b" } names', place(path .. ".dims"))
    end
    return 1
  end
  if value == nil then
    if field.preset ~= field.preset then fail(format('the parameter "%s" (%s) must be given', field.name, field.help), nil, place(path)) end
    return field.preset
  end
  local at = place(path .. "." .. field.name)
  local number = field.unit == "s" and text.seconds(value) or value
  if type(number) ~= "number" then
    fail(format('%s must be a %s', field.name, field.unit == "s" and "duration" or "number"),
      field.unit == "s" and 'write "30m", "500ms" or a number of seconds' or nil, at)
  end
  if not (number >= field.low and number <= field.high) then
    fail(format("%s = %s lies outside %.10g to %.10g %s", field.name, native.tostring(value), field.low, field.high, field.unit), field.help, at)
  end
  return number
end

-- The name of a need: as it stands, or `name` for a feature in place.
local function read_one_of(of, name, path, context)
  local at = place(path)
  if type(of) == "string" then
    if not context.raw[of] then
      fail(format('of = "%s" names no need of this rule', of), text.did_you_mean(of, text.sorted_keys(context.raw)), at)
    end
    return of
  end
  if type(of) ~= "table" or not needs[of] then fail("of must be the name of another need, or a feature", nil, at) end
  if #name > 31 then fail("features are nested too deeply", "give the inner one a name of its own in needs", at) end
  read_need(name, of, path, context, true)
  return name
end

-- The names of the needs that are the inputs x, x2 and so on.
local function read_of(kernel, options, path, context)
  local of = options.of
  if of == nil then return {} end
  path = path .. ".of"
  local at, name = place(path), context.name .. ".of"
  if kernel.series == 0 then fail(format("%s takes no series, so it has no of", kernel.name), nil, at) end
  if type(of) ~= "table" or needs[of] then return { read_one_of(of, name, path, context) } end
  local count, names, seen = 0, {}, {}
  for _ in next, of do count = count + 1 end
  if count == 0 or count ~= #of then fail('of must be a need, or a list of needs: of = { "a", "b" }', nil, at) end
  if count > kernel.series then
    fail(format("%s takes %s, not %d", kernel.name, kernel.series == 1 and "one series" or format("at most %d series", kernel.series), count), nil, at)
  end
  for i = 1, count do
    names[i] = read_one_of(of[i], name .. i, path, context)
    if seen[names[i]] then fail(format('of names "%s" twice', names[i]), nil, at) end
    seen[names[i]] = true
  end
  return names
end

-- Values whose p is below the gate do not teach the detector.
local function read_gate(gate, path)
  if gate == nil then return 0 end
  if type(gate) ~= "number" or not (gate > 0 and gate <= 0.1) then
    fail("gate must be a probability above 0, of at most 0.1", "values whose p is below it are not learned from", place(path .. ".gate"))
  end
  return gate
end

function read_need(name, raw, path, context, hidden)
  local at = place(path)
  if type(raw) ~= "table" or not needs[raw] then
    fail(format('the need "%s" must be a feature or a detector', name), "write feature.NAME { … }", at)
  end
  local kernels = native.kernels[raw.kind]
  local kernel = kernels[raw.kernel]
  if not kernel then
    fail(format('there is no %s "%s"', raw.kind, native.tostring(raw.kernel)), text.did_you_mean(raw.kernel, text.sorted_keys(kernels)), at)
  end
  local known = raw.kind == "detector" and { "of", "output", "gate" } or { "of", "output" }
  for i, field in ipairs(kernel.params) do table.insert(known, i, field.name) end
  check_fields(raw.options, known, format("%s.%s", raw.kind, kernel.name), path)
  local need = { name = name, kernel = kernel.index, params = {}, output = 0, hidden = hidden or false, used = { },
    gate = read_gate(raw.options.gate, path) }
  for i, field in ipairs(kernel.params) do need.params[i] = read_parameter(kernel, field, raw.options, path) end
  if raw.options.output ~= nil then
    need.output = nil
    for i, output in ipairs(kernel.outputs) do
      if output == raw.options.output then need.output = i - 1 end
    end
    if not need.output then
      fail(format('%s.%s has no output "%s"', raw.kind, kernel.name, native.tostring(raw.options.output)),
        text.did_you_mean(raw.options.output, kernel.outputs), place(path .. ".output"))
    end
  end
  local outer = context.name
  context.name = name
  need.of = read_of(kernel, raw.options, path, context)
  context.name = outer
  for i, field in ipairs(kernel.params) do
    if field.name == "dims" and kernel.series > 1 then need.params[i] = math.max(1, #need.of) end
  end
  context.list[#context.list + 1] = need
  context.by_name[name] = need
end

-- Inputs come before what is made of them; names decide among equals, so the order is the same in every process.
local function in_order(context)
  local list, mark = {}, {}
  local function visit(need)
    if mark[need] == 2 then return end
    if mark[need] == 1 then fail(format('the need "%s" is made of itself', need.name), nil, place("needs." .. need.name)) end
    mark[need] = 1
    for _, name in ipairs(need.of) do visit(context.by_name[name]) end
    mark[need] = 2
    list[#list + 1] = need
    need.index = #list - 1
  end
  table.sort(context.list, function(a, b) return a.name < b.name end)
  for _, need in ipairs(context.list) do visit(need) end
  for _, need in ipairs(list) do
    need.of_index = {}
    for i, name in ipairs(need.of) do need.of_index[i] = context.by_name[name].index end
  end
  return list
end

local function read_needs(raw)
  local context = { raw = optional(raw, "needs", "table", {}), list = {}, by_name = {} }
  for _, name in ipairs(text.sorted_keys(context.raw)) do
    text.check_name(name, "a need", place("needs." .. native.tostring(name)))
    read_need(name, context.raw[name], "needs." .. name, context)
  end
  if #context.list > 16 then fail("a rule has at most 16 needs, nested ones included", nil, place "needs") end
  return in_order(context)
end

-- ---- state, params, labels

local function read_state(raw)
  local state, slots = optional(raw, "state", "table", {}), {}
  for _, name in ipairs(text.sorted_keys(state)) do
    local at = place("state." .. native.tostring(name))
    text.check_name(name, "a state field", at)
    if type(state[name]) ~= "number" then fail(format("state.%s must be a number", name), "state is kept in numbers: 0 and 1 for no and yes", at) end
    slots[#slots + 1] = { name = name, preset = state[name] }
  end
  if #slots > 16 then fail("a rule has at most 16 state fields", nil, place "state") end
  return slots
end

local function read_params(raw)
  local params = optional(raw, "params", "table", {})
  for _, name in ipairs(text.sorted_keys(params)) do
    local at = place("params." .. native.tostring(name))
    text.check_name(name, "a parameter", at)
    local kind = type(params[name])
    if kind ~= "number" and kind ~= "string" and kind ~= "boolean" then
      fail(format("params.%s must be a number, text or a boolean", name), nil, at)
    end
  end
  return params
end

local function read_labels(raw)
  local labels, out = optional(raw, "labels", "table", {}), {}
  for _, name in ipairs(text.sorted_keys(labels)) do
    local at = place("labels." .. native.tostring(name))
    text.check_name(name, "a label", at)
    out[#out + 1] = { name = name, value = short_text(labels[name], 63, "the label " .. name, at) }
  end
  if #out > 16 then fail("a rule has at most 16 labels", nil, place "labels") end
  return out
end

-- ---- the body's handlers, and what they read

local event_fields = { "ts", "ts_us", "price", "size", "side", "bid", "bid_size", "ask", "ask_size", "value", "conditions", "late", "kind",
  "phase", "type", "open", "high", "low", "close", "volume", "buy_volume", "trades", "interval", "action", "order", "orders", "account",
  "snapshot", "more" }
local context_fields = { "alert", "timer", "now", "log", "params" }

local function names_of(list)
  local names = {}
  for _, entry in ipairs(list) do
    if not entry.hidden then names[#names + 1] = entry.name end
  end
  return names
end

local function check_accesses(rule)
  local needs_, params, slots = names_of(rule.needs), text.sorted_keys(rule.params), names_of(rule.slots)
  local parameters = {
    when = { { "needs", needs_ }, { "params", params } },
    on_event = { { "ctx", context_fields }, { "the event", event_fields }, { "needs", needs_ }, { "state", slots } },
    on_timer = { { "ctx", context_fields }, { "needs", needs_ }, { "state", slots } },
  }
  for _, access in ipairs(accesses) do
    local parameter = parameters[access.handler][access.parameter + 1]
    if parameter then
      local found = false
      for _, name in ipairs(parameter[2]) do found = found or name == access.field end
      if not found then
        fail(format('%s has no field "%s"', parameter[1], access.field), text.did_you_mean(access.field, parameter[2]),
          { access.line, access.column })
      end
    end
  end
end

local function read_handlers(raw, rule)
  for _, name in ipairs { "when", "on_event", "on_timer" } do rule[name] = optional(raw, name, "function") end
  if not rule.when and not rule.on_event and not rule.on_timer then
    fail("the rule has no body", "give it when = function(f, p) … end, or on_event and on_timer")
  end
  if rule.when and (rule.on_event or rule.on_timer) then
    fail("a rule has either when or handlers, not both", nil, place(rule.on_event and "on_event" or "on_timer"))
  end
  if rule.on_timer and not rule.on_event then
    fail("on_timer alone is never called", "ask for a timer in on_event: ctx.timer(seconds)", place "on_timer")
  end
  if rule.when and #rule.needs == 0 then fail("when needs something to look at", "name it in needs = { … }", place "when") end
  if rule.when and #rule.slots > 0 then fail("when has no state", "use on_event = function(ctx, e, f, s) … end", place "state") end
  rule.place = place(rule.when and "when" or "on_event")
  check_accesses(rule)
end

local fields = { "match", "params", "needs", "state", "state_version", "when", "on_event", "on_timer", "severity", "message", "cooldown",
  "for", "for_", "labels", "shadow", "version", "alerts_per_minute", "timer_min" }
local severities = { info = 0, warning = 1, error = 2, critical = 3 }

local function read_outcome(raw, rule)
  local severity = optional(raw, "severity", "string", "warning")
  rule.severity = severities[severity]
  if not rule.severity then
    fail(format('severity cannot be "%s"', severity), "it is info, warning, error or critical", place "severity")
  end
  rule.message = short_text(raw.message or "{symbol}: " .. rule.name, 255, "message", place "message")
  local known = { "symbol", "key" }
  for _, name in ipairs(names_of(rule.needs)) do known[#known + 1] = name end
  text.check_template(rule.message, function(name, spec)
    local found = false
    for i = 1, #known do found = found or known[i] == name end
    if not found then fail(format('the message names "%s", which is no need', name), text.did_you_mean(name, known), place "message") end
    if spec ~= "" and (name == "symbol" or name == "key") then fail(format('"%s" is text and takes no format', name), nil, place "message") end
  end, place "message")
  if raw["for"] ~= nil and raw.for_ ~= nil then fail("for_ and [\"for\"] are one field", nil, place "for_") end
  rule.cooldown = duration(raw, "cooldown")
  rule.for_ = duration({ for_ = raw["for"] or raw.for_ }, "for_")
  if rule.for_ > 0 and not rule.when then fail("for_ belongs to when", nil, place "for_") end
  rule.timer_min = duration(raw, "timer_min")
  rule.alerts_per_minute = whole(raw, "alerts_per_minute", 600, 1, 60000)
end

-- The rule of the file that was just run.
function head.read_rule(pack, name)
  kind_of_file = nil
  if not declared then fail('the file declares no rule', 'write rule "' .. name .. '" { … }') end
  if declared.name ~= name then
    fail(format('the rule is named "%s" but its file "%s"', declared.name, name), "a rule has the name of its file")
  end
  local raw = declared.raw
  check_fields(raw, fields, "a rule", "")
  local rule = { name = name, pack = pack }
  rule.match = read_match(raw)
  rule.needs = read_needs(raw)
  rule.slots = read_state(raw)
  rule.params = read_params(raw)
  rule.labels = read_labels(raw)
  rule.version = whole(raw, "version", 1, 1, 1e9)
  rule.state_version = whole(raw, "state_version", 1, 1, 1e9)
  rule.shadow = optional(raw, "shadow", "boolean", false)
  read_handlers(raw, rule)
  read_outcome(raw, rule)
  local memo_params = {}
  for key, value in next, rule.params do memo_params[key] = value end
  rule.params = memo_params
  for _, handler in ipairs { "when", "on_event", "on_timer" } do
    if rule[handler] then rule[handler] = sandbox.seal(rule[handler]) end
  end
  return rule
end

return head
