# How every target of the tree is compiled, and the few verbs that its CMakeLists.txt files use.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(CURL REQUIRED libcurl)
pkg_check_modules(MICROHTTPD REQUIRED libmicrohttpd)
pkg_check_modules(EDIT REQUIRED libedit)
pkg_check_modules(SNAPPY REQUIRED snappy)
find_path(JQ_INCLUDE_DIR jq.h REQUIRED) # Debian's libjq brings no pkg-config module
mark_as_advanced(JQ_INCLUDE_DIR)

# What the library needs underneath.
set(PDR_NEEDS PkgConfig::RDKAFKA PkgConfig::LIBPQ PkgConfig::SQLITE3 PkgConfig::XXHASH PkgConfig::JANSSON
  PkgConfig::ZLIB Threads::Threads ${CMAKE_DL_LIBS} m)
add_library(perdure_needs INTERFACE)
target_link_libraries(perdure_needs INTERFACE ${PDR_NEEDS})

# pdr_late(NAME library folders...): one that is loaded when it is first used (base/late.h). Its headers are found, and
# PDR_NAME_FILE is the file that the linker would have named.
function(pdr_late name library)
  find_library(PDR_LATE_${name} ${library} REQUIRED)
  mark_as_advanced(PDR_LATE_${name})
  execute_process(COMMAND ${CMAKE_READELF} -d ${PDR_LATE_${name}} OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
  if(NOT said MATCHES "\\(SONAME\\)[^[]*\\[([^]]+)\\]")
    message(FATAL_ERROR "${PDR_LATE_${name}} has no SONAME")
  endif()
  target_compile_definitions(perdure_needs INTERFACE PDR_${name}_FILE="${CMAKE_MATCH_1}")
  target_include_directories(perdure_needs SYSTEM INTERFACE ${ARGN})
endfunction()
pdr_late(CURL curl ${CURL_INCLUDE_DIRS})
pdr_late(MICROHTTPD microhttpd ${MICROHTTPD_INCLUDE_DIRS})
pdr_late(EDIT edit ${EDIT_INCLUDE_DIRS})
pdr_late(JQ jq ${JQ_INCLUDE_DIR})
pdr_late(SNAPPY snappy ${SNAPPY_INCLUDE_DIRS})

# Warnings, include paths and sanitizers: the same for product, tests, benches and examples.
function(pdr_common target)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -fno-omit-frame-pointer)
  if(PDR_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  target_link_libraries(${target} PRIVATE perdure_needs)
  if(PDR_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${PDR_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${PDR_SANITIZE})
  endif()
  if(PDR_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# pdr_public_library(name): one that users link; what the library needs underneath stays its own affair.
function(pdr_public_library library)
  target_include_directories(${library} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_link_libraries(${library} PRIVATE ${PDR_NEEDS})
  if(PDR_SANITIZE)
    target_link_options(${library} PRIVATE -fsanitize=${PDR_SANITIZE})
  endif()
endfunction()

# pdr_room_sources(a.c b.c): this folder's sources belong to the library.
function(pdr_room_sources)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  target_sources(perdure_rooms PRIVATE ${ARGN})
endfunction()

# pdr_program(name LABEL? sources...): a program linked with all of the library, hidden symbols included.
function(pdr_program name)
  add_executable(${name} ${ARGN})
  pdr_common(${name})
  target_link_libraries(${name} PRIVATE perdure_static)
endfunction()

# pdr_test_program(name LABELS a b SOURCES x.c y.c): a program that is one ctest entry and returns 0 if its claims hold.
# LOCKS servers: it uses those of ./dev services, and two tests that do don't run at the same time. ARGUMENTS, TIMEOUT in
# seconds. Under tsan tests are of this kind: Criterion's memory doesn't get along with it.
function(pdr_test_program name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LABELS;SOURCES;LIBRARIES;LOCKS;ARGUMENTS" ${ARGN})
  pdr_program(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
  add_test(NAME ${name} COMMAND ${name} ${arg_ARGUMENTS})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
  if(arg_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  endif()
  if(arg_LOCKS)
    set_tests_properties(${name} PROPERTIES RESOURCE_LOCK "${arg_LOCKS}")
  endif()
endfunction()

# pdr_criterion(name LABELS a b SOURCES x.c y.c ...): a Criterion program that is one ctest entry; else as above. Where
# Criterion can't be used, the target and the test are there, but not built and not run.
function(pdr_criterion name)
  pdr_test_program(${name} ${ARGN})
  pkg_check_modules(CRITERION QUIET IMPORTED_TARGET criterion)
  if(NOT CRITERION_FOUND OR PDR_FUZZ OR PDR_SANITIZE STREQUAL "thread")
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    set_tests_properties(${name} PROPERTIES DISABLED TRUE)
    return()
  endif()
  # Criterion's macros break -Wpedantic, -Wshadow and -Wmissing-prototypes in whoever uses them.
  target_compile_options(${name} PRIVATE -Wno-pedantic -Wno-shadow -Wno-missing-prototypes -Wno-conversion)
  target_link_libraries(${name} PRIVATE PkgConfig::CRITERION)
endfunction()

if(PDR_FUZZ)
  add_custom_target(fuzzers)
endif()
# pdr_fuzzer(name sources...): a program with LLVMFuzzerTestOneInput. With PDR_FUZZ it is a libFuzzer program, built by
# the target `fuzzers`; else a test that gives it each file of corpus/<name> once.
function(pdr_fuzzer name)
  if(PDR_FUZZ)
    pdr_program(${name} ${ARGN})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${name})
  else()
    pdr_program(${name} ${ARGN} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.c)
    add_test(NAME ${name} COMMAND ${name} ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
    set_tests_properties(${name} PROPERTIES LABELS unit)
  endif()
endfunction()
