-- Never true for the workload: ten times its largest jump.
rule "off_vwap" {
  needs    = { deviation = feature.vwap_deviation { window = "300s" } },
  when     = function(f) return math.abs(f.deviation) > 3000 end,
  severity = "warning",
  message  = "{symbol} trades {deviation:+.1f} bp off its VWAP",
}
