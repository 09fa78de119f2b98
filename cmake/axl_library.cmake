# The library for other programs: axl::axl (shared) and axl::axl_static, both of the layers' objects, compiled once.
#
# The number in the shared library's name, libaxl.so.1, is that of its binary interface and not of the release: it is
# raised whenever a program that was linked with an older release could not run with a newer one, which is when an
# exported symbol goes or changes, or the layout of a public type does. tests/install/exported_symbols.txt holds the
# symbols. What a release adds bears the same version, AXL_1 (cmake/axl_exports.map).
set(AXL_ABI 1)

get_property(layers GLOBAL PROPERTY AXL_LAYERS)
set(objects $<TARGET_OBJECTS:axl_lwip_objects> ${AXL_LLHTTP_OBJECTS})
foreach(layer IN LISTS layers)
  list(APPEND objects $<TARGET_OBJECTS:${layer}>)
endforeach()

add_library(axl SHARED ${objects})
if(AXL_LTO_WORKS AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Intermediate code is for the very compiler that wrote it. The archive gets the machine code that comes of it, made in
  # one piece: GCC 12 stops with an internal error where it parts what it links to an object.
  string(TOUPPER "${CMAKE_BUILD_TYPE}" kind)
  separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${kind}}")
  set(whole "${CMAKE_CURRENT_BINARY_DIR}/axl_whole.o")
  add_custom_command(OUTPUT "${whole}" DEPENDS ${objects} COMMAND_EXPAND_LISTS VERBATIM COMMENT "Optimising the static library"
    COMMAND "${CMAKE_CXX_COMPILER}" ${flags} -fPIC -flto -flto-partition=none -flinker-output=nolto-rel -r -o "${whole}" ${objects})
  set(objects "${whole}")
endif()
add_library(axl_static STATIC ${objects})
add_dependencies(axl_static ${layers} axl_lwip_objects)
foreach(library axl axl_static)
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX)
  target_compile_features(${library} INTERFACE cxx_std_20)
  target_include_directories(${library} INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")
  target_link_libraries(${library} PRIVATE OpenSSL::SSL OpenSSL::Crypto PkgConfig::sodium fmt::fmt simdjson::simdjson
                                           Threads::Threads ${AXL_LLHTTP_LINK})
  add_library(axl::${library} ALIAS ${library})
endforeach()
set_target_properties(axl_static PROPERTIES OUTPUT_NAME axl)

# For programs that include axl/asio.hpp. Asio keeps what its threads do in variables that the program and the library
# must share, and those of the shared library are its own: so this is the static one, with Asio compiled the same way.
add_library(axl_asio_hook INTERFACE)
target_link_libraries(axl_asio_hook INTERFACE axl_static)
set_target_properties(axl_asio_hook PROPERTIES EXPORT_NAME asio)
target_compile_definitions(axl_asio_hook INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_HAS_STD_ALIGNED_ALLOC=1)
add_library(axl::asio ALIAS axl_asio_hook)

set(exports "${PROJECT_SOURCE_DIR}/cmake/axl_exports.map")
set_target_properties(axl PROPERTIES SOVERSION ${AXL_ABI} VERSION ${AXL_ABI}.${PROJECT_VERSION} LINK_DEPENDS "${exports}")
# Calls of the library to itself stay in it, whatever the program defines.
target_link_options(axl PRIVATE "LINKER:--version-script=${exports}" LINKER:-Bsymbolic-functions LINKER:-z,relro,-z,now)
if(AXL_SANITIZE STREQUAL "")
  target_link_options(axl PRIVATE LINKER:-z,defs)
endif()
