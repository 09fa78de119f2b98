// Our topics and, for each, the peers that we exchange its messages with: GRAFT, PRUNE, and their upkeep.
//
// Who is pruned is left alone for the back-off, and leaves us alone: a GRAFT before that is a fault. A full mesh, or
// one that is cut down, names others in its PRUNE, so that who is turned away knows where else to go.
#pragma once

#include <axl/random.hpp>
#include <axl/time.hpp>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pubsub/codec.hpp"
#include "pubsub/config.hpp"
#include "pubsub/contacts.hpp"
#include "pubsub/outgoing.hpp"
#include "pubsub/peers.hpp"

namespace axl::pubsub {

class Mesh {
 public:
  struct Topic {
    bool judged = false;        ///< messages wait for our user's verdict
    std::set<PublicKey> peers;  ///< the mesh
    std::map<PublicKey, Time> back_off;
  };
  using Topics = std::map<std::string, Topic, std::less<>>;

  Mesh(const Config& config, Rng& rng, Peers& peers, Scores& scores, Contacts& contacts, Outgoing& out) noexcept
      : config_{config}, rng_{rng}, peers_{peers}, scores_{scores}, contacts_{contacts}, out_{out} {}

  [[nodiscard]] const Topics& topics() const noexcept { return topics_; }
  [[nodiscard]] const Topic* find(std::string_view topic) const;

  /// False when there are too many.
  bool join(std::string_view topic, bool judged, Time now);
  void leave(std::string_view topic);

  void on_peer_connected(const Peer& peer, Time now);
  void on_peer_lost(const PublicKey& peer);
  /// It takes a topic from now on.
  void on_peer_joined(Peer& peer, const std::string& topic, Time now);
  void on_peer_left(Peer& peer, const std::string& topic);
  void on_graft(Peer& peer, const Graft& graft, Time now);
  void on_prune(Peer& peer, const Prune& prune, Time now);
  void on_heartbeat(Time now);

  /// Connected peers that take this topic and may be spoken to, in the order of their keys.
  [[nodiscard]] std::vector<Peer*> takers(std::string_view topic);
  /// A topic of ours has fewer peers to choose from than its mesh wants.
  [[nodiscard]] bool starving();

 private:
  void fill(const std::string& name, Topic& topic, Time now);
  void cut(const std::string& name, Topic& topic, Time now);
  void turn_away(const Peer& peer, const std::string& name, Topic& topic, Time now);
  void set_back_off(Topic& topic, const PublicKey& peer, Time until);
  [[nodiscard]] std::vector<PublicKey> others(const std::string& name, const PublicKey& than);

  const Config& config_;
  Rng& rng_;
  Peers& peers_;
  Scores& scores_;
  Contacts& contacts_;
  Outgoing& out_;
  Topics topics_;
};

}  // namespace axl::pubsub
