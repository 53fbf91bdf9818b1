# What `cmake --install` puts where: libraries, the plugin, the public headers with options.proto beside them, and the
# package files that find_package(pagewire) reads. The prefix may be moved afterwards.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pagewire)
get_property(layers GLOBAL PROPERTY PAGEWIRE_INSTALLED_TARGETS)

install(TARGETS pagewire ${layers} EXPORT pagewireTargets FILE_SET HEADERS)
install(TARGETS protoc-gen-pagewire EXPORT pagewireTargets)
install(EXPORT pagewireTargets NAMESPACE pagewire:: DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/proto/pagewire/options.proto DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pagewire)
# For tools that ask running servers.
install(FILES ${PROJECT_SOURCE_DIR}/proto/pagewire/admin/v1/admin.proto
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pagewire/admin/v1)

set(PAGEWIRE_PROTOBUF_VERSION 3.21)
configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/pagewireConfig.cmake.in ${PROJECT_BINARY_DIR}/pagewireConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pagewireConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/pagewireConfig.cmake
  ${PROJECT_BINARY_DIR}/pagewireConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/pagewire-generate.cmake
  DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
