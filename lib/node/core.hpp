// The engines of one node and what flows between them: frames from links up to TCP, packets from TCP down to links.
//
// One turn of the loop ends in turn(): every engine's outputs are carried to where they go until none is left. On the
// way down (TCP has a packet) carrying happens at once, so that a full link is felt by the writer; on the way up
// packets wait until TCP is not in the middle of something.
#pragma once

#include <asio/io_context.hpp>
#include <deque>
#include <axl/statistics.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "core/logger.hpp"
#include "core/ring.hpp"
#include "crypto/hash.hpp"
#include "e2e/engine.hpp"
#include "net/advances.hpp"
#include "net/timer.hpp"
#include "node/room_tidier.hpp"
#include "overlay/engine.hpp"
#include "tcpip/stack.hpp"

namespace axl::node {

class TurningExecutor;

/// What the engines need of the links, which stand beside them.
class LinkSender {
 public:
  /// Hands a message to its link; links that have gone meanwhile swallow it.
  virtual void send(overlay::Engine::SendFrame frame) = 0;
  /// This link's queue holds so much that packets of our own had better wait.
  [[nodiscard]] virtual bool is_full(overlay::LinkId link) const = 0;
  virtual void on_proven(overlay::LinkId link) = 0;
  /// Closes links that an engine or the network has given up; called at the end of each turn.
  virtual void close_failed() = 0;

 protected:
  ~LinkSender() = default;
};

class Core final : private tcpip::StackHost {
 public:
  struct Config {
    overlay::Engine::Config overlay;
    e2e::Engine::Config e2e;
    tcpip::Stack::Config tcp;
  };
  using KeyHandler = std::function<void(const PublicKey&)>;
  using PingHandler = std::function<void(const e2e::Engine::PingDone&)>;

  Core(const Config& config, const PrivateKey& key, asio::io_context& context, TurningExecutor& executor, Logger logger);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  void set_links(LinkSender* links) noexcept { links_ = links; }
  void set_session_up_handler(KeyHandler handler) { session_up_ = std::move(handler); }
  void set_path_found_handler(KeyHandler handler) { path_found_ = std::move(handler); }
  /// `handler` is called at the end of a turn when the node's place in the tree may have changed; it only looks.
  void set_place_handler(std::function<void()> handler) { place_changed_ = std::move(handler); }
  void set_ping_done_handler(PingHandler handler) { ping_done_ = std::move(handler); }

  [[nodiscard]] Time now() const;
  [[nodiscard]] overlay::Engine& overlay() noexcept { return overlay_; }
  [[nodiscard]] e2e::Engine& e2e() noexcept { return e2e_; }
  [[nodiscard]] tcpip::Stack& tcp() noexcept { return *tcp_; }
  [[nodiscard]] Rng& rng() noexcept { return rng_; }
  [[nodiscard]] const net::SteadyClock& clock() const noexcept { return clock_; }
  [[nodiscard]] net::Advances& advances() noexcept { return advances_; }

  /// Carries everything that waits, then arms the timer. To be called after whatever touched an engine.
  void turn();
  /// The same at the end of this turn of the loop, once however often it is asked for.
  void turn_soon();
  /// turn() now, and then, at the end of what runs, all that it put off.
  void turn_and_visit();
  /// The caller will call turn() when it is done with what it does now: turn_soon() is for nothing until then.
  void turn_follows() noexcept { turn_follows_ = true; }
  /// Destroys the object once nothing of it can be on the call stack.
  void retire(std::shared_ptr<void> object);
  /// A link's queue has shrunk.
  void on_link_room();
  /// Fills in what the engines know.
  void count(Statistics& out) const;
  /// Nothing moves after this.
  void stop();

 private:
  bool send_packet(const PublicKey& dest, Buffer& packet) override;
  void open_session(const PublicKey& key) override;
  [[nodiscard]] bool session_is_up(const PublicKey& key) override;
  void on_work() override { turn_soon(); }

  [[nodiscard]] bool step();
  void carry();
  void take(overlay::Engine::Output output);
  void take(e2e::Engine::Output output);
  void answer_keys(const e2e::Engine::KeysWanted& wanted);
  void arm_timer();
  void on_timer();

  TurningExecutor& executor_;
  Logger logger_;
  PublicKey own_key_;
  net::Advances& advances_;
  crypto::SystemRng rng_;
  net::SteadyClock clock_;
  overlay::Engine overlay_;
  e2e::Engine e2e_;
  std::optional<tcpip::Stack> tcp_;
  net::Timer timer_;
  RoomTidier rooms_;
  LinkSender* links_ = nullptr;
  KeyHandler session_up_;
  KeyHandler path_found_;
  std::function<void()> place_changed_;
  std::uint64_t place_version_ = 0;
  PingHandler ping_done_;

  Ring<std::pair<PublicKey, Buffer>> inbound_;  // decrypted packets on their way to TCP
  std::deque<PublicKey> sessions_up_;                 // to be told to TCP
  std::deque<PublicKey> paths_found_;                 // to be told to whoever looks for an address
  std::deque<std::pair<PublicKey, Error>> failed_;    // connects that TCP must give up
  std::deque<e2e::Engine::PingDone> pings_done_;      // to be told to who asked
  struct Carried {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };
  Carried received_;  // through sessions
  Carried sent_;
  std::uint64_t expired_ = 0;  // packets that no session came up for
  bool carrying_ = false;
  bool in_turn_ = false;
  bool turn_follows_ = false;
  bool output_blocked_ = false;  // TCP holds packets that found no room
  bool room_ = false;            // and there is room now
  bool stopped_ = false;
};

}  // namespace axl::node
