#include "e2e/config.hpp"

#include <limits>

namespace axl::e2e {

const char* build_platform() noexcept {
#if defined(__linux__)
  return "linux";
#elif defined(__APPLE__)
  return "darwin";
#elif defined(_WIN32)
  return "windows";
#elif defined(__FreeBSD__)
  return "freebsd";
#else
  return "unknown";
#endif
}

const char* build_arch() noexcept {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#elif defined(__i386__)
  return "386";
#elif defined(__arm__)
  return "arm";
#elif defined(__riscv) && __riscv_xlen == 64
  return "riscv64";
#else
  return "unknown";
#endif
}

Config Config::reference() {
  constexpr auto unbounded = std::numeric_limits<std::size_t>::max();
  constexpr Rate unlimited{0, 1};
  Config config;
  config.mtu = 1'280;
  config.max_sessions = unbounded;
  config.max_openings = unbounded;
  config.max_known_keys = unbounded;
  config.strict_waiting = false;
  config.strict_init_seq = false;
  config.strict_seq_zero = false;
  config.strict_strayed_inits = false;
  config.strict_crossing = false;
  config.strict_addresses = false;
  config.strict_packet_too_big = false;
  config.strayed_inits_per_source = unlimited;
  config.strayed_inits = unlimited;
  config.limit_session_inits = false;
  config.verifications_per_source = unlimited;
  config.verifications_of_strangers = unlimited;
  config.verifications_of_known = unlimited;
  config.answers_per_source = unlimited;
  config.answers = unlimited;
  return config;
}

}  // namespace axl::e2e
