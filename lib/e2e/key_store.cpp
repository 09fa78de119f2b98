#include "e2e/key_store.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace axl::e2e {

namespace {

constexpr std::byte kSubnetPrefix{0x03};

Address subnet_around(const Address& address) noexcept {
  return address_of(Subnet{address.bytes().first<Subnet::kSize>()});
}

}  // namespace

Address address_of(const Subnet& subnet) noexcept {
  std::array<std::byte, Address::kSize> bytes{};
  std::ranges::copy(subnet.bytes(), bytes.begin());
  return Address{bytes};
}

KeyStore::List::iterator KeyStore::entry_of(const PublicKey& key, Time now) {
  if (!entries_.empty() && entries_.back().key == key) {  // packets of one key come in rows
    entries_.back().used = now;
    return std::prev(entries_.end());
  }
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (entries_.size() >= max_keys_ && !entries_.empty()) erase_front();
    const auto added = entries_.insert(
        entries_.end(), Entry{.key = key, .address = Address::of(key), .subnet = address_of(Subnet::of(key))});
    found = by_key_.emplace(key, added).first;
  } else {
    entries_.splice(entries_.end(), entries_, found->second);
  }
  found->second->used = now;
  return found->second;
}

// Two keys with one address: the first has it as long as it lives.
bool KeyStore::index(List::iterator entry) {
  const bool has_address = entry->has_address;
  const bool has_subnet = entry->has_subnet;
  if (!has_address) entry->has_address = by_address_.try_emplace(entry->address, entry).second;
  if (!has_subnet) entry->has_subnet = by_address_.try_emplace(entry->subnet, entry).second;
  return entry->has_address != has_address || entry->has_subnet != has_subnet;
}

bool KeyStore::update(const PublicKey& key, Time now) { return index(entry_of(key, now)); }

void KeyStore::pin(const PublicKey& key, Time now) {
  const auto entry = entry_of(key, now);
  index(entry);
  entry->pinned = true;
  if (entry->has_address) return;
  const auto rival = by_address_.find(entry->address);
  if (rival->second->pinned) return;
  rival->second->has_address = false;
  rival->second = entry;
  entry->has_address = true;
}

std::optional<PublicKey> KeyStore::find(const Address& address) const {
  const auto found = by_address_.find(address);
  // A subnet's first address is in the table too and is nobody's own.
  if (found == by_address_.end() || found->second->address != address) return {};
  return found->second->key;
}

std::optional<PublicKey> KeyStore::find_route(const Address& dest) const {
  const auto found = by_address_.find(dest.bytes()[0] == kSubnetPrefix ? subnet_around(dest) : dest);
  if (found == by_address_.end()) return {};
  return found->second->key;
}

std::optional<PublicKey> KeyStore::pinned_instead_of(const PublicKey& key) const {
  const auto found = by_address_.find(Address::of(key));
  if (found == by_address_.end() || !found->second->pinned || found->second->key == key) return {};
  return found->second->key;
}

void KeyStore::erase_front() {
  const auto entry = entries_.begin();
  if (entry->has_address) by_address_.erase(entry->address);
  if (entry->has_subnet) by_address_.erase(entry->subnet);
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

void KeyStore::expire(Time now) {
  while (!entries_.empty() && now - entries_.front().used >= timeout_) erase_front();
}

std::optional<Time> KeyStore::next_expiry() const {
  if (entries_.empty()) return {};
  return entries_.front().used + timeout_;
}

}  // namespace axl::e2e
