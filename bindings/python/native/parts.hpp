// What a node of Python's has beside itself: its pub/sub, made when it is first asked for, and its part in
// aggregations. Both end after the node has stopped and before it is gone.
#pragma once

#include <axl/convergecast.hpp>
#include <axl/patterns.hpp>
#include <axl/pubsub.hpp>
#include <memory>
#include <mutex>
#include <utility>

namespace axl::python {

class Parts {
 public:
  void set_pubsub_options(PubSubOptions options) {
    const std::lock_guard lock{mutex_};
    options_ = std::move(options);
  }
  Result<PubSub*> pubsub(Node& node) {
    const std::lock_guard lock{mutex_};
    if (!pubsub_) {
      auto made = PubSub::create(node, options_);
      if (!made) return made.error();
      pubsub_ = std::move(*made);
    }
    return pubsub_.get();
  }
  Result<Convergecast*> attach(Node& node, Convergecast::Options options) {
    auto made = Convergecast::attach(node, options);
    if (!made) return made.error();
    const std::lock_guard lock{mutex_};
    convergecast_ = std::move(*made);
    return convergecast_.get();
  }
  Result<Convergecast*> convergecast() {
    const std::lock_guard lock{mutex_};
    if (!convergecast_) return Error{Errc::not_supported, "this node was made to take no part in aggregations"};
    return convergecast_.get();
  }
  /// The routes of both in the local API. Not on the loop, which others may wait for with the lock.
  Result<void> serve(Node& node) {
    const std::lock_guard lock{mutex_};
    if (served_) return {};
    auto done = serve_patterns(node, {.pubsub = options_, .aggregation = convergecast_ != nullptr});
    served_ = done.ok();
    return done;
  }
  void close() {
    pubsub_.reset();
    convergecast_.reset();
  }

 private:
  std::mutex mutex_;
  PubSubOptions options_;
  bool served_ = false;
  std::unique_ptr<PubSub> pubsub_;
  std::unique_ptr<Convergecast> convergecast_;
};

}  // namespace axl::python
