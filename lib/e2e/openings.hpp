// The sessions that we are trying to open: the keys announced in our Init, and when it is due again.
//
// Pure. Source: overlay links and sessions, section 5.3 (there the buffer), without the packets (WaitingRoom).
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>

#include "e2e/session.hpp"

namespace axl::e2e {

struct Opening {
  PublicKey key;
  crypto::BoxPublicKey static_key;  ///< X25519 form of `key`
  AnnouncedKeys announced;          ///< `current` has number 0
  std::uint64_t seq = 0;            ///< of the Init
  Time wanted{};                    ///< when something last asked for this session
  Time due{};                       ///< when the next step for it is due
  bool path_found_since = false;    ///< a path came after the last Init
};

class Openings {
 public:
  [[nodiscard]] Opening* find(const PublicKey& key);
  [[nodiscard]] const Opening* find(const PublicKey& key) const;
  Opening& insert(Opening opening);
  bool erase(const PublicKey& key);

  /// Sets `due`, which must not lie before that of any other: every opening is due the same time after its last step.
  void rearm(Opening& opening, Time due);
  /// The one due first; null when there is none.
  [[nodiscard]] Opening* first();
  [[nodiscard]] std::optional<Time> next_due() const;
  [[nodiscard]] std::size_t size() const noexcept { return by_key_.size(); }

 private:
  using List = std::list<Opening>;  // first due first

  List list_;
  std::unordered_map<PublicKey, List::iterator> by_key_;
};

}  // namespace axl::e2e
