-- silent: a timer that every record puts off; it fires when a name has said nothing for three seconds.
rule "silent" {
  state = { seen = 0 },
  on_event = function(ctx, e, f, s)
    s.seen = s.seen + 1
    ctx.timer(3)
  end,
  on_timer = function(ctx, f, s)
    ctx.alert { score = s.seen }
  end,
  severity = "error",
  message = "{symbol} is silent",
}
