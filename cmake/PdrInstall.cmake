# What `cmake --install` puts where: libraries, public headers, pkg-config and CMake package files.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(PDR_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/perdure)
set(PDR_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# pdr_install_library(target set): a set of targets for each library, so that who links the shared one needn't have the
# development files that the static one asks for.
function(pdr_install_library target set)
  install(TARGETS ${target} EXPORT ${set})
  install(EXPORT ${set} NAMESPACE perdure:: DESTINATION ${PDR_CMAKE_DIR})
endfunction()
pdr_install_library(perdure perdureTargets)
pdr_install_library(perdure_static perdureStaticTargets)
install(DIRECTORY include/perdure DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

file(RELATIVE_PATH PDR_PC_TO_PREFIX /${PDR_PC_DIR} /)
foreach(name perdure perdure-static perdure-command perdure-command-static)
  configure_file(cmake/${name}.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${PDR_PC_DIR})
endforeach()

configure_package_config_file(cmake/perdureConfig.cmake.in perdureConfig.cmake INSTALL_DESTINATION ${PDR_CMAKE_DIR})
write_basic_package_version_file(perdureConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/perdureConfig.cmake ${PROJECT_BINARY_DIR}/perdureConfigVersion.cmake
  DESTINATION ${PDR_CMAKE_DIR})
