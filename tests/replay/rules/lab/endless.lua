-- endless: a loop without an end now and then: the budget stops it.
rule "endless" {
  state = { n = 0 },
  on_event = function(ctx, e, f, s)
    s.n = s.n + 1
    if s.n % 700 == 0 then while true do s.n = s.n + 1 end end
    if s.n % 300 == 0 then ctx.alert {} end
  end,
  message = "{symbol} before the loop",
}
