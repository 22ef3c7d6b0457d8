-- Never true for the workload: its spread stays below 12 basis points.
rule "wide_spread" {
  needs    = { spread = feature.spread { output = "relative" } },
  when     = function(f) return f.spread > 500 end,
  severity = "warning",
  message  = "{symbol} has a spread of {spread:.1f} bp",
}
