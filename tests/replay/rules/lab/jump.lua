-- jump: a `when` rule with a cooldown, the commonest form.
rule "jump" {
  needs = { move = feature.return_z { half_life = "5m" }, gap = feature.spread {} },
  when = function(f, p) return math.abs(f.move) > p.sigma end,
  params = { sigma = 4 },
  severity = "warning",
  message = "{symbol} moved {move:+.1f} sigma, spread {gap:.6f}",
  cooldown = "30s",
  labels = { desk = "lab" },
}
