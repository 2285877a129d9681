# cmake -DOUT=migrations.c "-DMIGRATIONS=a.sql;b.sql" -P embed_migrations.cmake: the SQL files as C bytes.
list(SORT MIGRATIONS)
set(bodies "")
set(rows "")
set(expected 1)
foreach(file IN LISTS MIGRATIONS)
  get_filename_component(stem ${file} NAME_WE)
  if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: a migration is named NNNN_name.sql")
  endif()
  set(number ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  string(REGEX REPLACE "^0+" "" number "${number}")
  if(NOT number EQUAL expected)
    message(FATAL_ERROR "${file}: the next migration has number ${expected}")
  endif()
  math(EXPR expected "${expected} + 1")
  file(SHA256 ${file} checksum)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND bodies "static const char sql_${number}[] = {${bytes}0};\n")
  string(APPEND rows "    {${number}, \"${name}\", \"${checksum}\", sql_${number}},\n")
endforeach()
math(EXPR count "${expected} - 1")
file(WRITE ${OUT} "/* Made by embed_migrations.cmake from migrations/. */
#include \"backends/postgres/migrate.h\"

${bodies}
const pdr_pg_migration pdr_pg_migrations[] = {
${rows}};
const int pdr_pg_migration_count = ${count};
")
