-- Never true for the workload; runs on every record like all rules here.
rule "fall" {
  needs    = { move = feature.log_return {} },
  when     = function(f) return f.move < -0.2 end,
  severity = "warning",
  message  = "{symbol} fell {move:+.4f}",
}
