// The messages that peers have announced and that have not come: whom to ask, when to ask somebody else.
//
// Each message is asked of one announcer at a time. Who has not sent it within a heartbeat has broken its promise, and
// the next announcer is asked. Only so many are asked of one peer at once; the others wait for their turn and none is
// forgotten, up to a bound on those that a peer has announced. Beyond the bounds ids are not noted: honest peers
// announce them again with the next heartbeat.
//
// Names of the JSON form are kept under their alias.
#pragma once

#include <axl/time.hpp>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "pubsub/peers.hpp"

namespace axl::pubsub {

class Wants {
 public:
  struct Config {
    std::size_t most = 16'384;
    std::size_t most_per_peer = 2'048;
    std::size_t window = 64;
    std::size_t tries = 6;
    std::size_t announcers = 8;
    Duration patience{std::chrono::seconds{1}};
  };
  explicit Wants(const Config& config) noexcept : config_{config} {}

  /// False: there was no room to note it.
  bool on_announced(const MessageId& id, PeerSlot peer, const MessageName* name = nullptr);
  /// It has come, from whomever: who else has announced it.
  std::vector<PeerSlot> on_arrived(const MessageId& id);
  /// This peer's copy is no good.
  void on_bad_copy(const MessageId& id, PeerSlot peer);
  void on_peer_lost(PeerSlot peer);
  /// Gives up asking whoever let the time pass.
  void on_tick(Time now);
  [[nodiscard]] std::optional<Time> next_tick() const;

  /// What to ask this peer for now, at most `most`; counts as asked. It has so many times the patience.
  [[nodiscard]] std::vector<MessageId> take_asks(PeerSlot peer, std::size_t most, Time now, unsigned times = 1);
  [[nodiscard]] bool has_asks(PeerSlot peer) const;
  /// A peer that did not send what it was asked for. Call until empty.
  [[nodiscard]] std::optional<PeerSlot> poll_broken();
  /// A peer for which has_asks() may have become true. Call until empty.
  [[nodiscard]] std::optional<PeerSlot> poll_ready();
  [[nodiscard]] const MessageName* name(const MessageId& id) const;

  [[nodiscard]] std::size_t size() const noexcept { return wants_.size(); }
  [[nodiscard]] std::size_t announced_by(PeerSlot peer) const;

 private:
  struct Wanted {
    std::vector<PeerSlot> announcers;  // the one to ask next is first
    PeerSlot asked{};                  // zero: nobody at the moment
    Time until{};                      // set while asked
    std::size_t tries = 0;
    std::optional<MessageName> name;
  };
  struct Account {
    std::deque<MessageId> queue;  // to be asked for; some may have come meanwhile, or been asked of another
    std::size_t asked = 0;
    std::size_t announced = 0;  // wants that it is an announcer of
  };
  using Entry = std::map<MessageId, Wanted>::iterator;

  void drop_answered(std::deque<MessageId>& queue);
  void stop_asking(Entry entry);
  void remove_announcer(Entry entry, PeerSlot peer);
  void offer_next(Entry entry);
  void erase(Entry entry);
  void ready(PeerSlot peer) { ready_.insert(peer); }

  Config config_;
  std::map<MessageId, Wanted> wants_;
  std::map<PeerSlot, Account> accounts_;
  std::set<std::pair<Time, MessageId>> deadlines_;
  std::vector<PeerSlot> broken_;
  std::set<PeerSlot> ready_;
};

}  // namespace axl::pubsub
