# Builds lwIP for lib/tcpip: the target axl_lwip_objects (object files, to be put into axl_tcpip) and the interface target
# axl_lwip (include folders). The sources are rewritten at configure time, again only when something changed.
#
# AXL_LWIP_SOURCE (environment or cache) names an unpacked lwIP 2.2.1; by default the one that cmake/deps.sh brought.
set(_lwip_default "${AXL_DEPS_DIR}/lwip")
if(DEFINED ENV{AXL_LWIP_SOURCE})
  set(_lwip_default "$ENV{AXL_LWIP_SOURCE}")
endif()
set(AXL_LWIP_SOURCE "${_lwip_default}" CACHE PATH "An unpacked lwIP 2.2.1")

set(_lwip_scripts "${PROJECT_SOURCE_DIR}/cmake/lwip_contexts.cmake" "${PROJECT_SOURCE_DIR}/cmake/lwip_patches.cmake")
set(_lwip_output "${PROJECT_BINARY_DIR}/lwip")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_lwip_scripts})
set(_lwip_stamp "${AXL_LWIP_SOURCE}")
foreach(_file IN LISTS _lwip_scripts)
  file(SHA256 "${_file}" _hash)
  string(APPEND _lwip_stamp " ${_hash}")
endforeach()
set(_lwip_stamp_file "${_lwip_output}/stamp")
set(_lwip_old "")
if(EXISTS "${_lwip_stamp_file}")
  file(READ "${_lwip_stamp_file}" _lwip_old)
endif()
if(NOT _lwip_old STREQUAL _lwip_stamp)
  list(GET _lwip_scripts 0 _script)
  list(GET _lwip_scripts 1 _patches)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -D "SOURCE=${AXL_LWIP_SOURCE}" -D "OUTPUT=${_lwip_output}" -D "PATCHES=${_patches}"
            -P "${_script}"
    RESULT_VARIABLE _lwip_failed)
  if(_lwip_failed)
    message(FATAL_ERROR "lwIP could not be prepared")
  endif()
  file(WRITE "${_lwip_stamp_file}" "${_lwip_stamp}")
endif()

file(GLOB _lwip_sources "${_lwip_output}/*.c")
add_library(axl_lwip INTERFACE)
target_include_directories(axl_lwip SYSTEM INTERFACE "${_lwip_output}/include" "${PROJECT_SOURCE_DIR}/lib/tcpip/port")
# The assertions' and the checksum's behaviour must be the same in C and in C++.
target_compile_definitions(axl_lwip INTERFACE $<$<CONFIG:Debug>:AXL_CHECKED=1>)

add_library(axl_lwip_objects OBJECT ${_lwip_sources})
target_include_directories(axl_lwip_objects PRIVATE "${_lwip_output}/include" "${PROJECT_SOURCE_DIR}/lib/tcpip/port")
target_compile_definitions(axl_lwip_objects PRIVATE $<$<CONFIG:Debug>:AXL_CHECKED=1>)
set_target_properties(axl_lwip_objects PROPERTIES C_VISIBILITY_PRESET hidden)
# Only the default warnings, but as errors: a redefined macro is the only sign that an option did not take.
target_compile_options(axl_lwip_objects PRIVATE $<$<NOT:$<STREQUAL:${AXL_PROFILE},use>>:-Werror>)
if(AXL_SANITIZE STREQUAL "address")
  # lwIP reads packed headers in place.
  target_compile_options(axl_lwip_objects PRIVATE -fno-sanitize=alignment,shift)
endif()
