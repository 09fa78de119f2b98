// Answers what other nodes and their tools ask: NodeInfo, and the debug requests for our key, neighbours and tree.
//
// Any node may ask. Answers are rationed for each asker and in all; a request beyond that gets none, and its asker
// times out. We ask only to measure round trips (Pings): what a response says is not looked at.
//
// Pure. Source: overlay links and sessions, sections 6.2 and 8.3.
#pragma once

#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/buffer.hpp"
#include "e2e/config.hpp"
#include "e2e/pings.hpp"
#include "e2e/rate_limit.hpp"

namespace axl::e2e {

/// First byte of every session payload (section 6.1).
enum class PayloadType : std::uint8_t { dummy = 0, ipv6 = 1, protocol = 2 };

/// The JSON text that NodeInfo requests get: the configured object, with the four build fields unless they are to be
/// private, keys sorted. An error if the text is no JSON object or the result is larger than 16384 bytes.
[[nodiscard]] Result<std::string> node_info_text(const Config& config);

class RemoteProtocol {
 public:
  enum class KeyList : std::uint8_t { peers = 4, tree = 6 };  ///< the response's type byte
  struct Nothing {};
  /// `Buffer`: the payload to send back, its type byte included. `KeyList`: an answer that only the caller can give.
  /// `Question`: this is the response to one of ours.
  using Answer = std::variant<Nothing, Buffer, KeyList, Question>;

  RemoteProtocol(const Config& config, const PublicKey& own_key);

  /// `message`: a session payload without its type byte.
  [[nodiscard]] Answer on_message(const PublicKey& asker, ByteSpan message, Time now);
  /// The payload that asks.
  [[nodiscard]] static Buffer request(Question question);
  /// Cut to what fits into the largest message.
  [[nodiscard]] static Buffer key_list(std::uint8_t response_type, const std::vector<PublicKey>& keys);
  void set_routing_entries(std::size_t count) noexcept { routing_entries_ = count; }

 private:
  [[nodiscard]] bool may_answer(const PublicKey& asker, Time now);

  std::string own_key_;
  std::string node_info_;
  std::size_t routing_entries_ = 0;
  RateLimitPerSource answers_per_source_;
  RateLimit answers_;
};

}  // namespace axl::e2e
