// What the overlay's tests share: the vectors' test keys, a random source that says what it is told, messages out of
// an outbox.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "crypto/signature.hpp"
#include "overlay/output.hpp"
#include "vectors.hpp"

namespace axl::overlay::test {

using axl::test::hex;
using axl::test::load_vectors;
using axl::test::text;
using axl::test::u64;

inline PublicKey public_key(simdjson::dom::element value) { return PublicKey::from_hex(text(value)).value(); }

inline PrivateKey key_of_seed(ByteSpan seed) {
  REQUIRE(seed.size() == PrivateKey::kSeedSize);
  return PrivateKey::from_seed(seed.first<PrivateKey::kSeedSize>());
}

/// The vectors' Kn: its seed is 32 bytes of value n.
inline PrivateKey test_key(int n) {
  const Bytes seed(PrivateKey::kSeedSize, std::byte{static_cast<unsigned char>(n)});
  return key_of_seed(seed);
}

/// By the vectors' names "K1" to "K8", or by the public key of one of them.
inline PrivateKey test_key(std::string_view name) {
  for (int n = 1; n <= 8; ++n) {
    auto key = test_key(n);
    if (name == "K" + std::to_string(n) || name == key.public_key().to_hex()) return key;
  }
  FAIL("no test key " << name);
  return test_key(1);
}

inline wire::Path path(simdjson::dom::element list) {
  wire::Path ports;
  for (const auto port : list.get_array()) ports.push_back(u64(port));
  return ports;
}

/// Gives out the numbers it is told, in order; asking for more is a failure.
class QueueRng final : public Rng {
 public:
  void expect(std::uint64_t value) { values_.push_back(value); }
  [[nodiscard]] std::size_t left() const { return values_.size(); }
  void clear() { values_.clear(); }

  void fill(MutableByteSpan out) override {
    REQUIRE(out.size() == sizeof(std::uint64_t));
    REQUIRE_FALSE(values_.empty());
    std::memcpy(out.data(), &values_.front(), out.size());
    values_.pop_front();
  }

 private:
  std::deque<std::uint64_t> values_;
};

/// A number from a counter, for tests in which nonces do not matter.
class CountingRng final : public Rng {
 public:
  void fill(MutableByteSpan out) override {
    for (auto& byte : out) byte = std::byte{static_cast<unsigned char>(++count_)};
  }

 private:
  unsigned count_ = 0;
};

inline crypto::Verifier verifier() { return crypto::verify; }

/// A signed announcement of `node` as child of `parent` (or as root, with port 0).
inline wire::Announce announcement(const PrivateKey& node, const PrivateKey& parent, std::uint64_t seq,
                                   std::uint64_t nonce, std::uint64_t port) {
  const auto bytes = wire::signed_bytes(node.public_key(), parent.public_key(), seq, nonce, port);
  return {node.public_key(),           parent.public_key(),      seq, nonce, port,
          crypto::sign(parent, bytes), crypto::sign(node, bytes)};
}

/// All that waits, sorted by what it is.
struct Drained {
  std::map<LinkId, std::vector<Bytes>> frames;  ///< messages per link, in order
  std::vector<SendFrame> sent;
  std::vector<std::pair<PublicKey, Bytes>> delivered;
  std::vector<PublicKey> found;
  std::vector<LinkId> proven;

  [[nodiscard]] std::size_t count(LinkId link, wire::FrameType type) const {
    std::size_t number = 0;
    for (const auto& frame : sent) number += frame.link == link && frame.type == type ? 1 : 0;
    return number;
  }
};

template <class Source>  // Outbox or Engine
Drained drain(Source&& next) {
  Drained all;
  while (auto output = next()) {
    if (auto* frame = std::get_if<SendFrame>(&*output)) {
      REQUIRE_FALSE(frame->message.empty());
      REQUIRE(static_cast<std::uint8_t>(frame->type) == std::to_integer<std::uint8_t>(*frame->message.data()));
      REQUIRE(frame->message.headroom() >= 3);  // for the frame's length
      all.frames[frame->link].push_back(to_bytes(frame->message.span()));
      all.sent.push_back(std::move(*frame));
    } else if (auto* datagram = std::get_if<Deliver>(&*output)) {
      all.delivered.emplace_back(datagram->source, to_bytes(datagram->payload.span()));
    } else if (auto* found = std::get_if<PathFound>(&*output)) {
      all.found.push_back(found->key);
    } else if (auto* proven = std::get_if<LinkProven>(&*output)) {
      all.proven.push_back(proven->link);
    }
  }
  return all;
}

}  // namespace axl::overlay::test
