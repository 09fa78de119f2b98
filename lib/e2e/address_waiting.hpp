// Packets for an address behind which no key is known yet. Each address or subnet is looked up by its partial key,
// again every second, until a key that fits turns up or the packets have waited too long.
//
// Pure. Source: overlay links and sessions, section 6.3 (one packet for each there, looked up once).
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <list>
#include <optional>
#include <unordered_map>

#include "core/buffer.hpp"
#include "e2e/config.hpp"
#include "e2e/waiting_room.hpp"

namespace axl::e2e {

/// What a lookup for this destination asks for: the subnet's partial key within 300::/8, else the address's.
[[nodiscard]] PublicKey partial_key_for(const Address& dest) noexcept;

class AddressWaiting {
 public:
  explicit AddressWaiting(const Config& config) noexcept;

  enum class Added : std::uint8_t { waits, waits_first, no_room };  ///< `waits_first`: a lookup is due now
  /// `packet` is taken unless there is no room.
  [[nodiscard]] Added add(const PublicKey& target, Buffer&& packet, Time now);
  /// The oldest packet for `target`; when it was the last, nothing is looked up any more.
  [[nodiscard]] std::optional<Buffer> take(const PublicKey& target);

  struct Step {
    PublicKey target;
    std::size_t given_up = 0;  ///< packets
    bool lookup = false;
  };
  /// What is due now, one at a time until empty.
  [[nodiscard]] std::optional<Step> next_step(Time now);
  [[nodiscard]] std::optional<Time> next_due() const;

 private:
  struct Target {
    PublicKey key;
    Time due{};
  };
  using List = std::list<Target>;  // first due first

  void erase(const PublicKey& target);

  bool keep_all_;
  Duration interval_;
  Duration timeout_;
  WaitingRoom packets_;
  List targets_;
  std::unordered_map<PublicKey, List::iterator> by_key_;
};

}  // namespace axl::e2e
