-- The one that alerts: every 10,000th record of the workload is a trade 3 % above the last.
rule "jump" {
  needs    = { move = feature.log_return {} },
  when     = function(f) return f.move > 0.02 end,
  severity = "warning",
  message  = "{symbol} jumped {move:+.4f}",
}
