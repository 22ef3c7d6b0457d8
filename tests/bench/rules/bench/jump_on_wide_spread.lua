-- Never true for the workload: two inputs that are never high together.
rule "jump_on_wide_spread" {
  needs    = { move = feature.log_return {}, spread = feature.spread { output = "relative" } },
  when     = function(f) return math.abs(f.move) > 0.01 and f.spread > 200 end,
  severity = "warning",
  message  = "{symbol} moved {move:+.4f} on a spread of {spread:.1f} bp",
}
