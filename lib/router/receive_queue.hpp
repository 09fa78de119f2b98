// The queue of received messages that readers take from, first in, first out.
//
// A message that was accepted is never dropped: when a bound is reached, offer() refuses and says why. Taking a message
// leaves it here, in delivery, until the reader has it in full (commit); otherwise it goes back to its old place
// (put_back). What is in delivery still counts.
//
// Readers that find nothing and writers that were refused may wait; poll_event() names who goes next, in the order of
// their coming.
#pragma once

#include <axl/message.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <variant>

#include "router/quota.hpp"

namespace axl::router {

enum class EntryId : std::uint64_t {};
enum class ReaderId : std::uint64_t {};
enum class WriterId : std::uint64_t {};

class ReceiveQueue {
 public:
  /// What a message costs besides its body, id and topic.
  static constexpr std::size_t kOverhead = 256;

  struct Config {
    std::size_t max_messages = 10'000;
    std::size_t max_bytes = 256UL * 1024 * 1024;
  };
  /// Out: this reader no longer waits; there is a message to take.
  struct ReaderReady {
    ReaderId reader{};
  };
  /// Out: this writer no longer waits; what it wants to offer has room.
  struct WriterReady {
    WriterId writer{};
  };
  using Event = std::variant<ReaderReady, WriterReady>;

  explicit ReceiveQueue(const Config& config);

  void favour(const PublicKey& peer);

  /// Takes `message` only when the answer is empty.
  [[nodiscard]] std::optional<Refusal> offer(Message& message);
  /// What offer() would say to a message of that size.
  [[nodiscard]] std::optional<Refusal> would_refuse(const PublicKey& sender, std::size_t body_size) const;

  /// The message that take() would give; null when there is none.
  [[nodiscard]] const Message* front() const;
  struct Taken {
    EntryId id{};
    const Message* message = nullptr;  ///< stays valid until commit or put_back
  };
  /// The oldest message that is not in delivery.
  [[nodiscard]] std::optional<Taken> take();
  /// The reader has it: the message is gone. It is handed back for those who want to keep it.
  Message commit(EntryId id);
  /// The reader did not get it: it is the oldest again.
  void put_back(EntryId id);

  [[nodiscard]] ReaderId wait_for_message();
  void stop_waiting(ReaderId reader);
  [[nodiscard]] WriterId wait_for_room(const PublicKey& sender, std::size_t body_size);
  void stop_waiting(WriterId writer);
  /// Call until empty after every change.
  [[nodiscard]] std::optional<Event> poll_event();
  /// poll_event() may have something to say.
  [[nodiscard]] bool has_event() const;

  [[nodiscard]] std::size_t messages() const noexcept { return ready_.size() + in_delivery_.size(); }
  [[nodiscard]] std::size_t in_delivery() const noexcept { return in_delivery_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.used(); }

 private:
  struct Writer {
    WriterId id{};
    PublicKey sender;
    std::size_t body_size = 0;
  };
  using Entries = std::map<EntryId, Message>;  // in order of arrival

  static std::size_t cost(const Message& message) noexcept;

  Quota counts_;
  Quota bytes_;
  Entries ready_;
  Entries in_delivery_;
  std::list<ReaderId> readers_;
  std::list<Writer> writers_;
  bool room_changed_ = false;  // since the waiting writers were last looked at
  std::uint64_t next_entry_ = 1;
  std::uint64_t next_waiter_ = 1;
};

}  // namespace axl::router
