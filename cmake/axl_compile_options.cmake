# What every target of ours is compiled with. `axl_options` is private to our targets and never exported.
add_library(axl_options INTERFACE)
target_compile_options(axl_options INTERFACE
  -Wall -Wextra -Wpedantic $<$<NOT:$<STREQUAL:${AXL_PROFILE},use>>:-Werror>
  $<$<COMPILE_LANGUAGE:CXX>:-Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual>)
# GCC 12 reports these inside its own library once everything is inlined, for code that is in order.
target_compile_options(axl_options INTERFACE
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread>)
if(AXL_LTO AND AXL_INSTALL AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  message(STATUS "No link-time optimisation: the static library would be installed as intermediate code of this compiler")
elseif(AXL_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT AXL_LTO_WORKS OUTPUT AXL_LTO_WHY_NOT LANGUAGES C CXX)
  if(AXL_LTO_WORKS)
    # A third less code, and so fewer misses of the instruction cache after each wait.
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
    add_link_options("$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>") # as above
  else()
    message(STATUS "No link-time optimisation: ${AXL_LTO_WHY_NOT}")
  endif()
endif()
target_compile_definitions(axl_options INTERFACE $<$<CONFIG:Debug>:AXL_CHECKED=1>)

if(AXL_SANITIZE STREQUAL "address")
  # AddressSanitizer stops at what the three would find, and they take a third of the time to compile.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,object-size,pointer-overflow -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(AXL_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
  # GCC 12: libstdc++'s fences are not modelled, which it says in a warning.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
elseif(NOT AXL_SANITIZE STREQUAL "")
  message(FATAL_ERROR "AXL_SANITIZE is empty, address or thread; not '${AXL_SANITIZE}'")
endif()
