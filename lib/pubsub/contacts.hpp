// Peers that could be connected to, and which of them to ask for next.
//
// The caller names them (links, tree, configuration); peers in a topic name others in a PRUNE. Those are hearsay: few
// are kept, and they come after what the caller named. Who cannot be reached, or goes away, is left alone for a time
// that doubles. A peer that was connected and whose connection broke is tried again even when there are enough: after
// a partition each side would be content with its own otherwise.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <map>
#include <span>
#include <vector>

namespace axl::pubsub {

class Contacts {
 public:
  static constexpr Duration kFirstPause{std::chrono::seconds{1}};
  static constexpr Duration kLongestPause{std::chrono::seconds{60}};
  static constexpr Duration kStrangersPause{std::chrono::minutes{10}};  ///< longest, for who was never connected
  static constexpr Duration kPatience{std::chrono::seconds{60}};  ///< for an answer to a choice

  Contacts(std::size_t most, std::size_t most_offered, Rng& rng) noexcept
      : most_{most}, most_offered_{most_offered}, rng_{rng} {}

  /// Of those that the caller names, these and no others; beyond the bound they are left out. What is known of the old
  /// ones stays.
  void set(std::span<const PublicKey> candidates);
  /// A peer says that this one is in a topic of ours.
  void offer(const PublicKey& key);

  void on_connected(const PublicKey& key);
  void on_lost(const PublicKey& key, Time now);
  void on_failed(const PublicKey& key, Time now);

  /// At most so many that may be tried now, in a random order; they count as being tried from now on.
  [[nodiscard]] std::vector<PublicKey> choose_some(std::size_t count, Time now);
  /// The same of those whose connection broke.
  [[nodiscard]] std::vector<PublicKey> choose_lost(std::size_t count, Time now);
  [[nodiscard]] std::size_t trying(Time now) const;
  [[nodiscard]] std::size_t size() const noexcept { return contacts_.size(); }

 private:
  enum class State : std::uint8_t { idle, trying, connected };
  struct Contact {
    bool named = false;    // by the caller
    bool offered = false;  // known from a peer first
    bool lost = false;     // was connected, and broke
    bool met = false;      // has been connected once
    State state = State::idle;
    unsigned failures = 0;
    Time not_before = Time::min();
    Time until{};  // set while trying
  };
  void pause(Contact& contact, Time now);
  void try_now(const std::vector<PublicKey>& keys, Time now);

  std::size_t most_;
  std::size_t most_offered_;
  Rng& rng_;
  std::map<PublicKey, Contact> contacts_;
};

}  // namespace axl::pubsub
