# Lint is tests like any other: a rule about the source that cannot fail a test is not kept.
function(fmads_lint name)
  add_test(NAME lint.${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(lint.${name} PROPERTIES LABELS lint TIMEOUT 300)
endfunction()

fmads_lint(layers /usr/bin/python3 -B tests/lint/layers.py)
fmads_lint(file_length /usr/bin/python3 -B tests/lint/file_length.py)
fmads_lint(words /usr/bin/python3 -B tests/lint/words.py)
fmads_lint(lua tests/lint/lua)
fmads_lint(headers tests/lint/headers ${CMAKE_C_COMPILER} ${CMAKE_BINARY_DIR}/lint-headers)
fmads_lint(kernels_are_pure tests/lint/kernels_are_pure ${CMAKE_C_COMPILER} ${CMAKE_BINARY_DIR}/lint-kernels)
fmads_lint(self /usr/bin/python3 -B tests/lint/self_test.py)
