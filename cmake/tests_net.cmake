# tests/unit/net/*_test.py: the server of net/ on a pretended engine (double.c), where every failure can be made to happen.
add_executable(net_double ${CMAKE_SOURCE_DIR}/tests/unit/net/double.c)
target_link_libraries(net_double PRIVATE fm_net)

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/net/*_test.py)
foreach(source ${sources})
  get_filename_component(name ${source} NAME)
  string(REGEX REPLACE "_test\\.py$" "" name ${name})
  add_test(NAME unit.net.${name} COMMAND /usr/bin/python3 -B ${source} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(unit.net.${name} PROPERTIES LABELS unit TIMEOUT 900 COST 60
                       ENVIRONMENT "FMADS_DOUBLE=$<TARGET_FILE:net_double>;FMADS_SOURCE=${CMAKE_SOURCE_DIR};TSAN_OPTIONS=halt_on_error=1")
endforeach()

# What is asked of the real program from outside (tests/system) is asked of the double too.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/system/http_*_test.py ${CMAKE_SOURCE_DIR}/tests/system/ws_*_test.py)
foreach(source ${sources})
  get_filename_component(name ${source} NAME)
  string(REGEX REPLACE "_test\\.py$" "" name ${name})
  add_test(NAME unit.net.double_${name} COMMAND /usr/bin/python3 -B ${source} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(unit.net.double_${name} PROPERTIES LABELS unit TIMEOUT 900 COST 60
                       ENVIRONMENT "FMADS_DOUBLE=$<TARGET_FILE:net_double>;FMADS_SOURCE=${CMAKE_SOURCE_DIR};TSAN_OPTIONS=halt_on_error=1")
endforeach()
