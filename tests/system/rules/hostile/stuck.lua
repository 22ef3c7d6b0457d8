-- stuck: a pattern that takes longer than the age of the world.
rule "stuck" {
  on_event = function(ctx, e, f, s)
    local text = string.rep("a", 2000)
    if string.find(text, "a*a*a*a*a*a*a*a*a*a*a*a*b") then ctx.alert {} end
  end,
  message = "{symbol} never",
}
