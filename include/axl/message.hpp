// A message: some bytes from one key to another, with a name of its own.
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace axl {

/// The bytes of a message: never changed once made, so copies share them.
class MessageBody {
 public:
  MessageBody() = default;
  MessageBody(Bytes bytes) : MessageBody{std::make_shared<const Bytes>(std::move(bytes))} {}
  /// `view` lies in what `owner` keeps alive.
  MessageBody(std::shared_ptr<const void> owner, ByteSpan view) noexcept : owner_{std::move(owner)}, view_{view} {}

  [[nodiscard]] const std::byte* data() const noexcept { return view_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return view_.size(); }
  [[nodiscard]] bool empty() const noexcept { return view_.empty(); }
  [[nodiscard]] ByteSpan span() const noexcept { return view_; }
  /// What keeps the bytes alive, for as long as anybody holds it.
  [[nodiscard]] const std::shared_ptr<const void>& owner() const noexcept { return owner_; }
  [[nodiscard]] std::string_view text() const noexcept { return as_text(view_); }
  operator ByteSpan() const noexcept { return view_; }

 private:
  explicit MessageBody(std::shared_ptr<const Bytes> bytes) noexcept : owner_{bytes}, view_{*bytes} {}

  std::shared_ptr<const void> owner_;
  ByteSpan view_;
};

/// A message that has arrived.
struct Message {
  PublicKey sender;   ///< the full key that the end-to-end session proved
  Address address;    ///< the sender's overlay address
  std::string id;     ///< as the sender named it; made here when it came as a frame of an old peer
  std::string topic;  ///< empty: none
  MessageBody body;
  Time received{};
};

/// Longest message id and topic, in bytes; both are printable ASCII without spaces around.
inline constexpr std::size_t kMaxMessageIdSize = 128;
inline constexpr std::size_t kMaxTopicSize = 128;

struct SendOptions {
  /// Names the message, so that sending it again is safe; empty: 128 random bits.
  std::string id = {};
  std::string topic = {};
  /// Off: done once the message is handed over, without waiting for a receipt.
  bool receipt = true;
  /// Not zero: while the peer is away, keeps trying for so long, at most a day, and reports how it ended. Kept in
  /// memory only.
  Duration retry_for = {};
};

/// What became of a message that was sent.
enum class Delivery : std::uint8_t {
  queued,       ///< the receiver has it in its queue
  accepted,     ///< the peer's TCP has all of it; an old peer tells no more
  handed_over,  ///< on its way, nothing asked
};

struct SendReport {
  Delivery delivery{};
  std::string id;  ///< the message's name, given or made
};

}  // namespace axl
