// Publish and subscribe: messages of a topic reach every node that subscribes to it, over sessions between the nodes
// that take part.
//
// Each message goes about once to each node, from neighbour to neighbour; nobody needs to know who subscribes. Whoever
// publishes signs, and every node checks that before it hands a message on. There is no order between messages, and
// nothing is kept for who is away for more than some seconds.
//
// The PubSubs of a node are one member of the mesh, made by the first and left by the last: parts of a program need not
// know each other, and hear each other. Methods may be called from any thread. Handlers run on the node's loop, may call
// any method, and must not block. The node must outlive its PubSubs, or at least be stopped before them.
#pragma once

#include <axl/api.hpp>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace axl {

class Node;

namespace patterns {
class PubSubState;
}

/// Overlay TCP port of the sessions.
inline constexpr std::uint16_t kPubSubPort = 7003;

struct PubSubOptions {
  /// Keys that take part, as far as it is known beforehand.
  std::vector<PublicKey> peers = {};
  /// Neighbours and nodes of the tree are tried too.
  bool find_peers = true;
  /// Off: nothing is signed or checked, and `origin` is a claim. All nodes of a topic must agree.
  bool signatures = true;
  std::size_t max_body = 1'048'576;  ///< of a message, bytes; larger ones of peers are refused
  std::uint16_t port = kPubSubPort;  ///< equal on all nodes that take part
  /// Programs of the older kind take part: their `gossipsub` messages are taken out of the receive queue. Once one PubSub
  /// of the node wants it, for all of them.
  bool legacy = false;
};

/// What became of a message of ours.
struct PubSubReport {
  std::string id;         ///< as in PubSubMessage
  std::size_t peers = 0;  ///< that it went to at once; those that connect within some seconds get it too
};

/// A message that somebody has published.
struct PubSubMessage {
  std::string topic;
  std::string id;    ///< 32 hex digits, different for each message
  PublicKey origin;  ///< who published it
  /// Whose signature was checked. Another than the origin: that node has the message from a peer that cannot sign, and
  /// says so. All zero: signatures are off.
  PublicKey signer;
  PublicKey from;  ///< the peer that handed it on
  unsigned hops = 0;
  MessageBody body;

  /// Is `origin` more than a claim?
  [[nodiscard]] bool proved() const noexcept { return origin == signer; }
};

/// What a subscriber thinks of a message before it is handed on.
enum class PubSubVerdict : std::uint8_t {
  accept,
  reject,  ///< it is wrong: the peer that sent it loses its good name if this happens often
  ignore,  ///< it goes no further
};

class AXL_API PubSub {
 public:
  using Handler = std::function<void(const PubSubMessage& message)>;
  using Validator = std::function<PubSubVerdict(const PubSubMessage& message)>;
  using PublishHandler = std::function<void(const PubSubReport& report)>;
  /// Takes a verdict, the first one, from any thread.
  using Decide = std::function<void(PubSubVerdict verdict)>;
  /// A validator that takes its time. A message without a verdict is dropped after some seconds.
  using Judge = std::function<void(const PubSubMessage& message, Decide decide)>;
  enum class Subscription : std::uint64_t {};

  /// Fails with already_exists when another PubSub of the node has other options (signatures, max_body, port), or the
  /// port is taken. Peers of all are candidates.
  [[nodiscard]] static Result<std::unique_ptr<PubSub>> create(Node& node, PubSubOptions options = {});
  PubSub(std::shared_ptr<patterns::PubSubState> state, std::uint64_t user) noexcept;
  PubSub(const PubSub&) = delete;
  PubSub& operator=(const PubSub&) = delete;
  /// Ends its subscriptions. No handler of them is called afterwards.
  ~PubSub();

  /// `handler` gets the messages of others in this topic (1 to 128 printable ASCII characters), and those of other
  /// PubSubs of this node; our own do not come back. `validator`, if given, is asked before a message of another node is
  /// delivered and handed on.
  Result<Subscription> subscribe(const std::string& topic, Handler handler, Validator validator = {});
  Result<Subscription> subscribe_judged(const std::string& topic, Handler handler, Judge judge);
  void unsubscribe(Subscription subscription);
  /// Sends `body` to whoever subscribes, whether we do or not. It is kept for some seconds for who comes late.
  /// `handler` is called once that is done, unless the node has been stopped before. Errors: invalid_argument, too_large,
  /// closed; would_block: 64 MiB wait for the node's loop already.
  Result<void> publish(const std::string& topic, MessageBody body, PublishHandler handler = {});

  struct TopicView {
    std::string name;
    std::vector<PublicKey> mesh;  ///< peers that messages are exchanged with
    std::size_t peers = 0;        ///< connected peers that subscribe
  };
  struct Statistics {
    std::size_t peers = 0;  ///< connected
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;
    std::uint64_t received = 0;    ///< copies of messages that came
    std::uint64_t duplicates = 0;  ///< of those, known already
    std::uint64_t refused = 0;     ///< of those, not valid
    std::uint64_t sent = 0;        ///< copies of messages that left
    std::size_t kept_messages = 0;
    std::size_t kept_bytes = 0;
  };
  [[nodiscard]] std::vector<TopicView> topics() const;
  [[nodiscard]] std::vector<PublicKey> peers() const;
  [[nodiscard]] Statistics statistics() const;

 private:
  std::shared_ptr<patterns::PubSubState> state_;
  std::uint64_t user_;
};

}  // namespace axl
