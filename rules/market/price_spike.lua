-- rules/market/price_spike.lua - a move far outside what the instrument has shown in its last hours.
-- Why: a jump within a minute is news, a fat finger or a failing market; whoever holds the name wants to look at once.
-- It works on last prices and on mids alike. Volume is not asked for: a feed without sizes would leave the rule waiting for it for
-- ever; market/volume_surge says what volume has to say, where there is any.
rule "price_spike" {
  needs = {
    move  = feature.move_z { window = "1m", half_life = "1h" },                  -- sigma
    share = feature.move_z { window = "1m", half_life = "1h", output = "move" }, -- 0.001 = ten basis points
  },
  params = { sigma = 8, share = 0.0005 },
  when = function(f, p)
    return math.abs(f.move) > p.sigma and math.abs(f.share) > p.share
  end,
  severity = "warning",
  message  = "{symbol} moved {share:+.2%} within a minute, {move:+.1f} sigma",
  cooldown = "15m",
}
