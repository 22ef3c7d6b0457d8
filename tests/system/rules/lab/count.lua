-- count: a handler with state. Every hundredth record of a name: one record more or less shows in every alert that follows.
rule "count" {
  state = { n = 0, sum = 0 },
  on_event = function(ctx, e, f, s)
    s.n = s.n + 1
    s.sum = s.sum + e.ts % 1000
    if s.n % 100 == 0 then ctx.alert { score = s.sum, key = e.type, severity = "info" } end
  end,
  message = "{symbol} had another hundred records",
}
