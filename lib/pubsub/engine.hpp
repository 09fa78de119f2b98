// Publish and subscribe among nodes that are connected to some of each other: one engine for each node.
//
// Peers are full keys. What goes to a peer is a body, carried in order over a session with exactly that key; what a
// broken connection loses is announced again. The caller opens connections that Connect asks for, takes those that
// peers open, and tells of both. A peer of the JSON form (`Form::compat`) is one whose bodies are messages of the
// receive queue.
//
// Pure: time, randomness and bytes come in. Source: bridge, section 10.3, with its defects left out.
#pragma once

#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/random.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/signature.hpp"
#include "pubsub/config.hpp"
#include "pubsub/forwarding.hpp"
#include "pubsub/output.hpp"

namespace axl::pubsub {

class Engine {
 public:
  using Published = Forwarding::Published;

  /// `unix_at_zero`: Unix time at Time{}; a clock that was set back makes peers take our new messages for old ones.
  /// `rng` must outlive the engine.
  Engine(const Config& config, const PrivateKey& key, Rng& rng, Duration unix_at_zero,
         crypto::Verifier verifier = crypto::verify);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// From now on messages of this topic are delivered, and handed on. `judged`: each waits for on_judged().
  Result<void> subscribe(std::string_view topic, bool judged, Time now);
  void unsubscribe(std::string_view topic, Time now);
  /// Whether we are subscribed or not. It is kept for some heartbeats: who joins until then is told of it.
  Result<Published> publish(std::string_view topic, MessageBody body, Time now);
  /// Our user's verdict on a message that Judge told of. Without one it is dropped after some heartbeats.
  void on_judged(const MessageId& id, Verdict verdict, Time now);

  /// Peers that could be connected to: neighbours, the tree's, configured ones.
  void set_candidates(std::span<const PublicKey> candidates, Time now);
  /// A session is up, whoever opened it. Disconnect follows if it is not welcome; one that is known already is the
  /// same peer with a new connection.
  void on_peer_connected(const PublicKey& peer, Form form, Time now);
  /// Peers of the JSON form may connect from now on, whatever Config::compat says.
  void welcome_compat();
  void on_peer_lost(const PublicKey& peer, Time now);
  void on_connect_failed(const PublicKey& peer, Time now);
  /// The session takes no more for now: nothing is queued for it until on_peer_writable().
  void on_peer_blocked(const PublicKey& peer);
  void on_peer_writable(const PublicKey& peer, Time now);
  void on_body(const PublicKey& peer, MessageBody body, Time now);
  void on_tick(Time now);

  [[nodiscard]] std::optional<Output> poll_output();
  [[nodiscard]] std::optional<Time> next_tick() const;

  struct PeerView {
    PublicKey key;
    Form form{};
    double points = 0;
    std::size_t topics = 0;
    std::size_t announced = 0;  ///< messages that it has announced and that have not come
  };
  struct TopicView {
    std::string name;
    std::vector<PublicKey> mesh;
    std::size_t takers = 0;  ///< connected peers that take it
  };
  struct Sizes {  ///< of the tables, all bounded by the configuration
    std::size_t peers = 0;
    std::size_t seen = 0;
    std::size_t cached = 0;
    std::size_t cached_bytes = 0;
    std::size_t wants = 0;
    std::size_t origins = 0;
    std::size_t scores = 0;
    std::size_t contacts = 0;
  };
  [[nodiscard]] std::vector<PeerView> peers() const;    ///< sorted by key
  [[nodiscard]] std::vector<TopicView> topics() const;  ///< sorted by name
  [[nodiscard]] bool grey(const PublicKey& peer) const;
  [[nodiscard]] Sizes sizes() const;
  [[nodiscard]] const Counters& counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace axl::pubsub
