// The questions that wait for an answer from above: our own, and those of our children.
//
// An entry stays until its time is over, answered or not, which also bounds how many sessions a branch can have the
// tree remember: max_per_child, and max_all altogether. What finds no room is refused.
#pragma once

#include <axl/time.hpp>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "convergecast/codec.hpp"

namespace axl::convergecast {

class Asks {
 public:
  using Id = std::pair<PublicKey, Token>;  ///< who asked us (we ourselves, maybe), and its word for it
  struct Entry {
    Question question;
    Time until{};                  ///< forgotten then; nobody waits longer
    Time due{};                    ///< when the engine looks at it
    PublicKey sent_to;             ///< the parent whose answer we take
    std::optional<Nonce> session;  ///< we were the root: the one that answers it
    bool busy = false;             ///< ours, and refused so far: it is asked again
  };
  struct Limits {
    std::size_t own = 0;
    std::size_t per_child = 0;
    std::size_t all = 0;
  };

  Asks(const PublicKey& own, const Limits& limits) : own_{own}, limits_{limits} {}

  [[nodiscard]] Entry* find(const Id& id);
  /// Null when there is no room.
  [[nodiscard]] Entry* add(const Id& id, Question question, Time now);
  void set_due(const Id& id, Entry& entry, Time due);
  void erase(const Id& id);
  /// Who waits for this answer of `sender`.
  [[nodiscard]] std::vector<Id> waiting_for(const Token& token, const PublicKey& sender) const;
  [[nodiscard]] std::vector<Id> waiting_for(const Nonce& session) const;

  [[nodiscard]] std::optional<Time> next_due() const;
  /// The first entry that is due, if any.
  [[nodiscard]] std::optional<Id> due(Time now) const;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  PublicKey own_;
  Limits limits_;
  std::map<Id, Entry> entries_;
  std::map<PublicKey, std::size_t> counts_;
  std::set<std::pair<Time, Id>> due_;
};

}  // namespace axl::convergecast
