-- failing: raises an error at each tick.
rule "failing" {
  on_event = function(ctx, e, f, s)
    error("on purpose")
  end,
  message = "{symbol} never",
}
