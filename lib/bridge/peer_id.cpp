#include "bridge/peer_id.hpp"

#include <algorithm>
#include <array>

#include "crypto/partial_key.hpp"

namespace axl::bridge {

PublicKey resolve(const PublicKey& destination, const Host& host) {
  if (!is_partial(destination)) return destination;
  const auto address = Address::of(destination);
  if (address == Address::of(host.our_key())) return host.our_key();
  return host.full_key(address).value_or(destination);
}

bool is_name(std::string_view text, std::size_t max_size) noexcept {
  return !text.empty() && text.size() <= max_size &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string make_message_id(Rng& rng) {
  std::array<std::byte, 16> bytes{};
  rng.fill(bytes);
  return to_hex(bytes);
}

}  // namespace axl::bridge
