# perdure_gen: the generator as a program of its own, made of base and schemas only, so that the build can run it
# before the rest of the library is there.
get_target_property(pdr_gen_sources perdure_rooms SOURCES)
list(FILTER pdr_gen_sources INCLUDE REGEX "/(base|schemas)/[^/]*$")
add_executable(perdure_gen ${CMAKE_SOURCE_DIR}/cli/gen_main.c ${CMAKE_SOURCE_DIR}/cli/gen.c ${CMAKE_SOURCE_DIR}/cli/folder.c
  ${CMAKE_SOURCE_DIR}/cli/flags.c ${CMAKE_SOURCE_DIR}/cli/help.c ${CMAKE_SOURCE_DIR}/cli/nearest.c ${pdr_gen_sources})
pdr_common(perdure_gen)

# pdr_generate(OUT_VAR PREFIX name SCHEMAS a.avsc b.avsc folder): at build time `perdure gen` writes name.gen.h and
# name.gen.c into the current binary folder; OUT_VAR gets both. A folder stands for the .avsc files in it, and is looked
# at again in each build. A schemas.lock beside the files is obeyed. Add OUT_VAR to a target's sources, and the binary
# folder to its includes:
#   pdr_generate(loans_generated PREFIX loans SCHEMAS commands.avsc schemas/loan)
#   pdr_program(loans main.c ${loans_generated})
#   target_include_directories(loans PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
function(pdr_generate out_var)
  cmake_parse_arguments(arg "" "PREFIX" "SCHEMAS" ${ARGN})
  if(NOT arg_PREFIX OR NOT arg_SCHEMAS)
    message(FATAL_ERROR "pdr_generate(OUT_VAR PREFIX name SCHEMAS a.avsc ...)")
  endif()
  set(given)
  set(files)
  foreach(schema ${arg_SCHEMAS})
    get_filename_component(path ${schema} ABSOLUTE)
    list(APPEND given ${path})
    if(IS_DIRECTORY ${path})
      file(GLOB inside CONFIGURE_DEPENDS ${path}/*.avsc ${path}/schemas.lock)
      list(APPEND files ${inside})
    else()
      get_filename_component(folder ${path} DIRECTORY)
      file(GLOB lock CONFIGURE_DEPENDS ${folder}/schemas.lock)
      list(APPEND files ${path} ${lock})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES files)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${arg_PREFIX}.gen.h ${CMAKE_CURRENT_BINARY_DIR}/${arg_PREFIX}.gen.c)
  add_custom_command(OUTPUT ${made}
    COMMAND perdure_gen --prefix ${arg_PREFIX} --out ${CMAKE_CURRENT_BINARY_DIR} ${given}
    DEPENDS perdure_gen ${files}
    COMMENT "perdure gen ${arg_PREFIX}" VERBATIM)
  set(${out_var} ${made} PARENT_SCOPE)
endfunction()
