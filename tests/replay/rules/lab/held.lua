-- held: the condition must hold for a while; `of` chains a feature on another.
rule "held" {
  needs = { wide = feature.ewma { half_life = "1m", output = "z", of = feature.spread {} } },
  when = function(f) return f.wide > 1.5 end,
  for_ = "2s",
  cooldown = "1m",
  message = "{symbol} spread wide for two seconds: {wide:.2f}",
}
