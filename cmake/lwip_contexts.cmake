# Copies lwIP 2.2.1 and turns its file-scope variables into members of `struct axl_lwip_context`, which the code then
# reaches through a thread-local pointer: so any number of stacks live in one process and share nothing.
#
#   cmake -D SOURCE=<lwIP tree> -D OUTPUT=<folder> [-D PATCHES=<script>] -P lwip_contexts.cmake
#
# How: each name, where it stands alone and is not a field, gets `axl_lwip->` in front (twice over, since neighbours
# share a delimiter); every declaration that now names a member is removed; every source includes the context header.
# The references in the removed text are counted, so that a variable that was renamed or added upstream stops the build.
cmake_minimum_required(VERSION 3.25)

set(sources
  core/def.c core/inet_chksum.c core/init.c core/ip.c core/mem.c core/memp.c core/netif.c core/pbuf.c core/stats.c
  core/sys.c core/tcp.c core/tcp_in.c core/tcp_out.c core/timeouts.c
  core/ipv6/icmp6.c core/ipv6/inet6.c core/ipv6/ip6.c core/ipv6/ip6_addr.c core/ipv6/nd6.c)
set(headers lwip/ip.h lwip/netif.h lwip/pbuf.h lwip/priv/nd6_priv.h lwip/priv/tcp_priv.h)

# Named by headers: replaced everywhere.
set(shared
  tcp_active_pcbs tcp_active_pcbs_changed tcp_bound_pcbs tcp_listen_pcbs tcp_pcb_lists tcp_ticks tcp_tw_pcbs
  tcp_input_pcb netif_default netif_list ip_data pbuf_free_ooseq_pending
  default_router_list destination_cache neighbor_cache prefix_list)
# Private to one file, and replaced there only.
set(private_core/tcp.c tcp_port tcp_timer tcp_timer_ctr tcp_ext_arg_id)
set(private_core/tcp_in.c
  ackno flags inseg recv_acked recv_data recv_flags seqno tcp_optidx tcphdr tcphdr_opt1len tcphdr_opt2 tcphdr_optlen
  tcplen)
set(private_core/netif.c netif_num)
set(private_core/timeouts.c current_timeout_due_time next_timeout tcpip_tcp_timer_active)
# (The last two are declared in nd6_priv.h, but are field names there as well.)
set(private_core/ipv6/nd6.c
  last_router multicast_address nd6_cached_destination_index nd6_ra_buffer reachable_time retrans_timer)
set(private_core/ipv6/ip6_addr.c str)
set(expected_references 48)  # 44 variables, one of which is a table that names four others
get_filename_component(SOURCE "${SOURCE}" ABSOLUTE)

function(count_references text result)
  string(REPLACE "axl_lwip->" "axl_lwip->_" longer "${text}")
  string(LENGTH "${text}" before)
  string(LENGTH "${longer}" after)
  math(EXPR count "${after} - ${before}")
  set(${result} ${count} PARENT_SCOPE)
endfunction()

function(write_if_different path text)
  if(EXISTS "${path}")
    file(READ "${path}" old)
    if(old STREQUAL text)
      return()
    endif()
  endif()
  file(WRITE "${path}" "${text}")
endfunction()

# Sets `text` to the rewritten file and `removed` to the number of references in the declarations taken out.
function(rewrite path key)
  file(READ "${path}" text)
  # Brackets would make CMake see lists.
  string(ASCII 1 open)
  string(ASCII 2 close)
  string(REPLACE "[" "${open}" text "${text}")
  string(REPLACE "]" "${close}" text "${text}")
  foreach(pass RANGE 1)
    foreach(name IN LISTS shared private_${key})
      string(REGEX REPLACE "([^A-Za-z0-9_.>])${name}([^A-Za-z0-9_])" "\\1axl_lwip->${name}\\2" text "${text}")
    endforeach()
  endforeach()
  count_references("${text}" before)
  string(REGEX REPLACE "\n([a-z]|  static )[^\n;{}()]*axl_lwip->[^;]*;" "\n" text "${text}")
  count_references("${text}" after)
  math(EXPR removed "${before} - ${after}")
  string(REPLACE "${open}" "[" text "${text}")
  string(REPLACE "${close}" "]" text "${text}")
  set(text "${text}" PARENT_SCOPE)
  set(removed ${removed} PARENT_SCOPE)
endfunction()

# The small changes beside the context: `patch(file count old new)`, exact text, which must occur `count` times.
function(patch file count old new)
  string(LENGTH "${old}" old_length)
  string(REPLACE "${old}" "" without "${text_${file}}")
  string(LENGTH "${text_${file}}" before)
  string(LENGTH "${without}" after)
  math(EXPR found "(${before} - ${after}) / ${old_length}")
  if(NOT found EQUAL count)
    message(FATAL_ERROR "lwIP ${file}: expected ${count} times, found ${found} times:\n${old}")
  endif()
  string(REPLACE "${old}" "${new}" patched "${text_${file}}")
  set(text_${file} "${patched}" PARENT_SCOPE)
endfunction()

if(NOT EXISTS "${SOURCE}/src/core/tcp.c")
  message(FATAL_ERROR "No lwIP in '${SOURCE}'. Run cmake/deps.sh, or set AXL_LWIP_SOURCE to an unpacked lwIP 2.2.1.")
endif()
file(READ "${SOURCE}/src/include/lwip/init.h" init_header)
foreach(part MAJOR:2 MINOR:2 REVISION:1)
  string(REPLACE ":" ";" part "${part}")
  list(GET part 0 name)
  list(GET part 1 value)
  if(NOT init_header MATCHES "#define LWIP_VERSION_${name} +${value}")
    message(FATAL_ERROR "'${SOURCE}' is not lwIP 2.2.1")
  endif()
endforeach()

set(references 0)
foreach(file IN LISTS sources)
  rewrite("${SOURCE}/src/${file}" "${file}")
  math(EXPR references "${references} + ${removed}")
  set(text_${file} "#include \"axl_lwip_context.h\"\n${text}")
endforeach()
if(NOT references EQUAL expected_references)
  message(FATAL_ERROR "lwIP: removed declarations hold ${references} references to variables, not ${expected_references}")
endif()
foreach(file IN LISTS headers)
  rewrite("${SOURCE}/src/include/${file}" "${file}")
  set(text_${file} "${text}")
endforeach()
foreach(file lwip/tcp.h)
  file(READ "${SOURCE}/src/include/${file}" text_${file})
endforeach()
if(PATCHES)
  include("${PATCHES}")
endif()

file(GLOB_RECURSE all_headers RELATIVE "${SOURCE}/src/include" "${SOURCE}/src/include/*.h")
foreach(file IN LISTS all_headers)
  if(NOT file MATCHES "^(compat|lwip/apps)/")
    if(NOT DEFINED text_${file})
      file(READ "${SOURCE}/src/include/${file}" text_${file})
    endif()
    write_if_different("${OUTPUT}/include/${file}" "${text_${file}}")
  endif()
endforeach()
foreach(file IN LISTS sources)
  get_filename_component(name "${file}" NAME)
  write_if_different("${OUTPUT}/${name}" "${text_${file}}")
endforeach()
