-- rules/market/quote_burst.lua - far more quotes a second than usual.
-- Why: a burst of quotes without trades is how quote stuffing looks, and how a market maker's loop gone wild looks; either way the
-- prices seen meanwhile are worth less. The absolute rate is asked for too: ten quotes after a silent minute are no burst.
rule "quote_burst" {
  match = { on = "quote" },
  needs = {
    times = feature.event_rate { window = "2s", half_life = "30m", output = "ratio" }, -- 1 = usual
    rate  = feature.event_rate { window = "2s", half_life = "30m" },                   -- records a second
  },
  params = { times = 20, rate = 100 },
  when = function(f, p) return f.times > p.times and f.rate > p.rate end,
  severity = "warning",
  message  = "{symbol} sends {rate:.0f} records a second, {times:.1f} times the usual",
  cooldown = "15m",
}
