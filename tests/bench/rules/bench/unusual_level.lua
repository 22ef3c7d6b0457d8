-- Never true for the workload.
rule "unusual_level" {
  needs    = { far = detector.ewma_z { half_life = "300s" } },
  when     = function(f) return f.far > 1e6 end,
  severity = "warning",
  message  = "{symbol} is {far:.1f} sigma away",
}
