#include "router/seen_ids.hpp"

#include <sodium.h>

#include <cstring>
#include <utility>

namespace axl::router {

static_assert(crypto_shorthash_siphashx24_BYTES == 16 && crypto_shorthash_siphashx24_KEYBYTES == 16);

namespace {

template <class Hash>
Hash siphash(ByteSpan bytes, const Hash& key) {
  Hash out{};
  crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(out.data()),
                              reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                              reinterpret_cast<const unsigned char*>(key.data()));
  return out;
}

}  // namespace

SeenIds::SeenIds(Rng& rng, std::size_t max_ids) : digest_{rng}, max_ids_{max_ids} { rng.fill(secret_); }

std::size_t SeenIds::HashOfHash::operator()(const Hash& hash) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, hash.data(), sizeof value);
  return value;
}

// SipHash-128 of the id under a key that is SipHash-128 of the sender: no need to join the two in memory.
SeenIds::Name SeenIds::name_of(const PublicKey& sender, std::string_view id) {
  const bool known = last_ && last_->key == sender;
  if (known && last_id_ == id) return last_name_;
  if (!known) last_ = Sender{sender, siphash(sender.bytes(), secret_)};
  last_id_ = id;
  last_name_ = siphash(as_bytes(id), last_->secret);
  return last_name_;
}

SeenIds::Seen SeenIds::look_up(const PublicKey& sender, std::string_view id, ByteSpan body, Time now,
                               const BodyDigest::Digest* digest) {
  forget_expired(now);
  const auto found = index_.find(name_of(sender, id));
  if (found == index_.end()) return Seen::no;
  const auto& seen = found->second->body;
  return seen == (digest != nullptr ? *digest : digest_(body)) ? Seen::same_body : Seen::other_body;
}

bool SeenIds::knows(const PublicKey& sender, std::string_view id, Time now) {
  forget_expired(now);
  return index_.contains(name_of(sender, id));
}

void SeenIds::remember(const PublicKey& sender, const Name& name, ByteSpan body, Time now,
                       const BodyDigest::Digest* digest) {
  forget_expired(now);
  if (index_.contains(name)) return;
  const bool stranger = !favoured_.contains(sender);
  if (index_.size() >= max_ids_) {
    // With this one, strangers would hold more than half: it takes the place of one of theirs.
    const bool over_half = of_strangers_.size() + (stranger ? 1 : 0) > max_ids_ / 2;
    const bool of_strangers =
        of_favoured_.empty() ||
        (!of_strangers_.empty() && (over_half || of_strangers_.front().queued <= of_favoured_.front().queued));
    auto& victims = of_strangers ? of_strangers_ : of_favoured_;
    if (!victims.empty()) erase(victims, victims.begin());
  }
  auto& entries = stranger ? of_strangers_ : of_favoured_;
  entries.push_back({.name = name, .body = digest != nullptr ? *digest : digest_(body), .queued = now});
  index_.emplace(name, std::prev(entries.end()));
}

void SeenIds::forget_expired(Time now) {
  for (auto* entries : {&of_favoured_, &of_strangers_}) {
    while (!entries->empty() && entries->front().queued + kKeep <= now) erase(*entries, entries->begin());
  }
}

void SeenIds::erase(Entries& entries, Entries::iterator entry) {
  index_.erase(entry->name);
  entries.erase(entry);
}

}  // namespace axl::router
