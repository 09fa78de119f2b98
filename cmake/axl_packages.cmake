# Debian packages: `cpack` in a build folder makes libaxl1, libaxl-dev and axld of what was built there.
#
# Each is a component of its own, which `cmake --install` leaves out: the folders are those of Debian, with the libraries
# below the name of the machine's kind, whatever this build installs to. cmake/packaging has what only packages need.
set(packaging "${PROJECT_SOURCE_DIR}/cmake/packaging")
find_program(AXL_GZIP gzip)
find_program(AXL_DPKG dpkg)
mark_as_advanced(AXL_GZIP AXL_DPKG)
if(NOT TARGET axld OR NOT TARGET axl_c OR NOT AXL_GZIP OR NOT AXL_DPKG OR NOT CMAKE_LIBRARY_ARCHITECTURE)
  return()
endif()
get_target_property(abi axl SOVERSION)
get_target_property(abi_c axl_c SOVERSION)
set(library_package "libaxl${abi}")
set(packages ${library_package} libaxl-dev axld)

# The changelog says which version of the packages this is.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${packaging}/changelog" "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  "${PROJECT_SOURCE_DIR}/daemon/axld.8")
file(STRINGS "${packaging}/changelog" first LIMIT_COUNT 1)
if(NOT first MATCHES "^axl \\(([0-9.]+)-([0-9]+)\\) " OR NOT CMAKE_MATCH_1 VERSION_EQUAL PROJECT_VERSION)
  message(FATAL_ERROR "cmake/packaging/changelog begins with '${first}', and this is ${PROJECT_VERSION}")
endif()
set(CPACK_DEBIAN_PACKAGE_RELEASE "${CMAKE_MATCH_2}")

# Debian has these compressed, without a name and a time in them.
set(packed "${PROJECT_BINARY_DIR}/install/packed")
function(axl_pack file name)
  file(MAKE_DIRECTORY "${packed}")
  execute_process(COMMAND "${AXL_GZIP}" -9nc "${file}" OUTPUT_FILE "${packed}/${name}.gz" COMMAND_ERROR_IS_FATAL ANY)
endfunction()
axl_pack("${packaging}/changelog" changelog.Debian)
axl_pack("${PROJECT_SOURCE_DIR}/CHANGELOG.md" changelog)
axl_pack("${PROJECT_SOURCE_DIR}/daemon/axld.8" axld.8)

axl_install_libraries("lib/${CMAKE_LIBRARY_ARCHITECTURE}" ${library_package} libaxl-dev EXCLUDE_FROM_ALL)
install(TARGETS axld RUNTIME DESTINATION bin COMPONENT axld EXCLUDE_FROM_ALL)
# Nothing is left for debuggers, in archives neither, nor the compiler's name. The paths may be patterns.
function(axl_strip package paths kind)
  install(CODE "file(GLOB files \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${paths}\")
    execute_process(COMMAND \"${CMAKE_STRIP}\" ${kind} --remove-section=.comment --remove-section=.note
      --enable-deterministic-archives \${files} COMMAND_ERROR_IS_FATAL ANY)" COMPONENT ${package} EXCLUDE_FROM_ALL)
endfunction()
axl_strip(${library_package} "lib/${CMAKE_LIBRARY_ARCHITECTURE}/lib*.so.*.*" --strip-unneeded)
axl_strip(libaxl-dev "lib/${CMAKE_LIBRARY_ARCHITECTURE}/libaxl.a" --strip-debug)
axl_strip(axld "bin/axld" --strip-all)
install(FILES "${packed}/axld.8.gz" DESTINATION share/man/man8 COMPONENT axld EXCLUDE_FROM_ALL)
install(FILES "${packaging}/axld.service" DESTINATION lib/systemd/system COMPONENT axld EXCLUDE_FROM_ALL)
install(FILES "${packaging}/axld.json" DESTINATION /etc/axl COMPONENT axld EXCLUDE_FROM_ALL)
foreach(package IN LISTS packages)
  install(FILES "${packaging}/copyright" "${packed}/changelog.Debian.gz" "${packed}/changelog.gz"
    DESTINATION share/doc/${package} COMPONENT ${package} EXCLUDE_FROM_ALL)
  if(EXISTS "${packaging}/${package}.lintian-overrides")
    install(FILES "${packaging}/${package}.lintian-overrides" DESTINATION share/lintian/overrides RENAME ${package}
      COMPONENT ${package} EXCLUDE_FROM_ALL)
  endif()
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL ${packages})
set(CPACK_COMPONENTS_GROUPING IGNORE) # a package for each
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SOURCE axl)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "axl maintainers <maintainers@axl.invalid>") # cpack -D names who distributes them
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(this_version "${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")

# Text of a package: a line that sums it up, and what more there is to say.
macro(axl_package package section summary text)
  string(TOUPPER "${package}" name)
  set(CPACK_DEBIAN_${name}_PACKAGE_NAME "${package}")
  set(CPACK_DEBIAN_${name}_PACKAGE_SECTION "${section}")
  set(CPACK_COMPONENT_${name}_DESCRIPTION "${summary}\n${text}")
endmacro()
set(what_it_is "Programs on different machines reach each other by public key: end to end
encrypted, over any nodes of a Yggdrasil 0.5 network between them, without a
server, an account, root, or a network interface.")

axl_package(${library_package} libs "peers that reach each other by public key: shared libraries" "${what_it_is}
.
This package has libaxl, for programs in C++, and libaxl_c, for programs in C
and for other languages.")
string(TOUPPER "${library_package}" name)
set(CPACK_DEBIAN_${name}_PACKAGE_SHLIBDEPS ON)
# What packages of programs that link them depend on.
file(WRITE "${packed}/shlibs"
  "libaxl ${abi} ${library_package} (>= ${PROJECT_VERSION})\nlibaxl_c ${abi_c} ${library_package} (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_${name}_PACKAGE_CONTROL_EXTRA "${packaging}/triggers;${packed}/shlibs")

axl_package(libaxl-dev libdevel "peers that reach each other by public key: development files" "${what_it_is}
.
This package has what programs are compiled with: the headers, the static
library, and files for CMake and pkg-config.")
# Those of the static library, which pkg-config looks at for every program.
set(CPACK_DEBIAN_LIBAXL-DEV_PACKAGE_DEPENDS
  "${library_package} (= ${this_version}), libfmt-dev, libsimdjson-dev, libsodium-dev, libssl-dev")
set(CPACK_DEBIAN_LIBAXL-DEV_PACKAGE_SUGGESTS "libasio-dev")

axl_package(axld net "node of a mesh, for programs that reach each other by public key" "${what_it_is}
.
This package has the daemon. Programs on the same machine use it over HTTP:
they send and receive messages, and reach MCP servers and A2A agents behind
other nodes as if they were local. It runs as a systemd service, shut in and
without privileges, and has a key of its own from the first installation on.")
set(CPACK_DEBIAN_AXLD_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_AXLD_PACKAGE_CONTROL_EXTRA
  "${packaging}/conffiles;${packaging}/postinst;${packaging}/prerm;${packaging}/postrm")
include(CPack)
