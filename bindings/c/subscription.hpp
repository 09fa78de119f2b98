// Brings messages of the node's queue to axl_poll, a few at a time, and never takes one that is not handed out.
//
// What waits here is leased from the queue for longer than any process runs. A message is confirmed once it has been
// handed out (or by its reader), given back when nobody is going to read it here. So it keeps its place and counts in
// the queue's bounds until then.
#pragma once

#include <axl/node.hpp>
#include <mutex>
#include <vector>

#include "event_queue.hpp"
#include "message.hpp"

namespace axl::c {

class Subscription final : public Source, public Confirmations, public std::enable_shared_from_this<Subscription> {
 public:
  static constexpr std::size_t kWindow = 256;  ///< messages that wait to be handed out

  struct Options {
    Router::Selection wanted;
    void* user = nullptr;
    bool confirm = false;
  };
  Subscription(std::shared_ptr<EventQueue> queue, const std::shared_ptr<Node>& node, Options options)
      : queue_{std::move(queue)}, node_{node}, options_{std::move(options)} {}

  void set_handle(axl_subscription* handle) noexcept { handle_ = handle; }
  /// On the loop.
  void fill(Router router);
  /// Nothing is handed out any more; what waits goes back.
  void end();

  [[nodiscard]] bool take(Item& item) override;
  void settle(std::uint64_t message, std::uint64_t reading, bool confirmed) override;

 private:
  struct Settled {
    Router::LeaseId lease;
    bool confirmed = false;
  };
  void bring(Router::Leased leased);
  void post_settle();
  void carry_out(Router router);

  const std::shared_ptr<EventQueue> queue_;
  const std::weak_ptr<Node> node_;
  const Options options_;
  axl_subscription* handle_ = nullptr;

  std::mutex mutex_;
  std::size_t waiting_ = 0;  // for axl_poll
  std::size_t unsettled_bytes_ = 0;
  std::vector<Settled> settled_;
  bool posted_ = false;
  bool ended_ = false;

  // On the loop.
  std::optional<Router::WaitId> wait_;
};

}  // namespace axl::c

struct axl_subscription {
  std::shared_ptr<axl::c::Subscription> state;
};
