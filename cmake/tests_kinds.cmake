# The kinds of tests beside unit: a file in the right folder is a test, and no build file changes for it.
#
#   tests/golden/<name>_test.c   golden.<name>    reference values; links kernels
#   tests/golden/<name>_test.py  golden.<name>    what the program makes of recorded data; FMADS_BINARY is the program
#   tests/replay/<name>_test.c   replay.<name>    the engine over recorded or generated records; links everything
#   tests/system/<name>_test.py  system.<name>    a real server on loopback, from outside; FMADS_BINARY is the program
#   tests/fuzz/<name>_fuzz.c     fuzz.<name>      the corpus tests/fuzz/corpus/<name>; in the preset `fuzz`, libFuzzer
#   tests/bench/<name>.c         no test: build/<preset>/bench/<name>
#   rules/<pack>/                rule.<pack>      fmads rules test

# tests/golden and tests/replay: cmocka programs.
function(fmads_programs kind timeout)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${kind}/*_test.c)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME)
    string(REGEX REPLACE "_test\\.c$" "" name ${name})
    set(test ${kind}.${name})
    add_executable(${test} ${source})
    fmads_links(${test} ${source} ${ARGN})
    target_link_libraries(${test} PRIVATE PkgConfig::CMOCKA)
    add_test(NAME ${test} COMMAND ${test} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    fmads_properties(${test} ${source} ${kind} ${timeout})
    set_tests_properties(${test} PROPERTIES COST 40)
  endforeach()
endfunction()

fmads_programs(golden 300 kernels base)
fmads_programs(replay 900 main)

if(TARGET fmads)
  foreach(kind system golden)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${kind}/*_test.py)
    foreach(source ${sources})
      get_filename_component(name ${source} NAME)
      string(REGEX REPLACE "_test\\.py$" "" name ${name})
      set(test ${kind}.${name})
      add_test(NAME ${test} COMMAND /usr/bin/python3 -B ${source} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
      fmads_properties(${test} ${source} ${kind} 900)
      set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "FMADS_BINARY=$<TARGET_FILE:fmads>")
      set_tests_properties(${test} PROPERTIES COST 50) # the long ones first, so that none is left running alone at the end
    endforeach()
  endforeach()

  file(GLOB packs CONFIGURE_DEPENDS LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/rules/*)
  foreach(pack ${packs})
    if(IS_DIRECTORY ${pack})
      get_filename_component(name ${pack} NAME)
      add_test(NAME rule.${name} COMMAND fmads rules test ${pack} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
      set_tests_properties(rule.${name} PROPERTIES LABELS rule TIMEOUT 300 ENVIRONMENT "${FMADS_TEST_ENVIRONMENT}")
    endif()
  endforeach()
endif()

add_custom_target(fuzzers)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c)
foreach(source ${sources})
  get_filename_component(name ${source} NAME)
  string(REGEX REPLACE "_fuzz\\.c$" "" name ${name})
  set(corpus ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
  if(FMADS_FUZZ)
    # New finds go to a folder of the build; the corpus in the repository changes only by a commit.
    add_executable(fuzz.${name} ${source})
    target_link_options(fuzz.${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${name}
             COMMAND ${CMAKE_SOURCE_DIR}/tests/fuzz/run $<TARGET_FILE:fuzz.${name}> ${CMAKE_BINARY_DIR}/corpus/${name} ${corpus})
  else()
    add_executable(fuzz.${name} ${source} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus_main.c)
    add_test(NAME fuzz.${name} COMMAND fuzz.${name} ${corpus})
  endif()
  fmads_links(fuzz.${name} ${source} main)
  fmads_properties(fuzz.${name} ${source} fuzz 300)
  if(FMADS_FUZZ)
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 86400) # libFuzzer keeps its own time
  endif()
  add_dependencies(fuzzers fuzz.${name})
endforeach()

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/bench/*.c)
foreach(source ${sources})
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "_bench$" "" name ${name})
  add_executable(bench.${name} ${source})
  fmads_links(bench.${name} ${source} main)
  set_target_properties(bench.${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endforeach()
