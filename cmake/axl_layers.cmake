# A layer is one folder of lib/ and one target, axl_<name>. It sees the public headers, itself and the layers it links,
# through a folder of links, one per layer: an include that the layering does not allow does not compile.
#
#   axl_layer(overlay SOURCES engine.cpp tree.cpp LINKS axl_wire axl_crypto)
function(axl_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS;PRIVATE_LINKS")
  set(view "${PROJECT_BINARY_DIR}/layers/${name}")
  file(MAKE_DIRECTORY "${view}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${view}/${name}" SYMBOLIC)
  add_library(axl_${name} STATIC ${arg_SOURCES})
  target_include_directories(axl_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include" "${view}")
  target_link_libraries(axl_${name} PUBLIC ${arg_LINKS} PRIVATE axl_options ${arg_PRIVATE_LINKS})
  set_property(GLOBAL APPEND PROPERTY AXL_LAYERS axl_${name})
endfunction()

# One Catch2 program, one ctest entry. For ThreadSanitizer only those with the label `threads` are built: it has nothing to
# say about the others.
#
#   axl_test(unit.overlay SOURCES tree_test.cpp LINKS axl_overlay LABELS unit)
function(axl_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS;LABELS;ARGS;DEFINITIONS")
  string(REPLACE "\\;" ";" labels "${arg_LABELS}") # PARSE_ARGV keeps a list given as one argument escaped
  if(AXL_SANITIZE STREQUAL "thread" AND NOT "threads" IN_LIST labels)
    return()
  endif()
  string(REPLACE "." "_" target "test_${name}")
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LINKS} axl_options axl_test_support Catch2::Catch2WithMain)
  target_compile_definitions(${target} PRIVATE ${arg_DEFINITIONS})
  add_test(NAME ${name} COMMAND ${target} ${arg_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT 300)
endfunction()
