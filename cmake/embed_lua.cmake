# Compiles lua/fm/*.lua, and the part of script/frame.h between the ffi marks, into fm_script: the program needs no Lua file at run time.
# Included by layers.cmake behind the layers; run again as a script (-P) when one of the files changes.
if(CMAKE_SCRIPT_MODE_FILE)
  set(output "/* made by cmake/embed_lua.cmake from lua/fm and script/frame.h */\n#include \"script/embedded.h\"\n#include \"script/frame.h\"\n\n")
  set(table "")
  file(GLOB files ${SOURCE_DIR}/lua/fm/*.lua)
  list(SORT files)
  foreach(path ${files})
    get_filename_component(name ${path} NAME_WE)
    file(READ ${path} bytes HEX)
    string(LENGTH "${bytes}" size)
    math(EXPR size "${size} / 2")
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(APPEND output "static const char lua_${name}[] = {${bytes}0};\n")
    string(APPEND table "    {\"${name}\", lua_${name}, ${size}},\n")
  endforeach()
  file(READ ${SOURCE_DIR}/src/script/frame.h header)
  string(REGEX MATCH "/\\* ffi:begin \\*/.*/\\* ffi:end \\*/" cdef "${header}")
  string(HEX "${cdef}" cdef)
  string(REGEX REPLACE "(..)" "0x\\1," cdef "${cdef}")
  string(APPEND output "const char fm_frame_cdef[] = {${cdef}0};\n")
  string(APPEND output "const fm_embedded fm_embedded_lua[] = {\n${table}    {0, 0, 0},\n};\n")
  file(WRITE ${OUTPUT} "${output}")
  return()
endif()

file(GLOB embedded_lua CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/lua/fm/*.lua)
add_custom_command(
  OUTPUT ${FMADS_GENERATED}/embedded_lua.c
  COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${CMAKE_SOURCE_DIR} -DOUTPUT=${FMADS_GENERATED}/embedded_lua.c -P ${CMAKE_SOURCE_DIR}/cmake/embed_lua.cmake
  DEPENDS ${embedded_lua} ${CMAKE_SOURCE_DIR}/src/script/frame.h ${CMAKE_SOURCE_DIR}/cmake/embed_lua.cmake
  COMMENT "Embedding lua/fm")
target_sources(fm_script PRIVATE ${FMADS_GENERATED}/embedded_lua.c)
