// Messages that are kept until their peer is there.
//
// A message that asks for it is tried again and again, always under the same id, until the peer has it, has refused it
// for good, or its time is up. Messages to one peer go in the order of their coming: only the oldest is tried until the
// peer takes it, then several at once. A peer without receipts gets a message once: what may have reached it is never
// repeated.
// Nothing survives the node: who needs that keeps the message until the outbox says `delivered`.
//
// Bounded in messages and bytes; a full outbox refuses. What became of the last ones is remembered for those who ask.
//
// Source: bridge, section 9, row 13.
#pragma once

#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/outgoing.hpp"
#include "core/scheduler.hpp"

namespace axl::bridge {

class Outbox {
 public:
  struct Limits {
    std::size_t messages = 1'000;
    std::size_t bytes = 64UL * 1024 * 1024;
    std::size_t outcomes = 1'000;  ///< remembered, the oldest goes first
  };
  /// One attempt; `done` is called once, never inside this call. `may_have_arrived`: by an earlier attempt.
  using Send = std::function<void(const PublicKey& peer, MessageBody body, SendOptions options, bool may_have_arrived,
                                  SendHandler done)>;

  enum class State : std::uint8_t {
    waiting,      ///< for its turn, or for the next attempt
    sending,      ///< an attempt is under way
    delivered,    ///< the peer has it
    handed_over,  ///< to a peer that gives no receipts: perhaps delivered
    expired,      ///< its time was up
    refused,      ///< the peer, or this node, will never take it
    given_up,     ///< by its owner
  };
  struct Item {
    std::string id;
    PublicKey peer;
    std::size_t bytes = 0;
    Time queued{};
    Time expires{};
    int attempts = 0;
    State state = State::waiting;
    std::string last_error;
  };

  /// `is_old`: that peer gives no receipts.
  Outbox(Limits limits, Scheduler& scheduler, Send send, std::function<bool(const PublicKey&)> is_old);
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox();  ///< drops what waits; calls no handler

  /// Takes a message with an id. `done`, if given, hears how it ends, never inside this call. Errors: limit_reached;
  /// too_large when it would never fit; already_exists when that id waits for that peer with another body (with the same
  /// body it is taken once).
  [[nodiscard]] Result<void> add(const PublicKey& peer, Duration keep, MessageBody body, SendOptions options,
                                 SendHandler done);
  /// Begins no attempt any more.
  void stop();
  /// False: no message with that id waits. An attempt under way may still reach the peer.
  bool give_up(std::string_view id);

  /// Those that wait, oldest first.
  [[nodiscard]] std::vector<Item> waiting() const;
  /// One that waits, or its outcome; the newest of several.
  [[nodiscard]] std::optional<Item> find(std::string_view id) const;
  [[nodiscard]] std::size_t messages() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  using Number = std::uint64_t;  // in the order of coming
  struct Entry {
    Item item;
    MessageBody body;
    SendOptions options;
    SendHandler done;
    bool may_have_arrived = false;
  };
  using Entries = std::map<Number, Entry>;
  struct Peer {
    std::set<Number> entries;
    std::size_t sending = 0;
    std::size_t at_once = 1;
    Time next_attempt{};
    Duration pause{};
  };

  void run(const PublicKey& key);
  void attempt(Entries::iterator entry);
  void on_result(Number number, Result<SendReport> result);
  void end(Entries::iterator entry, State state, Result<SendReport> result);
  void on_timer();
  void arm();

  Limits limits_;
  Scheduler& scheduler_;
  Send send_;
  std::function<bool(const PublicKey&)> is_old_;
  Entries entries_;
  std::map<PublicKey, Peer> peers_;  // those with entries
  std::multimap<std::string, Number, std::less<>> by_id_;
  std::deque<Item> outcomes_;  // oldest first
  std::size_t bytes_ = 0;
  Number next_ = 1;
  bool stopped_ = false;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

[[nodiscard]] std::string_view to_string(Outbox::State state) noexcept;

}  // namespace axl::bridge
