// What a routing node hands back, and the queue it waits in.
#pragma once

#include <axl/key.hpp>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "core/buffer.hpp"
#include "wire/frames.hpp"

namespace axl::overlay {

/// Names one link of this node for as long as it is up; the caller chooses it and never reuses it while in use.
/// Lower is older, which decides ties: hand them out in increasing order.
enum class LinkId : std::uint32_t {};

/// The small number this node gives a neighbour key, at least 1.
enum class PeerPort : std::uint64_t {};

/// Largest payload of a datagram, in bytes: 77 for type, two empty paths, two keys and a watermark (section 12).
inline constexpr std::size_t kMaxPayload = wire::kMaxFrameSize - 77;

/// Message for a link.
struct SendFrame {
  LinkId link{};
  wire::FrameType type{};
  /// Flow of a queued message (types 6 to 9); zero for direct ones (1 to 5), which go ahead of the queue.
  PublicKey source;
  PublicKey dest;
  /// A datagram or lookup of this node's user, so it may not be dropped in a queue (backpressure holds it above
  /// instead). Answers and notices that others cause are not `own`.
  bool own = false;
  Buffer message;  ///< type byte and body, with headroom for the link's length field
};
/// A datagram for this node.
struct Deliver {
  PublicKey source;  ///< not authenticated at this layer
  Buffer payload;
};
/// A path was created or changed.
struct PathFound {
  PublicKey key;  ///< the full key of the node that answered
};
/// The first valid answer to a fresh request came on this link, so the neighbour holds its key now (links,
/// section 8.2).
struct LinkProven {
  LinkId link{};
};
using Output = std::variant<SendFrame, Deliver, PathFound, LinkProven>;

/// First in, first out; keeps its memory, so steady traffic does not allocate.
class Outbox {
 public:
  template <class T>
  void push(T output) {
    waiting_.emplace_back(std::in_place_type<T>, std::move(output));
  }

  [[nodiscard]] std::optional<Output> pop() {
    if (head_ == waiting_.size()) return std::nullopt;
    std::optional<Output> first{std::move(waiting_[head_++])};
    if (head_ == waiting_.size()) {
      waiting_.clear();
      head_ = 0;
    }
    return first;
  }

  void send_direct(LinkId link, wire::FrameType type, Buffer message) {
    push(SendFrame{link, type, {}, {}, false, std::move(message)});
  }

 private:
  std::vector<Output> waiting_;
  std::size_t head_ = 0;
};

}  // namespace axl::overlay
