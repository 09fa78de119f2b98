// Shares a bounded amount of something (messages, bytes, connections) among peers.
//
// One peer gets at most a quarter. Keys are free, so quotas per key do not stop a crowd: once any peer is favoured
// (named by the configuration), all others together get at most half.
#pragma once

#include <axl/key.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

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
  [[nodiscard]] bool favoured(const PublicKey& peer) const;

  [[nodiscard]] std::optional<Refusal> would_refuse(const PublicKey& peer, std::size_t amount) const;
  /// Takes `amount` for `peer` unless would_refuse() says otherwise.
  [[nodiscard]] std::optional<Refusal> take(const PublicKey& peer, std::size_t amount);
  /// Takes it whatever the limits say.
  void force(const PublicKey& peer, std::size_t amount);
  void give_back(const PublicKey& peer, std::size_t amount);

  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  [[nodiscard]] std::size_t used_by(const PublicKey& peer) const;

 private:
  struct Account {
    std::size_t used = 0;
    bool favoured = false;
  };
  [[nodiscard]] std::optional<Refusal> would_refuse(const Account& account, std::size_t amount) const;
  void add(Account& account, std::size_t amount);

  std::size_t total_;
  std::size_t peer_limit_;
  std::size_t used_ = 0;
  std::size_t used_by_strangers_ = 0;
  // Of peers that hold something, and of the favoured ones. In order, not hashed: keys that are chosen to meet in one
  // place find none here, and a handful of peers is compared sooner than one key is hashed.
  std::map<PublicKey, Account> accounts_;
  std::size_t favoured_ = 0;
  std::optional<PublicKey> emptied_;  // its account stays while it holds nothing: the next item mostly is its own
};

}  // namespace axl::router
