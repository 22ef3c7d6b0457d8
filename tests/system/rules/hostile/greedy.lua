-- greedy: allocates without end.
rule "greedy" {
  on_event = function(ctx, e, f, s)
    local kept, text = {}, "x"
    for i = 1, 90000 do
      kept[i] = { i, i + 1, i + 2, tostring(i) .. text, { i }, { i }, { i }, { i } }
    end
  end,
  message = "{symbol} never",
}
