// Remembers which message ids of which sender were queued, so that sending one again is safe: the same body is
// acknowledged again and queued once, another body under the same id is a conflict.
//
// Ids are scoped by the sender's key and remembered for ten minutes, at most 65 536 of them. When there is no room the
// oldest goes; as long as favoured peers exist and strangers hold more than half, the oldest of the strangers.
//
// Source: bridge, section 8.4.
#pragma once

#include <array>
#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "router/body_digest.hpp"

namespace axl::router {

class SeenIds {
 public:
  static constexpr std::size_t kMaxIds = 65'536;
  static constexpr Duration kKeep{std::chrono::minutes{10}};

  enum class Seen : std::uint8_t { no, same_body, other_body };

  /// Ids are kept as hashes under a secret drawn from `rng`, so nobody can prepare two that collide.
  explicit SeenIds(Rng& rng, std::size_t max_ids = kMaxIds);

  void favour(const PublicKey& sender) { favoured_.insert(sender); }

  /// `digest`, here and below: of that body, by digest(), where it is known already.
  [[nodiscard]] Seen look_up(const PublicKey& sender, std::string_view id, ByteSpan body, Time now,
                             const BodyDigest::Digest* digest = nullptr);
  /// The id is remembered, whatever its body.
  [[nodiscard]] bool knows(const PublicKey& sender, std::string_view id, Time now);
  /// Remembers an id that look_up() called new.
  void remember(const PublicKey& sender, std::string_view id, ByteSpan body, Time now) {
    remember(sender, name_of(sender, id), body, now);
  }

  /// Stands for the id, where the text goes its own way meanwhile.
  using Name = std::array<std::byte, 16>;
  [[nodiscard]] Name name_of(const PublicKey& sender, std::string_view id);
  void remember(const PublicKey& sender, const Name& name, ByteSpan body, Time now,
                const BodyDigest::Digest* digest = nullptr);
  [[nodiscard]] const BodyDigest& digest() const noexcept { return digest_; }

  [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }

 private:
  using Hash = Name;
  struct HashOfHash {  // the key is secret, so any bytes of it will do
    std::size_t operator()(const Hash& hash) const noexcept;
  };
  struct Entry {
    Hash name{};  // of sender and id
    BodyDigest::Digest body{};
    Time queued{};
  };
  using Entries = std::list<Entry>;  // oldest first

  void forget_expired(Time now);
  void erase(Entries& entries, Entries::iterator entry);

  Hash secret_{};  // for names
  BodyDigest digest_;
  struct Sender {
    PublicKey key;
    Hash secret{};
  };
  std::optional<Sender> last_;  // whose ids came last: mostly more of them come
  std::string last_id_;         // and which; one message asks several times
  Hash last_name_{};
  std::size_t max_ids_;
  Entries of_favoured_;
  Entries of_strangers_;
  std::unordered_map<Hash, Entries::iterator, HashOfHash> index_;
  std::set<PublicKey> favoured_;
};

}  // namespace axl::router
