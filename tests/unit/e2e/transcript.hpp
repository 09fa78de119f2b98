// A recording of real nodes, taken apart: which routed packets each node sent and got, and which box keys it drew.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/box.hpp"

namespace axl::test {

struct RoutedPacket {
  Time at{};
  std::string from;  ///< nodes at the ends of the link it was seen on
  std::string to;
  PublicKey source;
  PublicKey dest;
  Bytes payload;
};

struct NodeEvent {
  enum class Kind { packet, ipv6_out, ipv6_in, request, response };
  Time at{};
  Kind kind{};
  std::string node{};     ///< empty for packets
  std::string what{};     ///< of requests and responses
  Bytes bytes{};          ///< of all but packets and requests
  std::size_t index = 0;  ///< of a packet, in packets
};

struct Transcript {
  Duration unix_at_zero{};
  std::map<std::string, PrivateKey> keys;
  std::vector<crypto::BoxKeyPair> box_keys;  ///< in the order drawn, by all nodes
  std::vector<RoutedPacket> packets;
  std::vector<NodeEvent> events;

  [[nodiscard]] static Transcript load(const std::string& name);
  [[nodiscard]] const crypto::BoxKeyPair* box_key(const crypto::BoxPublicKey& key) const;
};

}  // namespace axl::test
