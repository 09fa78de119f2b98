# What `cmake --install` brings: headers, the two libraries, the package for CMake and pkg-config, and axld.
#
# Components, one for each package of a distribution: runtime (the shared library), development, daemon. All of it may be
# moved afterwards: nothing in it names its folder.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/axl")

install(TARGETS axl EXPORT axlTargets
  RUNTIME COMPONENT runtime
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
if(TARGET axl_c)
  set_target_properties(axl_c PROPERTIES EXPORT_NAME c)
  install(TARGETS axl_c EXPORT axlTargets
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
    PUBLIC_HEADER DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
endif()
install(EXPORT axlTargets NAMESPACE axl:: DESTINATION "${package_folder}" COMPONENT development)
# Apart, because only whoever links it needs what it needs.
install(TARGETS axl_static axl_asio_hook EXPORT axlStaticTargets
  ARCHIVE COMPONENT development
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT axlStaticTargets NAMESPACE axl:: DESTINATION "${package_folder}" COMPONENT development)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
  FILES_MATCHING PATTERN "*.hpp")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/axlConfig.cmake.in" "${PROJECT_BINARY_DIR}/axlConfig.cmake"
  INSTALL_DESTINATION "${package_folder}")
# Before 1.0 every minor release may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/axlConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/axlConfig.cmake" "${PROJECT_BINARY_DIR}/axlConfigVersion.cmake"
  DESTINATION "${package_folder}" COMPONENT development)

# The folders of axl.pc as seen from itself, unless they are set apart from the prefix.
set(AXL_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(AXL_PC_PREFIX "\${pcfiledir}/${up}")
endif()
foreach(folder LIBDIR INCLUDEDIR)
  set(AXL_PC_${folder} "${CMAKE_INSTALL_${folder}}")
  if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_${folder}}")
    set(AXL_PC_${folder} "\${prefix}/${CMAKE_INSTALL_${folder}}")
  endif()
endforeach()
set(AXL_PC_LLHTTP "")
if(AXL_LLHTTP_LINK)
  set(AXL_PC_LLHTTP " -lllhttp")
endif()
set(packages axl)
if(TARGET axl_c)
  list(APPEND packages axl_c)
endif()
foreach(package IN LISTS packages)
  configure_file("${PROJECT_SOURCE_DIR}/cmake/${package}.pc.in" "${PROJECT_BINARY_DIR}/${package}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${package}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
endforeach()

if(TARGET axld)
  install(TARGETS axld RUNTIME COMPONENT daemon)
endif()
