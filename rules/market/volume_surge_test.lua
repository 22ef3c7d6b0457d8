test "fires on a surge" {
  given = { times = 14, volume = 250000 }, expect = "info", symbol = "BAC",
  message = "BAC traded 250000 within a minute, 14.0 times the usual",
}
test "stays silent on usual volume"    { given = { times = 2, volume = 250000 }, expect = nil }
test "stays silent without sizes"      { given = { times = 14 }, expect = nil }
