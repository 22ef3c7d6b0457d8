-- endless: a loop without an end.
rule "endless" {
  on_event = function(ctx, e, f, s)
    while true do end
  end,
  message = "{symbol} never",
}
