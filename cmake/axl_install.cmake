# What `cmake --install` brings: headers, the two libraries, the package for CMake and pkg-config, axld with its manual
# page, and the licences. All of it may be moved afterwards: nothing in it names its folder.
#
# Components: runtime (the shared libraries), development, daemon. cmake/axl_packages.cmake installs the same once more, to
# the folders of a distribution.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(TARGET axl_c)
  set_target_properties(axl_c PROPERTIES EXPORT_NAME c)
endif()

# The libraries in `libdir`, as seen from the prefix. What follows the three goes to each install(), as EXCLUDE_FROM_ALL.
function(axl_install_libraries libdir runtime development)
  set(package_folder "${libdir}/cmake/axl")
  set(files "${PROJECT_BINARY_DIR}/install/${development}") # that are written for this folder
  set(libraries axl)
  if(TARGET axl_c)
    list(APPEND libraries axl_c)
  endif()
  install(TARGETS ${libraries} EXPORT ${development}_shared
    LIBRARY DESTINATION "${libdir}" COMPONENT ${runtime} NAMELINK_COMPONENT ${development} ${ARGN}
    PUBLIC_HEADER DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT ${development} ${ARGN}
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT ${development}_shared FILE axlTargets.cmake NAMESPACE axl:: DESTINATION "${package_folder}"
    COMPONENT ${development} ${ARGN})
  # Apart, because only whoever links it needs what it needs.
  install(TARGETS axl_static axl_asio_hook EXPORT ${development}_static
    ARCHIVE DESTINATION "${libdir}" COMPONENT ${development} ${ARGN}
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT ${development}_static FILE axlStaticTargets.cmake NAMESPACE axl:: DESTINATION "${package_folder}"
    COMPONENT ${development} ${ARGN})
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT ${development} ${ARGN}
    FILES_MATCHING PATTERN "*.hpp")

  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/axlConfig.cmake.in" "${files}/axlConfig.cmake"
    INSTALL_DESTINATION "${package_folder}")
  # Before 1.0 every minor release may change the interface.
  write_basic_package_version_file("${files}/axlConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${files}/axlConfig.cmake" "${files}/axlConfigVersion.cmake" DESTINATION "${package_folder}"
    COMPONENT ${development} ${ARGN})

  # The folders of axl.pc as seen from itself, unless they are set apart from the prefix.
  set(AXL_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
  if(NOT IS_ABSOLUTE "${libdir}")
    file(RELATIVE_PATH up "/${libdir}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(AXL_PC_PREFIX "\${pcfiledir}/${up}")
  endif()
  set(AXL_PC_LIBDIR "${libdir}")
  set(AXL_PC_INCLUDEDIR "${CMAKE_INSTALL_INCLUDEDIR}")
  foreach(folder AXL_PC_LIBDIR AXL_PC_INCLUDEDIR)
    if(NOT IS_ABSOLUTE "${${folder}}")
      set(${folder} "\${prefix}/${${folder}}")
    endif()
  endforeach()
  set(AXL_PC_LLHTTP "")
  if(AXL_LLHTTP_LINK)
    set(AXL_PC_LLHTTP " -lllhttp")
  endif()
  foreach(library IN LISTS libraries)
    configure_file("${PROJECT_SOURCE_DIR}/cmake/${library}.pc.in" "${files}/${library}.pc" @ONLY)
    install(FILES "${files}/${library}.pc" DESTINATION "${libdir}/pkgconfig" COMPONENT ${development} ${ARGN})
  endforeach()
endfunction()

axl_install_libraries("${CMAKE_INSTALL_LIBDIR}" runtime development)
if(TARGET axld)
  install(TARGETS axld RUNTIME COMPONENT daemon)
  install(FILES "${PROJECT_SOURCE_DIR}/daemon/axld.8" DESTINATION "${CMAKE_INSTALL_MANDIR}/man8" COMPONENT daemon)
endif()
# Parts of other projects are in each binary, and their licences ask to be shown beside it.
foreach(component runtime development daemon)
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/cmake/packaging/copyright"
    DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT ${component})
endforeach()
