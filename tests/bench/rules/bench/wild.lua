-- Never true for the workload: a volatility of one half within a minute.
rule "wild" {
  needs    = { volatility = feature.realised_variance { window = "60s", output = "volatility" } },
  when     = function(f) return f.volatility > 0.5 end,
  severity = "warning",
  message  = "{symbol} has a volatility of {volatility:.3f}",
}
