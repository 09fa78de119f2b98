// Messages as a topic's subscription delivers them.
#pragma once

#include <axl/pubsub.hpp>
#include <string>

namespace axl::test {

/// Its id is `number`, as 32 digits.
inline PubSubMessage published(std::size_t number, std::size_t size = 0) {
  auto id = std::to_string(number);
  id.insert(0, 32 - id.size(), '0');
  std::string body(size, ' ');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>((i * 7 + number) % 251);
  const auto origin = PublicKey::from_hex(std::string(64, 'a')).value();
  const auto relay = PublicKey::from_hex(std::string(64, 'b')).value();
  return {.topic = "a\"b", .id = id, .origin = origin, .signer = origin, .from = relay, .hops = 2, .body = to_bytes(body)};
}

}  // namespace axl::test
