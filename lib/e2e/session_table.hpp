// All sessions of a node, with their idle timers and a bound on their number.
//
// Keys cost nothing, so anyone can make sessions. When the table is full, the session that goes is the one longest
// unused of those that no Traffic has ever confirmed; only when all are confirmed, the one longest unused of all.
//
// Pure. Source: overlay links and sessions, sections 5.4 (idle timer) and 8.3.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "e2e/session.hpp"

namespace axl::e2e {

class SessionTable {
 public:
  struct Entry {
    PublicKey key;
    crypto::BoxPublicKey static_key;  ///< X25519 form of `key`, converted once
    Session session;
    Time created{};
    Time used{};
    bool confirmed = false;           ///< Traffic of the remote has opened
    std::uint64_t last_init_seq = 0;  ///< `seq` of the last Init sent because Traffic did not open
  };

  SessionTable(std::size_t max_sessions, Duration timeout) noexcept : max_sessions_{max_sessions}, timeout_{timeout} {}

  [[nodiscard]] Entry* find(const PublicKey& key);
  [[nodiscard]] const Entry* find(const PublicKey& key) const;
  /// Adds a session that is not there yet; may make another one go. The reference holds until that session goes.
  Entry& insert(const PublicKey& key, const crypto::BoxPublicKey& static_key, Session session, Time now);
  /// Restarts the idle timer.
  void touch(Entry& entry, Time now);
  void confirm(Entry& entry);
  bool erase(const PublicKey& key);

  /// Forgets what has been idle for the time-out or longer.
  void expire(Time now);
  [[nodiscard]] std::optional<Time> next_expiry() const;

  [[nodiscard]] std::size_t size() const noexcept { return by_key_.size(); }
  [[nodiscard]] std::vector<const Entry*> sorted() const;  ///< by key

 private:
  using List = std::list<Entry>;  // longest unused first

  List& list_of(const Entry& entry) noexcept { return entry.confirmed ? confirmed_ : unconfirmed_; }
  void erase_front(List& list);

  std::size_t max_sessions_;
  Duration timeout_;
  List unconfirmed_;
  List confirmed_;
  std::unordered_map<PublicKey, List::iterator> by_key_;
};

}  // namespace axl::e2e
