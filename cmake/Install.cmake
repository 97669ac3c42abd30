# What `cmake --install` puts down: the compiler, the runtime library, its header, and a CMake package that finds them.
include(CMakePackageConfigHelpers)
set(BTC_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/btc)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/btcConfig.cmake.in ${CMAKE_BINARY_DIR}/btcConfig.cmake
  INSTALL_DESTINATION ${BTC_PACKAGE_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/btcConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/btcConfig.cmake ${CMAKE_BINARY_DIR}/btcConfigVersion.cmake DESTINATION ${BTC_PACKAGE_DIR})
install(FILES ${CMAKE_SOURCE_DIR}/runtime-stub/include/btc/runtime.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/btc)
install(TARGETS btcrt btcrt_output btcrt_abi ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
