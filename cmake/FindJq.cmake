# Jq::Jq, if libjq and its header are there.
find_library(JQ_LIBRARY jq)
find_path(JQ_INCLUDE_DIR jq.h)
mark_as_advanced(JQ_LIBRARY JQ_INCLUDE_DIR)
if(JQ_LIBRARY AND JQ_INCLUDE_DIR AND NOT TARGET Jq::Jq)
  add_library(Jq::Jq UNKNOWN IMPORTED)
  set_target_properties(Jq::Jq PROPERTIES IMPORTED_LOCATION ${JQ_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${JQ_INCLUDE_DIR})
endif()
