-- One record a second, twenty of them, with a rule that is warm after ten.
local lively = { warm = 10, least = 5, times = 10 }

local function records(count, last)
  local steps = {}
  for i = 1, count do steps[i] = { at = 36000 + i, event = { type = "quote", bid = 1, ask = 2 } } end
  for i = 1, #last do table.insert(steps, last[i]) end
  return steps
end

test "tells of a feed that went silent" {
  params = lively,
  steps = records(14, {
    { timer = true, expect = nil },     -- records came meanwhile: asks for the rest
    { timer = true, expect = "error" }, -- ten times the usual second
  }),
}
test "tells once of one silence" {
  params = lively,
  steps = records(14, {
    { timer = true, expect = nil },
    { timer = true, expect = "error" },
    { at = 36100, event = { type = "quote", bid = 1, ask = 2 }, expect = nil },
  }),
}
test "says nothing of an instrument that it hardly knows" {
  params = lively,
  steps = { { at = 36001, event = { price = 1 } }, { at = 39600, event = { price = 1 } } },
}
