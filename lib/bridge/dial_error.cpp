#include "bridge/dial_error.hpp"

#include <fmt/format.h>

#include <string_view>

namespace axl::bridge {

Error dial_error(const Error& error, const Address& peer, std::uint16_t tcp_port) {
  if (error.is(Errc::key_mismatch)) return Error{Errc::key_mismatch, "peer key mismatch"};
  const auto text = [&](std::string_view what) {
    return fmt::format("failed to reach peer: connect tcp [{}]:{}: {}", peer.to_string(), tcp_port, what);
  };
  if (error.is(Errc::refused)) return Error{Errc::refused, text("connection was refused")};
  if (error.is(Errc::timed_out) || error.is(Errc::unreachable)) {
    return Error{Errc::unreachable, text("operation timed out")};
  }
  if (error.is(Errc::limit_reached)) return Error{Errc::limit_reached, text(error.text())};
  return Error{Errc::unreachable, text(error.text())};
}

}  // namespace axl::bridge
