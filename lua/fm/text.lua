-- lua/fm/text.lua - durations, names and message templates.

local host = ...
local native, fail = host.native, host.fail
local format, gsub, match, find, sub = string.format, string.gsub, string.match, string.find, string.sub
local text = {}

local seconds_of = { ns = 1e-9, us = 1e-6, ms = 1e-3, s = 1, m = 60, h = 3600, d = 86400, w = 604800 }

-- "30m", "1h30m", "500ms" or a number of seconds; nil when it is neither.
function text.seconds(value)
  if type(value) == "number" then return value end
  if type(value) ~= "string" or value == "" then return nil end
  local total, at = 0, 1
  while at <= #value do
    local number, unit, behind = match(value, "^([0-9]+%.?[0-9]*)([a-z]+)()", at)
    if not number or not seconds_of[unit] then return nil end
    total = total + tonumber(number) * seconds_of[unit]
    at = behind
  end
  return total
end

local reserved = {}
for word in string.gmatch("auto break case char const continue default do double else enum extern float for goto if inline int long " ..
  "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool complex and " ..
  "elseif end false function in local nil not or repeat then true until", "%a+") do
  reserved[word] = true
end

-- A name that can be a field of a view. What: "a need", "a state field".
function text.check_name(name, what, place)
  if type(name) ~= "string" or not find(name, "^[a-z][a-z0-9_]*$") or #name > 31 then
    fail(format("%s's name must be 1 to 31 of a-z, 0-9 and _, beginning with a letter: %s", what, native.tostring(name)), nil, place)
  end
  if reserved[name] then fail(format('%s cannot be named "%s": the word is reserved', what, name), nil, place) end
end

-- did_you_mean("half_lfe", {"half_life"}) is "did you mean half_life?"; else the list of what there is.
function text.did_you_mean(name, candidates)
  local nearest = native.nearest(native.tostring(name), candidates)
  if nearest then return "did you mean " .. nearest .. "?" end
  if #candidates == 0 then return "it takes none" end
  local shown = {}
  for i = 1, math.min(#candidates, 12) do shown[i] = candidates[i] end
  return "there is " .. table.concat(shown, ", ") .. (#candidates > #shown and format(" and %d more", #candidates - #shown) or "")
end

function text.sorted_keys(t)
  local keys = {}
  for key in next, t do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then return type(a) < type(b) end
    return a < b
  end)
  return keys
end

-- Calls on_field(name, format) for each {name} and {name:format} of a template.
function text.check_template(template, on_field, place)
  local rest = gsub(template, "{([^{}]*)}", function(inside)
    local name, spec = match(inside, "^([a-z][a-z0-9_]*)(.*)$")
    if not name then fail(format('the message has "{%s}", which names nothing', inside), "write {symbol} or {need:+.1f}", place) end
    if spec ~= "" and not find(spec, "^:%+?%.[0-9][fged%%]?$") and not find(spec, "^:%+?[fged%%]?$") then
      fail(format('the message has "{%s}", whose format is not taken', inside), "a format is [+][.digits][f|g|e|d|%], as in {move:+.1f}", place)
    end
    on_field(name, spec)
    return ""
  end)
  if find(rest, "[{}]") then fail("the message has a brace without its other half", nil, place) end
end

local function render_number(value, spec)
  if type(value) ~= "number" then return value end
  if value ~= value then return "n/a" end
  local flags, kind = match(spec, "^:?(%+?%.?[0-9]?)([fged%%]?)$")
  if kind == "%" then return format("%" .. flags .. "f", value * 100) .. "%" end
  if kind == "d" then return format("%" .. (find(flags, "%.") and flags or flags .. ".0") .. "f", value) end
  return format("%" .. flags .. (kind == "" and "g" or kind), value)
end

-- The message as the engine writes it, for tests of rules.
function text.render(template, values)
  return (gsub(template, "{([a-z][a-z0-9_]*)([^{}]*)}", function(name, spec)
    local value = values[name]
    if value == nil then return "n/a" end
    return render_number(value, spec)
  end))
end

function text.is_glob(value)
  return type(value) == "string" and #value > 0 and not find(value, "[^\33-\126]")
end

text.starts_with = function(value, start) return sub(value, 1, #start) == start end

return text
