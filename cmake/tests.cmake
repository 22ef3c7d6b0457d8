# Tests are named as paths: tests/unit/base/ring_test.c is unit.base.ring. A unit test links the layer it mirrors.
enable_testing()

file(GLOB_RECURSE unit_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*_test.c)
foreach(source ${unit_tests})
  file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/tests/unit ${source})
  string(REGEX REPLACE "_test\\.c$" "" path ${path})
  string(REPLACE "/" "." name ${path})
  string(REGEX MATCH "^[a-z]+" layer ${path})
  add_executable(unit.${name} ${source})
  target_link_libraries(unit.${name} PRIVATE fm_${layer} PkgConfig::CMOCKA)
  target_include_directories(unit.${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests ${FMADS_GENERATED})
  target_compile_definitions(unit.${name} PRIVATE FMADS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME unit.${name} COMMAND unit.${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()

# Further kinds (golden, rule, replay, system, fuzz, lint, bench) each have a file of their own.
file(GLOB more CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/tests_*.cmake)
foreach(file ${more})
  include(${file})
endforeach()
