// The door to lwIP: its headers, and the guard that makes one stack's context current on this thread. lwIP's code and
// its data may be touched only while an Entry lives.
#pragma once

#include <axl/key.hpp>
#include <cstring>

#include "axl_lwip_context.h"

namespace axl::tcpip {

/// Saves and restores: a stack may be entered while another one is current (nodes of one process that call each other).
class Entry {
 public:
  explicit Entry(axl_lwip_context& context) noexcept : saved_{axl_lwip} { axl_lwip = &context; }
  ~Entry() { axl_lwip = saved_; }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  axl_lwip_context* saved_;
};

[[nodiscard]] inline ip6_addr_t to_lwip(const Address& address) noexcept {
  ip6_addr_t out{};
  static_assert(sizeof out.addr == Address::kSize);
  std::memcpy(out.addr, address.bytes().data(), sizeof out.addr);
  return out;
}

[[nodiscard]] inline Address to_address(const ip6_addr_t& address) noexcept {
  std::array<std::byte, Address::kSize> bytes;
  std::memcpy(bytes.data(), address.addr, bytes.size());
  return Address{bytes};
}

}  // namespace axl::tcpip
