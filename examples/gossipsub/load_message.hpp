// A message of a load: 1 KiB that says which one it is and when it was published, and can be checked in full.
//
// The time is that of the machine's steady clock, so latencies make sense between processes of one machine only.
#pragma once

#include <axl/bytes.hpp>
#include <chrono>
#include <cstdint>
#include <optional>

namespace gossip {

inline constexpr std::size_t kLoadMessageSize = 1024;

struct LoadMessage {
  std::uint64_t sequence = 0;
  std::chrono::steady_clock::time_point published;
};

[[nodiscard]] axl::Bytes encode(const LoadMessage& message);
/// Empty: it is none, or a byte of it is wrong.
[[nodiscard]] std::optional<LoadMessage> decode(axl::ByteSpan body);
[[nodiscard]] bool looks_like_load(axl::ByteSpan body);

}  // namespace gossip
