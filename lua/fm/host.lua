-- lua/fm/host.lua - the Lua half of the host. C runs it once in each new state; what it returns is all that C calls.
--
-- native: the table of script/library.c. The libraries of LuaJIT are still global while this file runs; afterwards nothing is.

local native = ...
local ffi = require "ffi"

jit.opt.start("maxtrace=8000", "maxrecord=8000", "maxmcode=16384", "sizemcode=64")
ffi.cdef(native.cdef)
assert(ffi.sizeof "fm_frame" == native.frame_size and ffi.sizeof "fm_event_view" == native.event_size,
  "the host's Lua and C disagree about the frame")

local host = {
  native = native,
  ffi = ffi,
  loadstring = loadstring,
  frame = ffi.cast("fm_frame *", native.frame),
}

-- Raises an error that C turns into an fm_error; place is {line, column} or nil.
function host.fail(message, hint, place)
  error({ message = message, hint = hint, line = place and place[1], column = place and place[2] }, 0)
end

local function use(name)
  host[name] = native.load(name)(host)
end

use "text"
use "sandbox"
use "head"
use "tests"
use "runner"

return {
  library = host.sandbox.library,       -- what the chunk of a file is called with
  environment = host.sandbox.environment,
  begin_file = host.head.begin_file,    -- (kind, places, accesses)
  read_rule = host.head.read_rule,      -- (pack, name) -> head
  begin_tests = host.tests.begin,
  read_tests = host.tests.read_tests,   -- (head) -> list
  make_runner = host.runner.make,       -- (head) -> loop, pointers
  set_params = host.runner.set_params,  -- (head, params or nil): of one test
  render = host.text.render,
}
