-- count: a handler with state: every hundredth record, and math that must have the same bits everywhere.
rule "count" {
  state = { n = 0, sum = 0, paid = 0 },
  on_event = function(ctx, e, f, s)
    s.n = s.n + 1
    if e.price == e.price then s.paid = s.paid + e.price end
    s.sum = s.sum + math.exp(-s.n / 1000) + math.log(s.n) + math.pow(s.n, 0.3)
    if s.n % 100 == 0 then ctx.alert { score = s.sum + s.paid, key = e.type, severity = "info" } end
  end,
  alerts_per_minute = 40,
  message = "{symbol} had another hundred {key} records",
}
