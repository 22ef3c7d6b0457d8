test "fires on a storm of quotes" {
  given = { times = 30, rate = 900 }, expect = "warning", symbol = "X",
  message = "X sends 900 records a second, 30.0 times the usual",
}
test "stays silent on a lively minute"            { given = { times = 3, rate = 900 }, expect = nil }
test "stays silent on ten quotes after silence"   { given = { times = 30, rate = 5 }, expect = nil }
test "stays silent before it is warm"             { given = { rate = 900 }, expect = nil }
