// Links without a network: what one writes, a test gives to the other, in pieces of its choice.
#pragma once

#include <algorithm>
#include <axl/key.hpp>
#include <string>
#include <vector>

#include "link/link.hpp"
#include "vectors.hpp"
#include "wire/meta.hpp"

namespace axl::link::test {

inline constexpr Time t0{};

inline PrivateKey test_key(std::uint8_t number) {
  std::array<std::byte, 32> seed{};
  seed.fill(std::byte{number});
  return PrivateKey::from_seed(seed);
}

/// One end, with everything that came out of it.
struct End {
  explicit End(const PrivateKey& key, Link::Options options = {}, const Link::Limits& limits = {}, Time started = t0)
      : link{key, std::move(options), limits, started} {}

  /// Gives bytes to the link; keeps its events.
  void feed(ByteSpan bytes, Time now = t0, std::size_t piece = ~std::size_t{0}) {
    while (!bytes.empty()) {
      auto rest = bytes.first(std::min(piece, bytes.size()));
      bytes = bytes.subspan(rest.size());
      while (auto event = link.read(rest, now)) {
        if (auto* up = std::get_if<Link::Established>(&*event)) {
          established.push_back(*up);
        } else {
          const auto& message = std::get<Link::Message>(*event);
          messages.push_back(to_hex(message.bytes));
          types.push_back(message.type);
          rtts.push_back(message.rtt);
        }
      }
    }
  }

  /// Takes all that the link writes now, telling it that the transport took it.
  Bytes drain(Time now = t0) {
    Bytes out;
    while (auto output = link.poll_output()) {
      if (auto* write = std::get_if<Link::Write>(&*output)) {
        out.insert(out.end(), write->bytes.span().begin(), write->bytes.span().end());
        writes.push_back(write->bytes.size());
        link.on_unsent(0, now);
      } else {
        failures.push_back(std::get<Link::Failed>(*output));
      }
    }
    return out;
  }

  /// The text of the one failure, or nothing.
  [[nodiscard]] std::string failure() {
    drain();
    return failures.empty() ? std::string{} : failures.front().error.text();
  }

  Link link;
  std::vector<Link::Established> established{};
  std::vector<std::string> messages{};
  std::vector<wire::FrameType> types{};
  std::vector<std::optional<Duration>> rtts{};
  std::vector<std::size_t> writes{};
  std::vector<Link::Failed> failures{};
};

/// An end whose handshake with `peer` is done and whose output is empty.
inline End established_end(const PrivateKey& own, const PrivateKey& peer, Link::Options options = {},
                           const Link::Limits& limits = {}) {
  End end{own, std::move(options), limits};
  end.feed(wire::encode_meta(peer, 0, {}));
  end.drain();
  end.writes.clear();
  return end;
}

inline Buffer message(wire::FrameType type, std::size_t body, std::uint8_t fill = 0) {
  Buffer bytes{1 + body, Buffer::kHeadroom};
  std::fill_n(bytes.data(), bytes.size(), std::byte{fill});
  bytes.data()[0] = static_cast<std::byte>(type);
  return bytes;
}

}  // namespace axl::link::test
