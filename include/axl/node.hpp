// One node on the mesh: its identity, its links to neighbours, and conversations with any key it can reach.
//
// Methods may be called from any thread. Handlers run on the node's loop (its own thread, or inside poll()), may call
// any method but stop() and the destructor, and must not block.
#pragma once

#include <axl/api.hpp>
#include <axl/config.hpp>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/result.hpp>
#include <axl/router.hpp>
#include <axl/session.hpp>
#include <axl/statistics.hpp>
#include <axl/time.hpp>
#include <axl/topology.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace axl {

namespace node {
class NodeState;
}

/// Something happened that a program may want to show.
struct NodeEvent {
  enum class Kind : std::uint8_t {
    peer_up,     ///< a link to a neighbour has finished its handshake
    peer_down,   ///< it has ended; `text` says why
    session_up,  ///< an end-to-end session with `key` is open
  };
  Kind kind{};
  PublicKey key;
  std::string uri;  ///< of the link; empty for sessions
  std::string text;
};

class AXL_API Node {
 public:
  using SessionHandler = std::function<void(Session session)>;
  using ConnectHandler = std::function<void(Result<Session> session)>;
  using SendHandler = std::function<void(Result<SendReport> report)>;
  using PingHandler = std::function<void(Result<Duration> round_trip)>;
  using EventHandler = std::function<void(const NodeEvent& event)>;

  /// Checks the configuration and binds what `listen` names; talks to nobody yet. Fails on a configuration that makes
  /// no sense and with already_exists when a node with this key runs in this process. A `listen` entry that cannot be
  /// bound and a `peers` entry that cannot be dialled are warnings in the log.
  [[nodiscard]] static Result<std::unique_ptr<Node>> create(NodeConfig config);

  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();  ///< stop()

  /// Starts dialling and serving.
  Result<void> start();
  /// Ends every connection and, with its own thread, waits until the loop is done. Nothing is called afterwards.
  void stop();
  /// RunMode::poll: does what is due, and stops where `budget` might not be enough for more: it begins nothing when what
  /// is left is less than the longest item of this call has taken. Waits for the first of it, at most for `wait`: a
  /// socket, a timer or a call from another thread ends that. Returns the work items done. A call that finds nothing to do
  /// takes nothing from the heap.
  std::size_t poll(Duration budget = std::chrono::milliseconds{1}, Duration wait = {});

  [[nodiscard]] const PublicKey& key() const;
  [[nodiscard]] const Address& address() const;

  /// A peer to dial, and to dial again whenever its link ends; already_exists makes a waiting one dial at once.
  Result<void> add_peer(const std::string& uri, const std::string& source_interface = {});
  /// Ends redialling and the link; not_found when there is no such peer.
  Result<void> remove_peer(const std::string& uri, const std::string& source_interface = {});
  /// One more listener for links; returns the URI that is really bound (port 0 means any).
  Result<std::string> add_listener(const std::string& uri);
  [[nodiscard]] std::vector<std::string> listeners() const;  ///< the URIs that are bound

  /// Measures a round trip to a key through the mesh. Any kind of node answers, whatever runs on it. Errors: unreachable
  /// (nobody there), timed_out (no answer), key_mismatch, limit_reached (256 at once). `peer` may be partial.
  void ping(const PublicKey& peer, Duration timeout, PingHandler handler);

  /// Takes sessions on an overlay TCP port; already_exists when it is taken (7000 and 7001 are the node's own).
  Result<void> listen(std::uint16_t port, SessionHandler handler);
  void stop_listening(std::uint16_t port);
  /// Opens a session with exactly this key: refused, timed_out, key_mismatch or unreachable otherwise.
  void connect(const PublicKey& peer, std::uint16_t port, ConnectHandler handler);

  /// Sends a message to a peer's receive queue (its Router). Messages of one topic, or without one, keep the order of
  /// calls; those of another may overtake them, as a small one overtakes a large one. Between nodes of this kind the
  /// report says that the peer has queued it. Errors: too_large, busy (not queued), timed_out or delivery_unknown (send
  /// again with the same id: it is queued once), unreachable, key_mismatch, refused.
  void send(const PublicKey& peer, MessageBody body, SendOptions options, SendHandler handler);
  void send(const PublicKey& peer, MessageBody body, SendHandler handler) {
    send(peer, std::move(body), SendOptions{}, std::move(handler));
  }

  /// Who gets what arrives: messages, and requests for services. To be used on the loop: from a handler, by post(), or
  /// before start().
  [[nodiscard]] Router router();
  /// Runs `task` on the loop, after this call.
  void post(std::function<void()> task);

  /// Serves the local HTTP API (bridge, section 3) on a literal IP address, beyond loopback only with a token, or on
  /// `unix:/path`, which only this user can open; port 0 means any. Returns
  /// the port that is bound.
  Result<std::uint16_t> serve_api(const std::string& host, std::uint16_t port);
  /// Serves the router's HTTP API (bridge, section 5: services register here, and programs call them) on a literal
  /// loopback address; port 0 means any. Returns the port that is bound.
  Result<std::uint16_t> serve_router(const std::string& host, std::uint16_t port);
  /// Takes no new connection, request or message and waits, at most for `grace`, until those under way have ended.
  /// Not with RunMode::poll: there, begin_drain() and poll().
  void drain(Duration grace);
  /// Calls `done` once when everything under way has ended.
  void begin_drain(std::function<void()> done);

  [[nodiscard]] Topology topology() const;
  /// Whom this node has a link, a path or a session with, sorted by key: after `after`, at most `limit`.
  [[nodiscard]] std::vector<KnownNode> known_nodes(std::size_t limit, const PublicKey* after = nullptr) const;
  /// The same of one key, which may be partial; not_found.
  [[nodiscard]] Result<KnownNode> known_node(const PublicKey& key) const;
  [[nodiscard]] Statistics statistics() const;
  void on_event(EventHandler handler);

  /// For the library's own parts (local HTTP API, Asio hook).
  [[nodiscard]] node::NodeState& state() noexcept { return *state_; }
  explicit Node(std::unique_ptr<node::NodeState> state) noexcept;

 private:
  std::unique_ptr<node::NodeState> state_;
};

}  // namespace axl
