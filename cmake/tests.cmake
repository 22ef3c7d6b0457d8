# Tests are named as paths: tests/unit/base/ring_test.c is unit.base.ring. A unit test links the layer it mirrors.
#
# The first twelve lines of a test's source may say more, in a comment:
#   links: ingest engine         layers to link instead of the kind's own
#   labels: slow tsan serial     further ctest labels; `tsan` lets a system test run in that preset, `serial` nothing beside it
#   timeout: 600                 seconds
enable_testing()

set(FMADS_TEST_ENVIRONMENT
    "FMADS_SOURCE=${CMAKE_SOURCE_DIR};UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")

# What a file says of itself under `key`, as a list; empty when nothing.
function(fmads_said source key out)
  file(STRINGS ${source} lines LIMIT_COUNT 12)
  set(found "")
  foreach(line ${lines})
    if(line MATCHES "^[-/*# ]*${key}: ([a-z0-9_ ]+)")
      string(STRIP "${CMAKE_MATCH_1}" found)
      string(REGEX REPLACE " +" ";" found "${found}")
    endif()
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# The libraries of a test source: the layers that it names, else those that its kind has.
function(fmads_links target source)
  fmads_said(${source} links layers)
  if(NOT layers)
    set(layers ${ARGN})
  endif()
  list(TRANSFORM layers PREPEND fm_)
  target_link_libraries(${target} PRIVATE ${layers})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests ${FMADS_GENERATED})
  target_compile_definitions(${target} PRIVATE FMADS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endfunction()

function(fmads_properties test source kind timeout)
  fmads_said(${source} labels labels)
  fmads_said(${source} timeout said)
  if(said)
    set(timeout ${said})
  endif()
  set(environment "${FMADS_TEST_ENVIRONMENT}")
  # The watchdog leaves a stuck rule by siglongjmp out of its handler (script/watch.h) and throws the Lua state away. ThreadSanitizer goes
  # on believing that the thread is inside of the handler, and reports its next malloc.
  if(test MATCHES "^(unit\\.script|unit\\.main|replay|system|rule)\\.")
    list(TRANSFORM environment REPLACE "^TSAN_OPTIONS=" "TSAN_OPTIONS=report_signal_unsafe=0:")
  endif()
  set_tests_properties(${test} PROPERTIES LABELS "${kind};${labels}" TIMEOUT ${timeout} ENVIRONMENT "${environment}")
  if("serial" IN_LIST labels)
    set_tests_properties(${test} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()

file(GLOB_RECURSE unit_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*_test.c)
foreach(source ${unit_tests})
  file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/tests/unit ${source})
  string(REGEX REPLACE "_test\\.c$" "" path ${path})
  string(REPLACE "/" "." name ${path})
  string(REGEX MATCH "^[a-z]+" layer ${path})
  add_executable(unit.${name} ${source})
  fmads_links(unit.${name} ${source} ${layer})
  target_link_libraries(unit.${name} PRIVATE PkgConfig::CMOCKA)
  add_test(NAME unit.${name} COMMAND unit.${name})
  fmads_properties(unit.${name} ${source} unit 600) # for what hangs: nothing may depend on how fast the machine is
endforeach()

# Further kinds (golden, rule, replay, system, fuzz, lint, bench) each have a file of their own.
file(GLOB more CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/tests_*.cmake)
foreach(file ${more})
  include(${file})
endforeach()
