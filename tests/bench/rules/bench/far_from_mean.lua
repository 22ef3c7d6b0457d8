-- Never true for the workload: a sigma count no tick reaches.
rule "far_from_mean" {
  needs    = { z = feature.ewma { half_life = "60s", output = "z" } },
  when     = function(f) return math.abs(f.z) > 1e6 end,
  severity = "warning",
  message  = "{symbol} is {z:+.1f} sigma from its mean",
}
