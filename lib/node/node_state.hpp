// Everything behind a public Node: loop, core, links, bridge, and who listens where.
#pragma once

#include <axl/node.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/bridge.hpp"
#include "bridge/peer_id.hpp"
#include "net/listener.hpp"
#include "net/machine_system.hpp"
#include "net/unix_listener.hpp"
#include "node/core.hpp"
#include "node/links.hpp"
#include "node/loop.hpp"
#include "node/part.hpp"
#include "node/round_trips.hpp"
#include "node/running_keys.hpp"
#include "node/turning_executor.hpp"

namespace axl::node {

class SessionState;

class NodeState final : public bridge::Host {
 public:
  /// `external`: the embedder's io_context, or null. Throws nothing; listeners are bound by bind().
  NodeState(NodeConfig config, const PrivateKey& key, asio::io_context* external);
  NodeState(const NodeState&) = delete;
  NodeState& operator=(const NodeState&) = delete;
  ~NodeState();

  [[nodiscard]] bool key_is_free() const noexcept { return running_key_.held(); }
  void bind();
  Result<void> start();
  void stop();

  [[nodiscard]] Loop& loop() noexcept { return loop_; }
  [[nodiscard]] const PublicKey& key() const noexcept { return key_; }
  [[nodiscard]] const Address& address() const noexcept { return address_; }
  [[nodiscard]] bridge::Bridge& bridge() noexcept { return *bridge_; }
  [[nodiscard]] Scheduler& scheduler() noexcept { return *this; }
  /// Runs `task` on the loop before it returns; not at all once the node has stopped.
  void on_loop_and_wait(const std::function<void()>& task);
  void send(const PublicKey& peer, MessageBody body, SendOptions options, Node::SendHandler handler);
  [[nodiscard]] Executor& executor() override { return *executor_; }
  /// Outlives the node; what is posted then is dropped.
  [[nodiscard]] std::shared_ptr<Executor> shared_executor() const noexcept { return executor_; }
  /// On the loop, before stop().
  [[nodiscard]] Router router() { return Router{bridge_->dispatcher(), bridge_->leases(), bridge_->services()}; }

  // For what stands above the node; on the loop. Parts have names, one each.
  [[nodiscard]] bridge::Host& host() noexcept { return *this; }
  [[nodiscard]] overlay::Engine::Place place() const { return core_->overlay().place(); }
  void set_place_handler(std::function<void()> handler) { core_->set_place_handler(std::move(handler)); }
  [[nodiscard]] std::shared_ptr<Part> part(std::string_view name) const;
  void set_part(std::string name, std::shared_ptr<Part> part) { parts_[std::move(name)] = std::move(part); }
  void drop_part(std::string_view name);
  /// For what signs in the node's name.
  [[nodiscard]] const PrivateKey& private_key() const noexcept { return private_key_; }
  /// This key was made for this node, just now.
  [[nodiscard]] bool has_new_key() const noexcept { return !config_.identity.has_value(); }

  // From any thread; each runs on the loop before it returns.
  Result<void> add_peer(const std::string& uri, const std::string& source_interface);
  Result<void> remove_peer(const std::string& uri, const std::string& source_interface);
  Result<std::string> add_listener(const std::string& uri);
  [[nodiscard]] std::vector<std::string> listeners();
  Result<void> listen(std::uint16_t port, Node::SessionHandler handler);
  void stop_listening(std::uint16_t port);
  void connect_session(const PublicKey& peer, std::uint16_t port, Node::ConnectHandler handler);
  Result<std::uint16_t> serve_api(const std::string& host, std::uint16_t port);
  Result<std::uint16_t> serve_router(const std::string& host, std::uint16_t port);
  [[nodiscard]] Topology whole_topology();
  [[nodiscard]] std::vector<KnownNode> all_known_nodes(std::size_t limit, const PublicKey* after);
  [[nodiscard]] Result<KnownNode> find_known_node(const PublicKey& key);
  [[nodiscard]] Statistics statistics();
  void ping_from_anywhere(const PublicKey& peer, Duration timeout, Node::PingHandler handler);
  void set_event_handler(Node::EventHandler handler);
  void begin_drain(std::function<void()> done);
  void drain(Duration grace);

