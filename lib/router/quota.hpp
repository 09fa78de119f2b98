// Shares a bounded amount of something (messages, bytes, connections) among peers.
//
// One peer gets at most a quarter. Keys are free, so quotas per key do not stop a crowd: once any peer is favoured
// (named by the configuration), all others together get at most half.
#pragma once

#include <axl/key.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace axl::router {

enum class Refusal : std::uint8_t {
  full,        ///< the whole, or the part that strangers may use, is taken
  peer_share,  ///< this peer has its quarter
};

class Quota {
 public:
  /// `slack` comes on top of a peer's quarter; it lets one item of exactly a quarter carry its own overhead.
  explicit Quota(std::size_t total, std::size_t slack = 0) noexcept;

  void favour(const PublicKey& peer);
  [[nodiscard]] bool favoured(const PublicKey& peer) const { return favoured_.contains(peer); }

  [[nodiscard]] std::optional<Refusal> would_refuse(const PublicKey& peer, std::size_t amount) const;
  /// Takes `amount` for `peer` unless would_refuse() says otherwise.
  [[nodiscard]] std::optional<Refusal> take(const PublicKey& peer, std::size_t amount);
  /// Takes it whatever the limits say.
  void force(const PublicKey& peer, std::size_t amount);
  void give_back(const PublicKey& peer, std::size_t amount);

  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  [[nodiscard]] std::size_t used_by(const PublicKey& peer) const;

 private:
  std::size_t total_;
  std::size_t peer_limit_;
  std::size_t used_ = 0;
  std::size_t used_by_strangers_ = 0;
  std::unordered_map<PublicKey, std::size_t> by_peer_;  // only peers that hold something
  std::unordered_set<PublicKey> favoured_;              // as many as the configuration names
};

}  // namespace axl::router
