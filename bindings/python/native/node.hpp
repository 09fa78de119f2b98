// The node as axl/node.py uses it: operations return a number at once, and end as an event with that number.
#pragma once

#include <nanobind/nanobind.h>

#include <axl/node.hpp>
#include <memory>
#include <string>

#include "channel.hpp"
#include "host.hpp"

namespace axl::python {

/// A port that is listened on; so many sessions wait for Python to take them.
struct Backlog {
  static constexpr std::size_t kMost = 128;
  std::uint64_t id = 0;
  std::uint16_t port = 0;
  std::shared_ptr<std::atomic<std::size_t>> waiting = std::make_shared<std::atomic<std::size_t>>(0);
};

class NativeNode {
 public:
  explicit NativeNode(NodeConfig config, bool log);
  NativeNode(const NativeNode&) = delete;
  NativeNode& operator=(const NativeNode&) = delete;
  ~NativeNode();

  void start();
  void stop();   ///< what happened until then can still be taken
  void close();  ///< stop(), and nothing is told any more
  [[nodiscard]] Host& host() noexcept { return host_; }
  [[nodiscard]] const std::shared_ptr<Channel>& channel() const noexcept { return channel_; }
  [[nodiscard]] const std::string& key() const noexcept { return key_; }
  [[nodiscard]] const std::string& address() const noexcept { return address_; }

  /// Runs `work` on the loop; what it returns, a Result, completes the operation.
  template <class Work, class Convert>
  std::uint64_t call(Work work, Convert convert) {
    const auto id = channel_->next_id();
    host_.with([&](Node& node) {
      node.post([channel = channel_, id, at = &node, work = std::move(work), convert] {
        channel->complete(id, work(*at), convert);
      });
    });
    return id;
  }

  /// The same with the node's pub/sub, which is made when it is first asked for.
  template <class Work, class Convert>
  std::uint64_t call_pubsub(Work work, Convert convert) {
    return call([at = &pubsub(), work = std::move(work)](Node&) { return work(*at); }, convert);
  }
  [[nodiscard]] PubSub& pubsub();
  /// Takes part in aggregations; questions arrive for `target`.
  void attach(std::uint64_t target);
  void contributes(bool anything) noexcept { *contributes_ = anything; }

  std::uint64_t send(std::string_view peer, nb::handle data, SendOptions options);
  std::uint64_t ping(std::string_view peer, double timeout);
  std::uint64_t connect(std::string_view peer, std::uint16_t port);
  Backlog listen(std::uint16_t port);
  std::uint64_t add_handler_service(std::string name, ServiceAccess access, std::uint64_t target);

 private:
  std::shared_ptr<Channel> channel_ = std::make_shared<Channel>();
  const std::shared_ptr<std::atomic<bool>> contributes_ = std::make_shared<std::atomic<bool>>(false);
  const bool new_key_;
  Host host_;
  std::string key_;
  std::string address_;
};

void bind_node(nb::module_& module);

}  // namespace axl::python
