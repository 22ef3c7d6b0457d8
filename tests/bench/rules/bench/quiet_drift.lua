-- Never true for the workload: a shift without volatility, far off the VWAP.
rule "quiet_drift" {
  needs = {
    shift      = detector.page_hinkley { half_life = "300s" },
    far        = detector.ewma_z { half_life = "300s" },
    volatility = feature.realised_variance { window = "60s", output = "volatility" },
    deviation  = feature.vwap_deviation { window = "300s" },
  },
  when = function(f)
    return f.shift > 100 and f.far > 3 and f.volatility < 1e-9 and math.abs(f.deviation) > 500
  end,
  severity = "warning",
  message  = "{symbol} drifts: {deviation:+.1f} bp off its VWAP",
}
