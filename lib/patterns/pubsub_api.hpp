// `/pubsub`: publish and subscribe for programs on this machine.
//
// The node takes part from the first request on, and for some minutes after the last; always if programs of the older
// kind may, for they say only when they begin that they are there. A topic that a stream has left is kept for a while:
// who comes back with Last-Event-ID gets what has come meanwhile. All streams of a topic get what any program of this
// node publishes.
#pragma once

#include <axl/pubsub.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "bridge/host.hpp"
#include "http/budget.hpp"
#include "http/exchange.hpp"
#include "patterns/feed.hpp"
#include "patterns/feed_stream.hpp"

namespace axl::patterns {

class PubSubApi {
 public:
  static constexpr std::size_t kMaxStreams = 1'024;
  static constexpr std::size_t kMaxFeedBytes = 32u << 20;   ///< of all topics; the largest loses its oldest
  static constexpr std::size_t kMaxUploads = 64u << 20;     ///< bytes of bodies under way
  static constexpr Duration kKeepTopic{std::chrono::minutes{1}};  ///< without a stream
  static constexpr Duration kKeepPart{std::chrono::minutes{5}};   ///< in the mesh, without a use

  /// `node` must outlive close().
  PubSubApi(Node& node, PubSubOptions options);
  /// Takes part already, if it has to: programs of the older kind say once that they are there.
  Result<void> begin() { return options_.legacy ? take_part() : Result<void>{}; }

  void serve_list(http::Exchange exchange);   ///< `/pubsub`
  void serve_topic(http::Exchange exchange);  ///< `/pubsub/{topic}`
  /// Ends streams, and begins none.
  void drain();
  void close();

 private:
  struct Topic {
    PubSub::Subscription subscription{};
    Feed feed;
    std::map<std::uint64_t, std::unique_ptr<FeedStream>> streams;
    Time unused_since{};
  };

  Result<void> take_part();
  Result<Topic*> open(const std::string& name);
  void serve_stream(http::Exchange exchange, const std::string& name);
  void publish(http::Exchange exchange, const std::string& name, Buffer body);
  void add(const PubSubMessage& message);
  void end_stream(const std::string& name, std::uint64_t number);
  void on_timer();
  void arm();

  Node& node_;
  PubSubOptions options_;
  bridge::Host& host_;
  http::ByteBudget budget_{kMaxUploads};
  http::BudgetShare share_{budget_, kMaxUploads, true};
  std::unique_ptr<PubSub> pubsub_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::unique_ptr<Timer> timer_;
  std::size_t streams_ = 0;
  std::uint64_t next_ = 1;
  Time used_{};
  bool draining_ = false;
  bool closed_ = false;
};

}  // namespace axl::patterns
