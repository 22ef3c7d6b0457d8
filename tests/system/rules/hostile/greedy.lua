-- greedy: allocates without end.
rule "greedy" {
  on_event = function(ctx, e, f, s)
    local kept, text = {}, string.rep("x", 10000)
    for i = 1, 90000 do
      kept[i] = text .. i
    end
    assert(#kept > 0)
  end,
  message = "{symbol} never",
}
