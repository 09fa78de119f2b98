// The messages that are ready to be taken, found by topic and sender, and the readers that wait for such.
//
// Each topic is a lane, the messages without one too. Finding the oldest message of a selection, and the reader that a
// message is for, takes no walk through the others.
#pragma once

#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/router.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace axl::router {

using Selection = Router::Selection;

enum class EntryId : std::uint64_t {};  // in order of arrival
enum class ReaderId : std::uint64_t {};

/// Does a wanted sender (empty: anybody; partial: all with that address) mean this one?
[[nodiscard]] bool selects(const std::optional<PublicKey>& wanted, const PublicKey& sender);

class Lanes {
 public:
  /// A message is ready. It must be removed under the same id.
  void add(EntryId id, const Message& message);
  void remove(EntryId id, const Message& message);
  /// How many are ready in a topic.
  [[nodiscard]] std::size_t ready(std::string_view topic) const;
  /// The oldest that is selected.
  [[nodiscard]] std::optional<EntryId> oldest(const Selection& wanted) const;

  [[nodiscard]] ReaderId wait(const Selection& wanted);
  void stop_waiting(ReaderId reader);
  /// A reader that waits and has something to take; it no longer waits. Call until empty.
  [[nodiscard]] std::optional<ReaderId> next_reader();
  /// next_reader() may have an answer.
  [[nodiscard]] bool may_have_reader() const noexcept { return !fresh_.empty(); }

 private:
  struct Key {  // of a message, as far as selections look at it
    std::string topic;
    PublicKey sender;
  };
  struct Lane {
    std::map<EntryId, PublicKey> ready;
    // By address, since a partial key names everyone who has one; nobody can make two keys of one address.
    std::set<std::pair<Address, EntryId>> ready_of;
    std::set<ReaderId> readers;  // of any sender
    std::map<Address, std::set<ReaderId>> readers_of;
    [[nodiscard]] bool unused() const noexcept { return ready.empty() && readers.empty() && readers_of.empty(); }
  };
  using AllLanes = std::map<std::string, Lane, std::less<>>;

  static std::optional<EntryId> oldest_in(const Lane& lane, const std::optional<PublicKey>& sender);
  /// Forgets a lane that nothing is in; that of messages without a topic stays for the next one.
  void drop_if_unused(AllLanes::iterator lane);
  [[nodiscard]] std::optional<ReaderId> reader_for(const Lane& lane, const PublicKey& sender) const;
  /// Somebody who waits in this lane may want this message.
  void refresh(const std::string& topic, const Lane& lane, std::optional<EntryId> id);

  AllLanes lanes_;
  std::map<ReaderId, Selection> readers_;  // in the order of their coming
  std::map<EntryId, Key> fresh_;           // ready, and somebody who waits may want it
  std::uint64_t next_reader_ = 1;
};

}  // namespace axl::router
