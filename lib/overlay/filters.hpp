// The filters exchanged with neighbours: what each can reach through us, and we through it.
//
// Along the tree (parent and children) every node tells each neighbour which keys lie on its own side; lookups follow
// the filters that match. New bits are sent on the tick that finds them, bits that went one tick later, so that a
// change that passes through does not flap.
//
// Source: overlay routing, sections 10.3 to 10.5. Pure; iterates in key order.
#pragma once

#include <axl/key.hpp>
#include <functional>
#include <map>
#include <vector>

#include "overlay/bloom.hpp"
#include "overlay/config.hpp"
#include "wire/frames.hpp"

namespace axl::overlay {

class Filters {
 public:
  Filters(const Config& config, const PublicKey& own_key);

  void add(const PublicKey& neighbour);
  void remove(const PublicKey& neighbour);

  /// What happened on one tick, each in key order.
  struct TickResult {
    std::vector<PublicKey> send;    ///< whose filter must go out on all its links
    std::vector<PublicKey> joined;  ///< neighbours that have come onto the tree
  };
  /// `on_tree` says whether a neighbour is our parent or child now. `regular` ticks count towards the forced resend.
  TickResult tick(const std::function<bool(const PublicKey&)>& on_tree, bool regular);

  enum class Change : std::uint8_t { none, bits_removed, bits_added };
  /// A neighbour's filter came. It counts only while that neighbour is on the tree. `previous` gets the one before it.
  Change received(const PublicKey& neighbour, const wire::BloomFilter& filter, wire::BloomFilter& previous);

  /// As of the last tick.
  [[nodiscard]] bool on_tree(const PublicKey& neighbour) const;
  /// The filter last sent; empty at first.
  [[nodiscard]] const wire::BloomFilter& sent(const PublicKey& neighbour) const;
  /// The filter last received; empty at first.
  [[nodiscard]] const wire::BloomFilter& known(const PublicKey& neighbour) const;
  [[nodiscard]] bool dirty(const PublicKey& neighbour) const;
  /// The share of bits that are set in the fullest filter that lookups follow, 0 to 1. Eight bits of a key: at one half
  /// every 256th lookup for a stranger's key goes that way in vain, near 1 all of them do.
  [[nodiscard]] double fill() const noexcept;
  /// On-tree neighbours that a lookup for `target` goes to when it came from `from` (null: from this node).
  [[nodiscard]] std::vector<PublicKey> targets(const BloomBits& target, const PublicKey* from) const;

 private:
  struct Entry {
    wire::BloomFilter send;
    wire::BloomFilter recv;
    std::uint32_t ticks = 0;
    bool on_tree = false;
    bool dirty = false;  // the filter sent holds bits that are no longer true
  };
  const Entry& entry(const PublicKey& neighbour) const;
  void update_all(TickResult& result);
  void update(const PublicKey& key, Entry& entry, const wire::BloomFilter& exact, TickResult& result);

  bool keep_dirty_;
  std::uint32_t resend_;
  wire::BloomFilter own_;
  std::map<PublicKey, Entry> entries_;
  bool work_ = true;  // something may have changed since the last tick
};

}  // namespace axl::overlay
