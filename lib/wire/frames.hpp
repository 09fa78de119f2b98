// The routing layer's messages, one struct each. A message is a type byte and a body; the length that makes it a
// frame belongs to the link.
//
// Source: overlay routing, sections 3 and 4. Decoders take the body without its type byte, consume it exactly, and
// refuse anything else; `encode` writes type byte and body, always minimally.
#pragma once

#include <array>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <cstdint>

#include "core/buffer.hpp"
#include "crypto/signature.hpp"
#include "wire/codec.hpp"

namespace axl::wire {

/// Largest value of a frame's length field: type byte and body.
inline constexpr std::size_t kMaxFrameSize = 131'070;

enum class FrameType : std::uint8_t {
  dummy = 0,
  keepalive = 1,
  sig_req = 2,
  sig_res = 3,
  announce = 4,
  bloom_filter = 5,
  path_lookup = 6,
  path_notify = 7,
  path_broken = 8,
  traffic = 9,
};

struct SigReq {
  std::uint64_t seq = 0;
  std::uint64_t nonce = 0;

  [[nodiscard]] static Result<SigReq> decode(ByteSpan body);
  [[nodiscard]] Buffer encode() const;
  friend bool operator==(const SigReq&, const SigReq&) = default;
};

struct SigRes {
  std::uint64_t seq = 0;
  std::uint64_t nonce = 0;
  std::uint64_t port = 0;
  crypto::Signature psig{};

  [[nodiscard]] static Result<SigRes> decode(ByteSpan body);
  [[nodiscard]] Buffer encode() const;
  friend bool operator==(const SigRes&, const SigRes&) = default;
};

/// What psig and sig cover: node ++ parent ++ seq ++ nonce ++ port (routing, section 5).
[[nodiscard]] Bytes signed_bytes(const PublicKey& node, const PublicKey& parent, std::uint64_t seq, std::uint64_t nonce,
                                 std::uint64_t port);

struct Announce {
  PublicKey key{};
  PublicKey parent{};
  std::uint64_t seq = 0;
  std::uint64_t nonce = 0;
  std::uint64_t port = 0;
  crypto::Signature psig{};
  crypto::Signature sig{};

  [[nodiscard]] static Result<Announce> decode(ByteSpan body);
  [[nodiscard]] Buffer encode() const;
  /// Port rule and both signatures.
  [[nodiscard]] bool valid(const crypto::Verifier& verify) const;
  friend bool operator==(const Announce&, const Announce&) = default;
};

/// Filter bits; word i holds bits 64 i to 64 i + 63, least significant first.
struct BloomFilter {
  static constexpr std::size_t kWords = 128;
  std::array<std::uint64_t, kWords> words{};

  [[nodiscard]] static Result<BloomFilter> decode(ByteSpan body);
  [[nodiscard]] Buffer encode() const;
  friend bool operator==(const BloomFilter&, const BloomFilter&) = default;
};

struct PathLookup {
  PublicKey source{};
  PublicKey dest{};  ///< full or partial
  Path from{};

  [[nodiscard]] static Result<PathLookup> decode(ByteSpan body);
  [[nodiscard]] Buffer encode() const;
  friend bool operator==(const PathLookup&, const PathLookup&) = default;
};

struct PathNotify {
  struct Info {
    std::uint64_t seq = 0;  ///< answerer's Unix time, whole seconds
    Path path{};
    crypto::Signature sig{};
    friend bool operator==(const Info&, const Info&) = default;
  };
  Path path{};
  std::uint64_t watermark = 0;
  PublicKey source{};
  PublicKey dest{};
  Info info{};

  [[nodiscard]] static Result<PathNotify> decode(ByteSpan body);
  [[nodiscard]] Buffer encode() const;
  /// What info.sig covers.
  [[nodiscard]] static Bytes signed_bytes(std::uint64_t seq, const Path& path);
  friend bool operator==(const PathNotify&, const PathNotify&) = default;
};

struct PathBroken {
  Path path{};
  std::uint64_t watermark = 0;
  PublicKey source{};
  PublicKey dest{};

  [[nodiscard]] static Result<PathBroken> decode(ByteSpan body);
  [[nodiscard]] Buffer encode() const;
  friend bool operator==(const PathBroken&, const PathBroken&) = default;
};

/// A datagram on its way; `payload` views the body it was decoded from.
struct TrafficView {
  Path path{};
  Path from{};
  PublicKey source{};
  PublicKey dest{};
  std::uint64_t watermark = 0;
  ByteSpan payload{};

  [[nodiscard]] static Result<TrafficView> decode(ByteSpan body);
};

/// Everything of a Traffic message but its payload.
struct TrafficHeader {
  Path path{};
  Path from{};
  PublicKey source{};
  PublicKey dest{};
  std::uint64_t watermark = 0;

  /// Puts type byte and header in front of the payload that `packet` holds.
  void prepend_to(Buffer& packet) const;
};

}  // namespace axl::wire
