-- fails: raises an error now and then: three strikes end it in a partition, and everywhere else it goes on.
rule "fails" {
  state = { n = 0 },
  on_event = function(ctx, e, f, s)
    s.n = s.n + 1
    if s.n % 500 == 0 then error("on purpose") end
    if s.n % 450 == 0 then ctx.alert {} end
  end,
  message = "{symbol} before the failure",
}
