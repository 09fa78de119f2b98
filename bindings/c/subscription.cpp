#include "subscription.hpp"

#include <chrono>
#include <utility>

#include "node.hpp"
#include "status.hpp"

namespace axl::c {

namespace {

constexpr Duration kHold = std::chrono::hours{24 * 365 * 10};
constexpr std::size_t kSettleAtOnce = 32;               // handed out, before the queue hears of it
constexpr std::size_t kSettleBytesAtOnce = 1024 * 1024;  // the same

}  // namespace

void Subscription::fill(Router router) {
  for (;;) {
    {
      const std::lock_guard lock{mutex_};
      if (ended_ || waiting_ >= kWindow) return;
    }
    auto leased = router.lease(options_.wanted, kHold);
    if (!leased) break;
    bring(*std::move(leased));
  }
  if (wait_) return;
  wait_ = router.lease_next(
      options_.wanted,
      [self = shared_from_this(), router](Router::Leased leased) {
        self->wait_.reset();
        self->bring(std::move(leased));
        self->fill(router);
      },
      kHold);
}

void Subscription::bring(Router::Leased leased) {
  auto message = std::make_unique<axl_message>(std::move(leased.message));
  message->lease_message = leased.id.message;
  message->lease_reading = leased.id.reading;
  message->confirmations = shared_from_this();  // whoever drops it without reading gives it back
  Item item{.kind = AXL_EVENT_MESSAGE, .user = options_.user, .source = shared_from_this()};
  item.subscription = handle_;
  item.message = std::move(message);
  const std::lock_guard lock{mutex_};
  if (ended_) {
    item.message->confirmations.reset();
    settled_.push_back({leased.id, false});
    post_settle();
    return;
  }
  ++waiting_;
  queue_->push(std::move(item));  // under the lock: end() finds it there
}

bool Subscription::take(Item& item) {
  bool ended = false;
  {
    const std::lock_guard lock{mutex_};
    --waiting_;
    ended = ended_;
  }
  auto& message = *item.message;
  if (ended) {
    item.message.reset();  // goes back
  } else if (!options_.confirm) {
    const auto confirmations = std::exchange(message.confirmations, nullptr);
    const std::lock_guard lock{mutex_};
    settled_.push_back({{message.lease_message, message.lease_reading}, true});
    unsettled_bytes_ += message.body.size();
    if (settled_.size() >= kSettleAtOnce || unsettled_bytes_ >= kSettleBytesAtOnce || waiting_ == 0) post_settle();
  } else {
    const std::lock_guard lock{mutex_};
    post_settle();  // there is room in the window
  }
  return !ended;
}

void Subscription::settle(std::uint64_t message, std::uint64_t reading, bool confirmed) {
  const std::lock_guard lock{mutex_};
  settled_.push_back({{message, reading}, confirmed});
  post_settle();
}

// All at once, so that the queue has them in their order before anybody else reads.
void Subscription::end() {
  {
    const std::lock_guard lock{mutex_};
    ended_ = true;
  }
  const auto waiting = queue_->withdraw(*this);
  const std::lock_guard lock{mutex_};
  for (const auto& item : waiting) {
    --waiting_;
    item.message->confirmations.reset();
    settled_.push_back({{item.message->lease_message, item.message->lease_reading}, false});
  }
  post_settle();
}

// With the lock held.
void Subscription::post_settle() {
  if (std::exchange(posted_, true)) return;
  const auto node = node_.lock();
  if (!node) return;
  node->post([self = shared_from_this(), state = node.get()] { self->carry_out(state->router()); });
}

void Subscription::carry_out(Router router) {
  std::vector<Settled> settled;
  bool ended = false;
  {
    const std::lock_guard lock{mutex_};
    posted_ = false;
    settled.swap(settled_);
    unsettled_bytes_ = 0;
    ended = ended_;
  }
  for (const auto& [lease, confirmed] : settled) {
    if (confirmed) {
      router.confirm(lease);
    } else {
      router.give_back(lease);
    }
  }
  if (!ended) return fill(router);
  if (wait_) router.stop_waiting(*std::exchange(wait_, std::nullopt));
}

}  // namespace axl::c

using namespace axl::c;

extern "C" {

axl_status axl_subscribe(axl_node* node, const axl_subscribe_options* options, axl_subscription** subscription) {
  if (node == nullptr || subscription == nullptr) return missing("no node or no place for a subscription");
  *subscription = nullptr;
  return guarded([&] {
    const auto read = read_options(options, AXL_SIZE_UP_TO(axl_subscribe_options, confirm));
    if (!read) return fail(read.error());
    Subscription::Options wanted;
    wanted.wanted.topic = to_string(read->topic);
    if (wanted.wanted.topic.size() > axl::kMaxTopicSize) return fail(AXL_E_INVALID_ARGUMENT, "the topic is too long");
    if (read->sender != nullptr) wanted.wanted.sender = to_key(*read->sender);
    wanted.user = read->user;
    wanted.confirm = read->confirm != 0;
    auto handle = std::make_unique<axl_subscription>();
    handle->state = std::make_shared<Subscription>(node->queue(), node->shared_node(), std::move(wanted));
    handle->state->set_handle(handle.get());
    const auto status = node->on_loop([&](axl::Node& on) {
      handle->state->fill(on.router());
      return AXL_OK;
    });
    if (status == AXL_OK) *subscription = handle.release();
    return status;
  });
}

void axl_subscription_free(axl_subscription* subscription) {
  if (subscription == nullptr) return;
  subscription->state->end();
  delete subscription;
}

}  // extern "C"
