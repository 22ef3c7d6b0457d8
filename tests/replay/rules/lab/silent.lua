-- silent: a timer put off by every record; fires when an instrument has said nothing for three seconds.
rule "silent" {
  state = { seen = 0, silences = 0 },
  on_event = function(ctx, e, f, s)
    s.seen = s.seen + 1
    ctx.timer(3)
  end,
  on_timer = function(ctx, f, s)
    s.silences = s.silences + 1
    ctx.alert { score = s.seen + s.silences / 1000 }
    if s.silences % 2 == 0 then ctx.timer(5) end
  end,
  cooldown = "10s",
  message = "{symbol} is silent",
}
