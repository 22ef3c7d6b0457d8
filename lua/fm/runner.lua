-- lua/fm/runner.lua - makes of each rule a loop of its own over the rows of a batch.
--
-- Each loop is a chunk of its own, so LuaJIT compiles each into its own trace; one loop for all rules would grow a bush of side traces
-- (measured: six times slower). A loop reads columns from the frame, fills the rule's permanent view and calls the body; nothing is
-- allocated. The body sees the view as a const struct: a misspelt field is an error at once, it cannot be written, indexed like an
-- array, or kept, and its text shows no address.

local host = ...
local native, ffi, frame, text = host.native, host.ffi, host.frame, host.text
local format, concat = string.format, table.concat
local sandbox = host.sandbox
local runner = {}

local begin_row = ffi.cast("void (*)(fm_frame *, int32_t)", ffi.cast("uintptr_t", native.begin_row))
local end_row = ffi.cast("void (*)(fm_frame *)", ffi.cast("uintptr_t", native.end_row))

-- A struct of doubles as C and the loop write it, and as the rule reads it. `special` answers for names that are no fields.
local function make_view(names, what, writable, special)
  local fields, const = {}, {}
  for i, name in ipairs(names) do
    fields[i] = format("double %s;", name)
    const[i] = format("%sdouble %s;", writable and "" or "const ", name)
  end
  if #names == 0 then -- a struct without fields cannot be made
    fields[1], const[1] = "double _;", "const double _;"
  end
  local view_type = ffi.typeof("struct { " .. concat(const, " ") .. " }")
  local function missing(_, name)
    local answer = special and special[name]
    if answer then return answer() end
    error(format('%s has no field "%s"', what, native.tostring(name)), 0)
  end
  ffi.metatype(view_type, {
    __index = missing,
    __newindex = function(_, name) error(format('%s has no field "%s" that can be written', what, native.tostring(name)), 0) end,
    __tostring = function() return what end,
  })
  local view = view_type()
  return view, ffi.cast(ffi.typeof("$ *", ffi.typeof("struct { " .. concat(fields, " ") .. " }")), view)
end

local kinds = { [1] = "trade", [2] = "quote", [3] = "value", [4] = "status", [5] = "bar", [6] = "book", [7] = "order" }
local actions = { [6] = { "set", "delete", "clear" }, [7] = { "add", "modify", "cancel", "execute", "fill", "clear" } }
local phases = { [1] = "open", [2] = "auction", [3] = "halt", [4] = "closed" }
local event_names = { "ts", "ts_us", "price", "size", "side", "bid", "bid_size", "ask", "ask_size", "value", "conditions", "late", "kind",
  "phase_number", "open", "high", "low", "close", "volume", "buy_volume", "trades", "interval", "order", "orders", "account", "snapshot", "more",
  "action_number" }

local function make_event()
  local pointer
  local special = {
    type = function() return kinds[pointer.kind] or "timer" end,
    phase = function() return phases[pointer.phase_number] end,
    action = function()
      local of_kind = actions[pointer.kind]
      return of_kind and of_kind[pointer.action_number]
    end,
  }
  local event
  event, pointer = make_view(event_names, "the event", false, special)
  return event, pointer
end

-- ---- ctx

local severities = { info = 0, warning = 1, error = 2, critical = 3 }
local alert_fields = { "severity", "score", "key" }

local function alert(options)
  if options == nil then return native.alert() end
  if type(options) ~= "table" then error("ctx.alert takes a table: ctx.alert { score = …, key = … }", 0) end
  options = sandbox.real_of(options)
  for name in next, options do
    if name ~= "severity" and name ~= "score" and name ~= "key" then
      error(format("ctx.alert has no field %s; %s", native.tostring(name), text.did_you_mean(name, alert_fields)), 0)
    end
  end
  local severity, score, key = options.severity, options.score, options.key
  if severity ~= nil and not severities[severity] then error("ctx.alert: severity is info, warning, error or critical", 0) end
  if score ~= nil and type(score) ~= "number" then error("ctx.alert: score must be a number", 0) end
  if key ~= nil and type(key) ~= "string" then error("ctx.alert: key must be text", 0) end
  native.alert(severity and severities[severity], score, key)
