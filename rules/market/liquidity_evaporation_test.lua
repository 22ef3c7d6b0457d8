test "fires when the makers leave" {
  given = { width = 7.5, spread = 12 }, expect = "warning", symbol = "BAC",
  message = "BAC is quoted 7.5 times as wide as usual, 12.0 bp",
}
test "stays silent on a usual spread"   { given = { width = 1.2, spread = 2 }, expect = nil }
test "stays silent before it is warm"   { given = { spread = 12 }, expect = nil }
test "is as sensitive as it is told"    { given = { width = 4, spread = 12 }, params = { times = 3 }, expect = "warning" }
