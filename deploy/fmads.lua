-- deploy/fmads.lua - settings of the server. It is data: a table of sections, nothing else. `fmads config check` reads it and says what is
-- wrong; FMADS_<SECTION>_<KEY> in the environment goes before it. docs/operations.md lists every setting with its preset.
return {
  net = {
    listen = "127.0.0.1:8080", -- loopback only while there is no authentication
  },
  data = {
    dir = "./data",
  },
  rules = {
    dir = "./rules",
  },
  journal = {
    sync = "interval",         -- "always": an answer means that the disk has it
    retain_bytes = "10GiB",
  },
  redis = {
    url = "",                  -- "redis://127.0.0.1:6379" to publish alerts and latest values
  },
}
