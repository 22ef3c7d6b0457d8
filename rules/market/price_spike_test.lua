test "fires on a jump" {
  given = { move = 12, share = 0.004 }, expect = "warning", symbol = "EURUSD",
  message = "EURUSD moved +0.40% within a minute, +12.0 sigma",
}
test "fires on a fall alike"              { given = { move = -12, share = -0.004 }, expect = "warning" }
test "stays silent on a usual move"       { given = { move = 3, share = 0.004 }, expect = nil }
test "stays silent on a move of nothing"  { given = { move = 12, share = 0.0001 }, expect = nil }
test "stays silent before it is warm"     { given = { share = 0.004 }, expect = nil }
test "is as sensitive as it is told"      { given = { move = 6, share = 0.004 }, params = { sigma = 5 }, expect = "warning" }
