# What compilers cannot know by themselves: which of a program's code runs for every message. Most of the time of a small
# message goes into fetching code, and with a profile what never runs is small and lies apart.
#
# AXL_PROFILE is
#   use      compile with the profile of this GCC in cmake/profile, if there is one
#   make     compile programs that take one (cmake/profile.sh)
#   empty    neither
# A profile grows old without harm: a function that has changed is compiled as without one.
set(AXL_PROFILE "" CACHE STRING "Profile of the hot paths: empty, use, make")
if(AXL_PROFILE STREQUAL "")
  return()
elseif(NOT AXL_PROFILE MATCHES "^(use|make)$")
  message(FATAL_ERROR "AXL_PROFILE is empty, use or make; not '${AXL_PROFILE}'")
elseif(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
  message(STATUS "No profile: it is for GCC")
  return()
endif()

string(REGEX MATCH "^[0-9]+" _gcc "${CMAKE_CXX_COMPILER_VERSION}")
set(AXL_PROFILE_FILE "${PROJECT_SOURCE_DIR}/cmake/profile/gcc-${_gcc}.tar.xz")
if(AXL_PROFILE STREQUAL "make")
  add_compile_options(-fprofile-generate -fprofile-update=prefer-atomic)
  add_link_options(-fprofile-generate)
elseif(EXISTS "${AXL_PROFILE_FILE}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${AXL_PROFILE_FILE}")
  file(SHA256 "${AXL_PROFILE_FILE}" _hash)
  file(ARCHIVE_EXTRACT INPUT "${AXL_PROFILE_FILE}" DESTINATION "${PROJECT_BINARY_DIR}") # to where the objects will be
  # No warnings: what GCC says of functions that are younger than the profile has no option of its own, and the preset dev
  # has said the rest. Counts of code that has changed around a function may not add up in it: to be smoothed, not an error.
  # The name makes a new profile compile everything anew.
  add_compile_options(-fprofile-use -fprofile-correction -w -Wno-error "-DAXL_PROFILE_HASH=${_hash}")
else()
  message(STATUS "No profile for GCC ${_gcc}: cmake/profile.sh makes one")
  return()
endif()

file(RELATIVE_PATH _up "${CMAKE_BINARY_DIR}" "${PROJECT_SOURCE_DIR}/")
foreach(_language C CXX)
  list(PREPEND CMAKE_${_language}_COMPILER_LAUNCHER
       "${PROJECT_SOURCE_DIR}/cmake/profile/relative_paths.sh" "${CMAKE_BINARY_DIR}" "${PROJECT_SOURCE_DIR}" "${_up}")
endforeach()
