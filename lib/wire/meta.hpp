// The meta handshake: what both ends of a link send first, saying who they are and which protocol they speak.
//
// Source: overlay links and sessions, section 3.
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <cstdint>
#include <optional>

#include "core/buffer.hpp"

namespace axl::wire {

inline constexpr std::uint16_t kProtocolMajor = 0;
inline constexpr std::uint16_t kProtocolMinor = 5;

/// Largest value of the length field that we read; an honest message has 117.
inline constexpr std::size_t kMaxMetaLength = 1024;
/// Bytes in front of what the length field counts.
inline constexpr std::size_t kMetaPrefixSize = 6;
inline constexpr std::size_t kMaxPasswordSize = 64;

struct Meta {
  PublicKey key{};
  std::uint8_t priority = 0;
  friend bool operator==(const Meta&, const Meta&) = default;
};

/// The message of the node with this key; `password` has at most kMaxPasswordSize bytes, none if empty.
[[nodiscard]] Buffer encode_meta(const PrivateKey& key, std::uint8_t priority, ByteSpan password);

/// What the front of a stream says so far.
struct MetaPrefix {
  std::optional<Meta> meta{};  ///< empty while bytes are missing
  std::size_t size = 0;        ///< bytes that the message takes, once there is one
};

/// Reads a message off the front of `input`, which may hold less or more than it. Refuses as early as the bytes allow;
/// signature and password are checked before the version, as the protocol says. Never asks for more than
/// kMetaPrefixSize + kMaxMetaLength bytes.
[[nodiscard]] Result<MetaPrefix> decode_meta(ByteSpan input, ByteSpan password);

}  // namespace axl::wire
