// The announcements a node knows, and what follows from them: chains to the root, depth, coordinates.
//
// Every entry says who a node's parent is; following parents gives its ancestry. Entries live for a fixed time and then
// go, so the table also knows which one is due next.
//
// Source: overlay routing, sections 8.2, 8.4 and 9.1.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "wire/frames.hpp"

namespace axl::overlay {

/// len(a) + len(b) - 2 * (length of the common prefix).
[[nodiscard]] std::uint64_t tree_distance(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) noexcept;

/// Whether `incoming` replaces `stored`, which is about the same key. Must be the same on all nodes.
[[nodiscard]] bool supersedes(const wire::Announce& incoming, const wire::Announce& stored) noexcept;

/// A set of neighbours by index; small and dense, since an index is the lowest number not in use.
class IndexSet {
 public:
  void add(std::size_t index);
  void remove(std::size_t index) noexcept;
  [[nodiscard]] bool has(std::size_t index) const noexcept;
  void clear() noexcept { words_.clear(); }

 private:
  std::vector<std::uint64_t> words_;
};

class Infos {
 public:
  struct Entry {
    wire::Announce announce;
    Time due;                        // when it expires; for our own: when it must be renewed
    IndexSet holders;                // neighbours known to hold exactly this announcement
    PublicKey via;                   // who introduced the key
    mutable std::uint64_t mark = 0;  // last walk that visited it
  };

  /// Where a key stands in the tree of what is known. `root` and `depth` follow the chain as far as it goes; `coords`
  /// are empty unless it ends at a node that is its own parent.
  struct Position {
    bool known = false;
    PublicKey root;
    std::uint64_t depth = 0;
    wire::Path coords;
    bool through_us = false;  ///< the chain passes `watched`
  };

  [[nodiscard]] Entry* find(const PublicKey& key);
  [[nodiscard]] const Entry* find(const PublicKey& key) const;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] const std::map<PublicKey, Entry>& entries() const noexcept { return entries_; }

  /// Stores or replaces. A new entry counts as introduced by `via`; nobody is known to hold it.
  Entry& store(const wire::Announce& announce, Time due, const PublicKey& via);
  void erase(const PublicKey& key);
  /// Forgets that the neighbour with this index holds anything.
  void forget_holder(std::size_t index) noexcept;
  [[nodiscard]] std::size_t introduced_by(const PublicKey& neighbour) const;

  /// From `key` towards its root: every entry once, until a parent is unknown or seen before.
  [[nodiscard]] std::vector<const PublicKey*> chain(const PublicKey& key) const;
  [[nodiscard]] Position position(const PublicKey& key, const PublicKey& watched) const;

  /// The entry that is due first, of all or of those with this introducer, that is in no chain of `keep`.
  [[nodiscard]] std::optional<PublicKey> oldest_outside(std::span<const PublicKey> keep, const PublicKey* via) const;

  /// When the first entry is due, and its key.
  [[nodiscard]] std::optional<std::pair<Time, PublicKey>> next_due() const;
  /// Puts off what is due now and has been noted: nothing more is due for this entry.
  void clear_due(const PublicKey& key);

  /// Changes whenever an entry does: what was computed from the table before is stale.
  [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
  /// Changes when a key, a parent or a port does: positions computed before are stale. Most announcements only renew
  /// what they said before.
  [[nodiscard]] std::uint64_t shape() const noexcept { return shape_; }

 private:
  template <class Visit>
  const PublicKey* walk(const PublicKey& key, Visit visit) const;

  std::map<PublicKey, Entry> entries_;
  std::set<std::pair<Time, PublicKey>> due_;
  std::map<PublicKey, std::size_t> introduced_;
  std::uint64_t version_ = 1;
  std::uint64_t shape_ = 1;
  mutable std::uint64_t walks_ = 0;
};

}  // namespace axl::overlay
