// The queue of received messages that readers take from: by topic, and within it by sender if they like, first in,
// first out.
//
// A message that was accepted is never dropped: when a bound is reached, offer() refuses and says why. Bounds are those
// of the whole, so many topics are no way around them. Taking a message leaves it here, in delivery, until the reader
// has it in full (commit); otherwise it goes back to its old place (put_back). Or the reader gets a lease: then it
// confirms the message by its id, and if it does not in time, the message goes back too. Whatever is still here counts.
//
// Readers that find nothing and writers that were refused may wait; poll_event() names who goes next, in the order of
// their coming.
#pragma once

#include <axl/message.hpp>
#include <axl/router.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "router/lanes.hpp"
#include "router/quota.hpp"

namespace axl::router {

enum class WriterId : std::uint64_t {};

class ReceiveQueue {
 public:
  /// What a message costs besides its body, id and topic.
  static constexpr std::size_t kOverhead = 256;
  /// So many topics that were read from are remembered for read_topics(): the first ones.
  static constexpr std::size_t kReadTopics = 64;

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
  [[nodiscard]] const Message* front(const Selection& wanted = {});
  struct Taken {
    EntryId id{};
    const Message* message = nullptr;  ///< stays valid until commit, put_back, lease or confirm
  };
  /// The oldest of the selected messages that nobody holds.
  [[nodiscard]] std::optional<Taken> take(const Selection& wanted = {});
  /// The reader has it: the message is gone. It is handed back for those who want to keep it; empty when it was
  /// confirmed meanwhile.
  std::optional<Message> commit(EntryId id);
  /// The reader did not get it, or gives its lease back: the message is at its old place again.
  void put_back(EntryId id);

  /// A message in delivery may be confirmed by its id from now on, and when the reader has it in full, until `until`.
  void allow_confirm(EntryId id);
  /// Which lease of the message it is, from 1; 0: the message is not in delivery.
  std::uint64_t lease(EntryId id, Time until);
  enum class Confirmed : std::uint8_t {
    yes,
    unknown,
    ambiguous,  ///< several senders gave this id: name one
  };
  /// The message is gone. One whose lease has run out may be confirmed too, as long as it is here.
  Confirmed confirm(std::string_view message_id, const std::optional<PublicKey>& sender);
  /// The same by the number of a lease that the message has, or has had. False: it is not here.
  bool confirm(EntryId id, std::uint64_t lease);
  /// Puts the message back. False: that lease has ended before.
  bool give_back(EntryId id, std::uint64_t lease);
  /// Puts back what was leased until `now` or before.
  void expire_leases(Time now);
  [[nodiscard]] std::optional<Time> next_expiry() const;

  [[nodiscard]] ReaderId wait_for_message(const Selection& wanted = {});
  void stop_waiting(ReaderId reader) { lanes_.stop_waiting(reader); }
  [[nodiscard]] WriterId wait_for_room(const PublicKey& sender, std::size_t body_size);
  void stop_waiting(WriterId writer);
  /// Call until empty after every change.
  [[nodiscard]] std::optional<Event> poll_event();
  /// poll_event() may have something to say.
  [[nodiscard]] bool has_event() const;

  /// Messages that are ready, of each topic that a reader has asked for, and before these of none (an empty name). The
  /// senders' names for topics are not to be had here: there is no bound to them.
  struct TopicSize {
    std::string topic;
    std::size_t messages = 0;
  };
  [[nodiscard]] std::vector<TopicSize> read_topics() const;

  [[nodiscard]] std::size_t messages() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t in_delivery() const noexcept { return in_delivery_; }
  [[nodiscard]] std::size_t leased() const noexcept { return leases_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.used(); }

 private:
  struct Entry {
    Message message;
    enum class State : std::uint8_t { ready, in_delivery, leased } state = State::ready;
    bool named = false;  // its reader may confirm it
    Time leased_until{};
    std::uint64_t leases = 0;  // so far
  };
  using Entries = std::map<EntryId, Entry>;  // in order of arrival
  struct Writer {
    WriterId id{};
    PublicKey sender;
    std::size_t body_size = 0;
  };

  static std::size_t cost(const Message& message) noexcept;
  void note_read(const std::string& topic);
  void leave_state(Entries::iterator item);
  Message erase(Entries::iterator item);

  Quota counts_;
  Quota bytes_;
  Entries entries_;
  Lanes lanes_;                                               // of the ready ones, and who waits for such
  std::set<std::pair<Time, EntryId>> leases_;                 // by their end
  std::multimap<std::string, EntryId, std::less<>> by_name_;  // of those that a reader may confirm
  std::set<std::string> read_topics_;
  std::size_t in_delivery_ = 0;
  std::list<Writer> writers_;
  bool room_changed_ = false;  // since the waiting writers were last looked at
  std::uint64_t next_entry_ = 1;
  std::uint64_t next_writer_ = 1;
};

}  // namespace axl::router
