// Which full key stands behind an address or subnet.
//
// Learnt from paths found and from packets received; an entry lives two minutes after it was last heard of. A pinned
// key has its address to itself: packets for that address go to this key or nowhere.
//
// Pure. Source: overlay links and sessions, section 6.3.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <list>
#include <optional>
#include <unordered_map>

namespace axl::e2e {

/// A subnet as an address: its 8 bytes, then zeros.
[[nodiscard]] Address address_of(const Subnet& subnet) noexcept;

class KeyStore {
 public:
  KeyStore(std::size_t max_keys, Duration timeout) noexcept : max_keys_{max_keys}, timeout_{timeout} {}

  /// Adds `key`, or restarts its two minutes. True when an address or subnet leads to it that did not before.
  bool update(const PublicKey& key, Time now);
  /// The same, and its address is this key's from now on.
  void pin(const PublicKey& key, Time now);

  /// Exactly this address.
  [[nodiscard]] std::optional<PublicKey> find(const Address& address) const;
  /// An address of 200::/8, or one within a subnet of 300::/8.
  [[nodiscard]] std::optional<PublicKey> find_route(const Address& dest) const;
  /// The other key to which the address of `key` is pinned.
  [[nodiscard]] std::optional<PublicKey> pinned_instead_of(const PublicKey& key) const;

  void expire(Time now);
  [[nodiscard]] std::optional<Time> next_expiry() const;
  [[nodiscard]] std::size_t size() const noexcept { return by_key_.size(); }

 private:
  struct Entry {
    PublicKey key;
    Address address;
    Address subnet;
    Time used{};
    bool pinned = false;
    bool has_address = false;  // by_address_ leads here
    bool has_subnet = false;
  };
  using List = std::list<Entry>;  // longest unheard of first

  List::iterator entry_of(const PublicKey& key, Time now);
  bool index(List::iterator entry);
  void erase_front();

  std::size_t max_keys_;
  Duration timeout_;
  List entries_;
  std::unordered_map<PublicKey, List::iterator> by_key_;
  std::unordered_map<Address, List::iterator> by_address_;  // subnets too
};

}  // namespace axl::e2e
