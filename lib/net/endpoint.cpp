#include "net/endpoint.hpp"

#include <fmt/format.h>

namespace axl::net {

asio::ip::address plain_address(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

std::string to_text(const Endpoint& endpoint) {
  const auto address = plain_address(endpoint.address());
  if (address.is_v4()) return fmt::format("{}:{}", address.to_string(), endpoint.port());
  return fmt::format("[{}]:{}", address.to_string(), endpoint.port());
}

std::optional<asio::ip::address> address_literal(std::string_view host) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (const auto zone = host.find('%'); zone != std::string_view::npos) host = host.substr(0, zone);
  std::error_code failure;
  const auto address = asio::ip::make_address(std::string{host}, failure);
  if (failure) return std::nullopt;
  return address;
}

bool may_dial(const asio::ip::address& given, bool overlay_too) {
  const auto address = plain_address(given);
  if (address.is_unspecified() || address.is_multicast()) return false;
  constexpr unsigned kSevenBits = 0xfeU;
  const auto overlay = address.is_v6() && (address.to_v6().to_bytes()[0] & kSevenBits) == 0x02U;
  return overlay_too || !overlay;
}

}  // namespace axl::net
