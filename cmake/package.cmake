# The library as others use it: one archive of all rooms but cli, the public headers, and a package
# for find_package(anabranch), target anabranch::anabranch.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(anabranch STATIC)
foreach(room IN ITEMS base tensor kernels io text kv model sampling memory stream engine)
  target_sources(anabranch PRIVATE $<TARGET_OBJECTS:anabranch_${room}>)
endforeach()
set_target_properties(anabranch PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
target_include_directories(anabranch INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(anabranch PUBLIC cxx_std_20)
target_link_libraries(anabranch PUBLIC tl::expected
  PRIVATE Threads::Threads nlohmann_json::nlohmann_json fmt::fmt PkgConfig::PCRE2 ICU::uc ICU::i18n
          SQLite::SQLite3 PkgConfig::XXHASH PkgConfig::PQXX PkgConfig::HTTPLIB OpenSSL::SSL)

install(TARGETS anabranch EXPORT anabranch_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS anabranch_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/anabranch DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/anabranch)
install(EXPORT anabranch_targets NAMESPACE anabranch:: DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/anabranch-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES cmake/anabranch-config.cmake ${CMAKE_BINARY_DIR}/anabranch-config-version.cmake
  DESTINATION ${package_dir})
