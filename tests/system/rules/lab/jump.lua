-- jump: a `when` rule with a cooldown, the commonest form.
rule "jump" {
  needs = { move = feature.return_z { half_life = "5m" } },
  when = function(f, p) return math.abs(f.move) > p.sigma end,
  params = { sigma = 8 },
  severity = "warning",
  message = "{symbol} moved {move:+.1f} sigma",
  cooldown = "2s",
  labels = { desk = "lab" },
}
