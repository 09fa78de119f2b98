// Keys of the Inits that answered Traffic without a session, kept for the Ack that may come.
//
// The reference forgets them; the session that it builds from the Ack then has other keys than the sender of that
// Traffic knows, and both wait for the next second of the clock to try again. With the same keys it works at once.
// Anyone may forge such Traffic, so the oldest go when there are too many, and all go after a few seconds.
//
// Pure. Source: overlay links and sessions, section 5.4 ("Traffic received, no session").
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <list>
#include <optional>
#include <unordered_map>

#include "e2e/session.hpp"

namespace axl::e2e {

class StrayedInits {
 public:
  StrayedInits(std::size_t max_kept, Duration timeout) noexcept : max_kept_{max_kept}, timeout_{timeout} {}

  /// Replaces what was kept for this key.
  void put(const PublicKey& key, const AnnouncedKeys& announced, Time now);
  /// What was kept for this key, and is not any more.
  [[nodiscard]] std::optional<AnnouncedKeys> take(const PublicKey& key);

  void expire(Time now);
  [[nodiscard]] std::optional<Time> next_expiry() const;
  [[nodiscard]] std::size_t size() const noexcept { return by_key_.size(); }

 private:
  struct Entry {
    PublicKey key;
    AnnouncedKeys announced;
    Time at{};
  };
  using List = std::list<Entry>;  // oldest first

  void erase(List::iterator entry);

  std::size_t max_kept_;
  Duration timeout_;
  List entries_;
  std::unordered_map<PublicKey, List::iterator> by_key_;
};

}  // namespace axl::e2e
