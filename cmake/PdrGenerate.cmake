# perdure_gen: the generator as a program of its own, made of base and schemas only, so that the build can run it
# before the rest of the library is there.
get_target_property(pdr_gen_sources perdure_rooms SOURCES)
list(FILTER pdr_gen_sources INCLUDE REGEX "/(base|schemas)/[^/]*$")
add_executable(perdure_gen ${CMAKE_SOURCE_DIR}/cli/gen_main.c ${CMAKE_SOURCE_DIR}/cli/gen.c ${pdr_gen_sources})
pdr_common(perdure_gen)

# pdr_generate(OUT_VAR PREFIX name SCHEMAS a.avsc b.avsc): at build time `perdure gen` writes name.gen.h and name.gen.c
# into the current binary folder; OUT_VAR gets both. Add it to a target's sources, and the folder to its includes:
#   pdr_generate(loans_generated PREFIX loans SCHEMAS events.avsc state.avsc)
#   pdr_program(loans main.c ${loans_generated})
#   target_include_directories(loans PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
function(pdr_generate out_var)
  cmake_parse_arguments(arg "" "PREFIX" "SCHEMAS" ${ARGN})
  if(NOT arg_PREFIX OR NOT arg_SCHEMAS)
    message(FATAL_ERROR "pdr_generate(OUT_VAR PREFIX name SCHEMAS a.avsc ...)")
  endif()
  set(files)
  foreach(schema ${arg_SCHEMAS})
    get_filename_component(file ${schema} ABSOLUTE)
    list(APPEND files ${file})
  endforeach()
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${arg_PREFIX}.gen.h ${CMAKE_CURRENT_BINARY_DIR}/${arg_PREFIX}.gen.c)
  add_custom_command(OUTPUT ${made}
    COMMAND perdure_gen --prefix ${arg_PREFIX} --out ${CMAKE_CURRENT_BINARY_DIR} ${files}
    DEPENDS perdure_gen ${files}
    COMMENT "perdure gen ${arg_PREFIX}" VERBATIM)
  set(${out_var} ${made} PARENT_SCOPE)
endfunction()
