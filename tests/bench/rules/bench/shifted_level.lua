-- Never true for the workload: the detector starts anew at a sum of 50.
rule "shifted_level" {
  needs    = { shift = detector.page_hinkley { half_life = "300s" } },
  when     = function(f) return f.shift > 1e6 end,
  severity = "warning",
  message  = "{symbol} has shifted by {shift:.1f}",
}
