-- wide: the condition must hold for a while, and is about the spread.
rule "wide" {
  needs = { gap = feature.spread {}, usual = feature.ewma { half_life = "10s", of = feature.spread {} } },
  when = function(f) return f.gap > 1.8 * f.usual end,
  for_ = "20ms",
  cooldown = "1s",
  message = "{symbol} is quoted {gap:.6f} wide, usual {usual:.6f}",
}
