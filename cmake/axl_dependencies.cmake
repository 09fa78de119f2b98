# Finds what cmake/deps.sh brought: system packages, and the few that it unpacks into AXL_DEPS_DIR.
list(PREPEND CMAKE_PREFIX_PATH "${AXL_DEPS_DIR}/usr")
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(simdjson REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)

find_path(AXL_ASIO_INCLUDE asio.hpp REQUIRED)
add_library(axl_asio INTERFACE)
target_include_directories(axl_asio SYSTEM INTERFACE "${AXL_ASIO_INCLUDE}")
target_compile_definitions(axl_asio INTERFACE ASIO_NO_DEPRECATED ASIO_STANDALONE)
target_link_libraries(axl_asio INTERFACE Threads::Threads)

find_path(AXL_LLHTTP_INCLUDE llhttp.h PATHS "${AXL_DEPS_DIR}/usr/include" REQUIRED)
find_library(AXL_LLHTTP_LIBRARY NAMES libllhttp.a llhttp PATHS "${AXL_DEPS_DIR}/usr/lib"
             PATH_SUFFIXES "${CMAKE_LIBRARY_ARCHITECTURE}" REQUIRED)
add_library(axl_llhttp INTERFACE)
target_include_directories(axl_llhttp SYSTEM INTERFACE "${AXL_LLHTTP_INCLUDE}")
target_link_libraries(axl_llhttp INTERFACE "${AXL_LLHTTP_LIBRARY}")

if(AXL_BUILD_TESTS)
  find_package(Catch2 3 REQUIRED)
endif()
if(AXL_BUILD_BENCHMARKS)
  find_package(benchmark 1.7 REQUIRED)
endif()
