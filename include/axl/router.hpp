// Who gets what arrives. Messages: handlers first, in the order they were added, then the receive queue. Requests for a
// service: who is registered under its name.
//
// The queue is bounded in messages and bytes; when it is full, the sender is told so and nothing accepted is dropped.
// One peer gets at most a quarter of it, and half is kept for peers that the configuration names. A reader that may fail
// at what it does with a message leases it, and confirms it when that is done.
//
// Lives on the node's loop: call it from a handler, from Node::post, or before the node is started.
#pragma once

#include <axl/api.hpp>
#include <axl/key.hpp>
#include <axl/message.hpp>
#include <axl/result.hpp>
#include <axl/service.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace axl {

namespace router {
class Dispatcher;
class Leases;
class Services;
}  // namespace router

class AXL_API Router {
 public:
  using Filter = std::function<bool(const Message& message)>;
  using Handler = std::function<void(Message message)>;
  enum class HandlerId : std::uint64_t {};

  /// Which messages of the queue are meant.
  struct Selection {
    std::string topic = {};                ///< empty: those without a topic
    std::optional<PublicKey> sender = {};  ///< empty: of anybody; a partial key: of everyone with that address
  };

  /// One reading of one message.
  struct LeaseId {
    std::uint64_t message = 0;
    std::uint64_t reading = 0;  ///< 1 for the first; more: the message came again
    friend bool operator==(const LeaseId&, const LeaseId&) = default;
  };
  struct Leased {
    LeaseId id;
    Message message;
  };
  using LeaseHandler = std::function<void(Leased leased)>;
  enum class WaitId : std::uint64_t {};
  static constexpr Duration kLeaseTime{std::chrono::seconds{30}};

  struct QueueStats {
    std::size_t messages = 0;  ///< those being delivered to a reader included
    std::size_t bytes = 0;
    std::size_t leased = 0;  ///< of the messages: read, and not confirmed yet
    std::uint64_t accepted = 0;
    std::uint64_t refused_full = 0;
    std::uint64_t refused_share = 0;  ///< that peer already held its quarter
    std::uint64_t duplicates = 0;     ///< a known id came again
  };

  Router(router::Dispatcher& dispatcher, router::Leases& leases, router::Services& services) noexcept
      : dispatcher_{&dispatcher}, leases_{&leases}, services_{&services} {}

  /// `handler` gets the messages that `filter` accepts instead of the queue.
  HandlerId on_message(Filter filter, Handler handler);
  HandlerId on_message(Handler handler);                        ///< every message
  HandlerId on_topic(std::string topic, Handler handler);       ///< those with this topic
  HandlerId on_sender(const PublicKey& peer, Handler handler);  ///< those of this peer
  void remove(HandlerId id);

  /// The oldest message of the queue that is selected: without arguments, that has no topic. Empty when there is none.
  [[nodiscard]] std::optional<Message> receive(const Selection& wanted);
  [[nodiscard]] std::optional<Message> receive() { return receive(Selection{}); }
  [[nodiscard]] QueueStats queue_stats() const;

  /// Like receive(), but the message stays in the queue, where nobody else gets it, until it is confirmed. What is not
  /// confirmed within `time` is at its old place again, for whoever reads next.
  [[nodiscard]] std::optional<Leased> lease(const Selection& wanted, Duration time = kLeaseTime);
  [[nodiscard]] std::optional<Leased> lease() { return lease(Selection{}); }
  /// The same as soon as there is such a message: `handler` is called once, never inside this call. Whoever waits
  /// longest comes first, readers of the local HTTP API included.
  WaitId lease_next(const Selection& wanted, LeaseHandler handler, Duration time = kLeaseTime);
  void stop_waiting(WaitId id);
  /// The message has been dealt with, and is gone; this may also be said after `time`, as long as the message is here.
  /// False: it is not, for another reader has received or confirmed it.
  bool confirm(LeaseId id);
  /// Ends the lease: the message is at its old place again, now. False: this lease has ended before.
  bool give_back(LeaseId id);

  /// Makes `handler` a service that peers reach by this name, `/mcp/{our key}/{name}` at their nodes. Adding a name
  /// again replaces its service. Names: at most 256 bytes, no control characters, no empty part, `.` or `..` between
  /// slashes.
  Result<void> add_service(std::string name, ServiceAccess access, ServiceHandler handler);
  /// An HTTP server: `http://127.0.0.1:8000/mcp`, https, or `http+unix://%2Fpath/mcp`. The URL may name any host here;
  /// what registers over HTTP is held to this machine.
  Result<void> add_service(std::string name, const std::string& url, ServiceAccess access,
                           std::optional<ServiceProbe> probe = {});
  /// A program that speaks MCP over its standard input and output.
  Result<void> add_service(std::string name, ServiceCommand command, ServiceAccess access);
  /// Requests under way go on to their end. False: there is none of that name.
  bool remove_service(std::string_view name);
  /// In the order of names.
  [[nodiscard]] std::vector<ServiceInfo> services() const;

 private:
  router::Dispatcher* dispatcher_;
  router::Leases* leases_;
  router::Services* services_;
};

}  // namespace axl
