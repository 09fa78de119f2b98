find_package(Python3 3.9 COMPONENTS Interpreter REQUIRED)

# One Python script against the real axld, one ctest entry. Needs the daemon; scripts that cannot run here say why and skip.
#
#   axl_python_test(interop.roles SCRIPT roles_test.py LABELS interop)
function(axl_python_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SCRIPT" "LABELS;ARGS")
  if(NOT TARGET axld)
    return()
  endif()
  add_test(NAME ${name}
           COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/${arg_SCRIPT}"
                   --axld $<TARGET_FILE:axld> --yggdrasil "${AXL_DEPS_DIR}/usr/sbin/yggdrasil"
                   $<$<BOOL:${AXL_SANITIZE}>:--sanitized> ${arg_ARGS}
           COMMAND_EXPAND_LISTS)
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 300 SKIP_RETURN_CODE 77
                       ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endfunction()
