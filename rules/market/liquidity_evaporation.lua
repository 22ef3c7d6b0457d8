-- rules/market/liquidity_evaporation.lua - the quoted spread is many times as wide as usual.
-- Why: when the makers leave, the next market order moves the price by far more than it should; a spread seen over ten seconds
-- says so before the price does. A flicker of one quote does not count: the spread is weighted by the time that it stood.
rule "liquidity_evaporation" {
  match = { on = "quote" },
  needs = {
    width  = feature.spread_ratio { window = "10s", half_life = "2h", floor = 0.1 }, -- 1 = usual
    spread = feature.spread_ratio { window = "10s", half_life = "2h", floor = 0.1, output = "spread" }, -- bp
  },
  params = { times = 5 },
  when = function(f, p) return f.width > p.times end,
  severity = "warning",
  message  = "{symbol} is quoted {width:.1f} times as wide as usual, {spread:.1f} bp",
  cooldown = "15m",
}