end

local function now()
  return frame.now
end

local function log()
  frame.logged = frame.logged + 1
end

local function make_ctx(params)
  local functions = { alert = alert, timer = native.timer, now = now, log = log, params = params }
  local ctx_type = ffi.typeof "struct { const double _; }"
  ffi.metatype(ctx_type, {
    __index = function(_, name)
      local found = functions[name]
      if found == nil then error(format('ctx has no field "%s"', native.tostring(name)), 0) end
      return found
    end,
    __newindex = function() error("ctx cannot be written; what outlives a call is declared in state = { … }", 0) end,
    __tostring = function() return "ctx" end,
  })
  return ctx_type()
end

-- ---- params: a sealed table in which a misspelt name is an error

local function make_params(values)
  local real = setmetatable({}, {
    __index = function(_, name) error(format('params has no field "%s"', native.tostring(name)), 0) end,
  })
  for name, value in next, values do real[name] = value end
  return setmetatable({}, {
    __index = real,
    __newindex = function() error("params cannot be written", 0) end,
    real = real,
  }), real
end

function runner.set_params(rule, values)
  for name, value in next, values or rule.params do rule.params_real[name] = value end
end

-- ---- loops

local function compile(rule, lines)
  return assert(host.loadstring(concat(lines, "\n"), format("=loop %s/%s", rule.pack, rule.name)))
end

local function when_loop(rule, names, params)
  local view, store = make_view(names, "needs", false)
  local lines = {
    "local frame, view, store, when, params = ...",
    "return function(first, last)",
    "  for k = first, last do",
    "    frame.done = k",
    "    frame.budget = frame.budget_preset",
    "    do local base = frame.row[k] * frame.stride", -- a block, so that no exit to the interpreter has to box it
  }
  for i, name in ipairs(names) do
    lines[#lines + 1] = format("    store.%s = frame.matrix[base + frame.column[%d]]", name, i - 1)
  end
  lines[#lines + 1] = "    end"
  lines[#lines + 1] = "    if when(view, params) then frame.hit[k] = 1 else frame.hit[k] = 0 end"
  lines[#lines + 1] = "  end"
  lines[#lines + 1] = "end"
  rule.keep = view -- C and the loop hold its address
  return compile(rule, lines)(frame, view, store, rule.when, params), 0, 0, 0
end

local function handler_loop(rule, names, params)
  local slot_names = {}
  for i, slot in ipairs(rule.slots) do slot_names[i] = slot.name end
  local view, store = make_view(names, "needs", false)
  local slots, slot_store = make_view(slot_names, "state", true)
  local event, event_store = make_event()
  local lines = {
    "local frame, begin_row, end_row, ctx, event, view, slots, on_event, on_timer = ...",
    "return function(first, last)",
    "  for k = first, last do",
    "    begin_row(frame, k)",
    "    if frame.is_timer ~= 0 then",
    rule.on_timer and "      on_timer(ctx, view, slots)" or "",
    "    else",
    "      on_event(ctx, event, view, slots)",
    "    end",
    "    end_row(frame)",
    "  end",
    "end",
  }
  rule.keep = { view, slots, event }
  local function address(pointer) return tonumber(ffi.cast("uintptr_t", ffi.cast("void *", pointer))) end
  local loop = compile(rule, lines)(frame, begin_row, end_row, make_ctx(params), event, view, slots, rule.on_event, rule.on_timer)
  return loop, address(store), address(slot_store), address(event_store)
end

-- The loop, and where begin_row writes: features, slots, event (0 for `when`, whose loop writes itself).
function runner.make(rule)
  local names = {}
  for _, need in ipairs(rule.needs) do
    if not need.hidden then names[#names + 1] = need.name end
  end
  local params
  params, rule.params_real = make_params(rule.params)
  if rule.when then return when_loop(rule, names, params) end
  return handler_loop(rule, names, params)
end

return runner