 private:
  // bridge::Host
  [[nodiscard]] Time now() const override { return core_->now(); }
  [[nodiscard]] std::unique_ptr<Timer> make_timer(std::function<void()> fire) override;
  [[nodiscard]] Rng& rng() override { return core_->rng(); }
  [[nodiscard]] const PublicKey& our_key() const override { return key_; }
  [[nodiscard]] System& system() override { return *system_; }
  [[nodiscard]] Topology topology() const override;
  [[nodiscard]] std::size_t peers_up() const override;
  [[nodiscard]] std::vector<KnownNode> known_nodes(std::size_t limit,
                                                   const std::optional<PublicKey>& after) const override;
  [[nodiscard]] std::optional<KnownNode> known_node(const PublicKey& key) const override;
  void count(Statistics& out) const override;
  Result<void> dial_peer(const std::string& uri, const std::string& source_interface) override;
  Result<void> forget_peer(const std::string& uri, const std::string& source_interface) override;
  void ping(const PublicKey& peer, Duration timeout, std::function<void(Result<Duration>)> handler) override;
  [[nodiscard]] std::optional<PublicKey> full_key(const Address& address) const override;
  void connect(const PublicKey& key, std::uint16_t port, Duration timeout,
               tcpip::Stack::ConnectHandler handler) override;

  /// Somebody wants the full key of an address that none is known of yet.
  struct AddressWait {
    Address address;
    Time deadline;
    std::function<void(Result<PublicKey>)> handler;
    std::unique_ptr<Timer> timer;
  };
  struct Ping {
    PublicKey key;
    std::function<void(Result<Duration>)> handler;
  };
  /// `handler` may be called inside this call.
  void find_key(const PublicKey& key, Time deadline, std::function<void(Result<PublicKey>)> handler);
  void look_up(const std::shared_ptr<AddressWait>& wait);
  void on_path_found(const PublicKey& key);
  void ping_key(const PublicKey& key, Time deadline, std::function<void(Result<Duration>)> handler);
  void on_ping_done(const e2e::Engine::PingDone& done);
  static void note(KnownNode& known, const overlay::Engine::PathView& path);
  static void note(KnownNode& known, const e2e::Engine::SessionView& session);
  static void note(KnownNode& known, const overlay::Engine::LinkView& link);
  void complete(KnownNode& known, const PublicKey& key, Time now) const;

  [[nodiscard]] Session make_session(std::unique_ptr<tcpip::Connection> connection);
  void listen_for_messages();
  void emit(const NodeEvent& event);

  NodeConfig config_;
  const PrivateKey private_key_;
  const PublicKey key_;
  const Address address_;
  RunningKey running_key_;
  Logger logger_;
  Loop loop_;
  std::shared_ptr<TurningExecutor> executor_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Core> core_;
  std::unique_ptr<Links> links_;
  std::unique_ptr<net::MachineSystem> system_;
  std::unique_ptr<bridge::Bridge> bridge_;
  std::vector<std::unique_ptr<net::Listener>> api_listeners_;
  std::vector<std::unique_ptr<net::UnixListener>> unix_listeners_;  // of the local API
  std::vector<std::weak_ptr<SessionState>> sessions_;               // those that may be open, for stop()
  std::map<std::string, std::shared_ptr<Part>, std::less<>> parts_;
  std::vector<std::shared_ptr<AddressWait>> address_waits_;
  std::map<e2e::PingId, Ping> pings_;
  RoundTrips round_trips_;
  Node::EventHandler event_handler_;
  bool started_ = false;
  bool stopped_ = false;
};

/// What Node::create and the Asio hook share; `external` may be null.
Result<std::unique_ptr<Node>> create_node(NodeConfig config, asio::io_context* external);

}  // namespace axl::node
