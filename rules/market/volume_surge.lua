-- rules/market/volume_surge.lua - a minute's volume is many times the usual one.
-- Why: somebody trades in size. With a move it is news or a large order being worked, without one it may be a cross or a wash; both are
-- worth a look, and neither shows in the price alone.
rule "volume_surge" {
  match = { on = "trade" },
  needs = {
    times  = feature.volume_ratio { window = "1m", half_life = "2h" },                    -- 1 = usual
    volume = feature.volume_ratio { window = "1m", half_life = "2h", output = "volume" }, -- size
  },
  params = { times = 10 },
  when = function(f, p) return f.times > p.times end,
  severity = "info",
  message  = "{symbol} traded {volume:.0f} within a minute, {times:.1f} times the usual",
  cooldown = "15m",
}
